extension MQTTClient {
    /// Keeps the client connected until the task is cancelled, then disconnects: for a task group or a service group.
    /// The first connection too is tried again as `Configuration.reconnect` says.
    ///
    /// - Throws: `MQTTClientError` when the client gives up; returns when it is cancelled or disconnected.
    public func run() async throws {
        let events = engine.events.makeStream()
        try await engine.start()
        for await event in events {
            if case .closed(let error) = event {
                if let error { throw error }
                return
            }
        }
        await disconnect()
    }
}

/// Connects, runs `body`, and disconnects, also when `body` throws or its task is cancelled.
public func withMQTTClient<Result>(
    configuration: MQTTClient.Configuration, isolation: isolated (any Actor)? = #isolation,
    _ body: (MQTTClient) async throws -> sending Result
) async throws -> sending Result {
    let client = MQTTClient(configuration: configuration)
    try await client.connect()
    do {
        let result = try await body(client)
        await client.disconnect()
        return result
    } catch {
        await client.disconnect()
        throw error
    }
}
