public import MQTTModel

/// An MQTT client for 3.1, 3.1.1 and 5.0: connects, publishes, subscribes, and comes back when the connection is lost.
///
///     let client = MQTTClient(configuration: .init(host: "localhost"))
///     try await client.connect()
///     try await client.subscribe(to: "sensor/#")
///     for try await message in client.messages { print(message.topic, message.text) }
///
/// Safe to use from any number of tasks. It disconnects when nobody holds it any more; `withMQTTClient` does so in time,
/// and `run` keeps the client connected until its task is cancelled.
public final class MQTTClient: Sendable {
    public let configuration: Configuration
    let engine: ClientEngine

    /// A client that is not connected yet.
    public init(configuration: Configuration) {
        self.configuration = configuration
        self.engine = ClientEngine(configuration: configuration)
    }

    deinit { engine.release() }

    /// Connects, once: an error is thrown and not tried again. When an accepted connection is lost later, the client
    /// comes back by itself as `Configuration.reconnect` says.
    ///
    /// - Throws: `MQTTClientError`: `hostUnreachable`, `connectTimedOut`, `connectionRefused`, `invalidConfiguration`
    ///   and others; `CancellationError`.
    @discardableResult
    public func connect() async throws -> ConnectionInfo {
        try await engine.connect()
    }

    /// Says goodbye and closes: no will is published. Waiting calls end with the error `closed`, `messages` ends when
    /// its buffer is empty. Does nothing when the client is closed. `connect` may be called again.
    ///
    /// - Parameters:
    ///   - reasonCode: `.disconnectWithWill` makes the server publish the will.
    ///   - properties: those of DISCONNECT, for example another session expiry interval. 5.0 only.
    public func disconnect(reasonCode: ReasonCode = .normalDisconnection, properties: Properties = []) async {
        await engine.disconnect(reasonCode: reasonCode, properties: properties)
    }

    /// Publishes a message.
    ///
    /// With QoS 0 it returns once the message is sent, and throws `notConnected` while there is no connection. With QoS
    /// 1 and 2 it returns when the server has acknowledged the message, if need be over another connection. When the
    /// task is cancelled the call ends, but the message may still be sent.
    ///
    /// - Parameters:
    ///   - retain: the server keeps it as the topic's retained message; with an empty payload it deletes that.
    ///   - properties: message expiry interval, content type, response topic, correlation data, user properties. 5.0
    ///     only: they are left out in 3.x.
    /// - Throws: `MQTTClientError`: `publishRefused` when the server refuses, `sessionLost`, `packetTooLarge`,
    ///   `invalidTopic` and others; `CancellationError`.
    @discardableResult
    public func publish(
        topic: String, payload: some Collection<UInt8>, qos: QoS = .atMostOnce, retain: Bool = false,
        properties: Properties = []
    ) async throws -> PublishResult {
        let message = try engine.makeMessage(
            topic: topic, payload: Array(payload), qos: qos, retain: retain, properties: properties)
        return try await engine.publish(message)
    }

    /// Begins to publish a message and returns as soon as it has its place behind those before it: for many messages in
    /// order without waiting for each. It still waits while too many are under way (`maximumQueuedMessages`).
    ///
    /// - Parameter whenAnswered: called once with what `publish` would return or throw, on one of the client's threads:
    ///   it must not block.
    /// - Throws: as `publish` does, for what is known before the server answers; `whenAnswered` is not called then.
    public func publish(
        topic: String, payload: some Collection<UInt8>, qos: QoS, retain: Bool = false, properties: Properties = [],
        whenAnswered: @escaping @Sendable (Result<PublishResult, any Error>) -> Void
    ) async throws {
        let message = try engine.makeMessage(
            topic: topic, payload: Array(payload), qos: qos, retain: retain, properties: properties)
        try await engine.beginPublish(message, whenAnswered: whenAnswered)
    }

    /// Waits until the client is connected, if need be until a lost connection is made anew.
    ///
    /// - Throws: `MQTTClientError` when the client is closed, or gives up; `CancellationError`.
    public func waitUntilConnected() async throws {
        try await engine.waitUntilConnected()
    }

    /// Publishes a message of text.
    @discardableResult
    public func publish(
        topic: String, text: String, qos: QoS = .atMostOnce, retain: Bool = false, properties: Properties = []
    ) async throws -> PublishResult {
        try await publish(topic: topic, payload: text.utf8, qos: qos, retain: retain, properties: properties)
    }

    /// Subscribes. The client remembers what was granted, and subscribes again when the server has lost the session.
    /// While a lost connection is being made anew the call waits for it.
    ///
    /// - Parameter properties: subscription identifier, user properties. 5.0 only.
    /// - Returns: the granted QoS, or an error, for each subscription.
    /// - Throws: `MQTTClientError`; `CancellationError`.
    @discardableResult
    public func subscribe(
        to subscriptions: [Subscription], properties: Properties = []
    ) async throws -> SubscribeResult {
        try await engine.subscribe(subscriptions, properties: properties)
    }

    /// Subscribes to one filter, or some with the same QoS.
    @discardableResult
    public func subscribe(to filters: String..., qos: QoS = .exactlyOnce) async throws -> SubscribeResult {
        try await subscribe(to: filters.map { Subscription($0, qos: qos) })
    }

    /// Ends subscriptions.
    @discardableResult
    public func unsubscribe(from filters: [String], properties: Properties = []) async throws -> SubscribeResult {
        try await engine.unsubscribe(filters, properties: properties)
    }

    /// The messages that arrive.
    public var messages: Messages { Messages(client: self) }

    /// What happens to the connection from now on; each call gives a stream of its own. A stream that is not read keeps
    /// the newest 64 events.
    public var events: AsyncStream<Event> { engine.events.makeStream() }
}
