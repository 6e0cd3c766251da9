import BrokerCore
import BrokerTransport
import Logging
import MQTTModel
import TransportModel

/// Runs a broker on a port of its own for the length of `body`.
func withServer<Result: Sendable>(
    listener: Listener = Listener(host: "127.0.0.1", port: 0), shardCount: Int = 1, _ limits: Limits = Limits(),
    _ body: (Listener, BrokerServer) async throws -> Result
) async throws -> Result {
    var options = BrokerOptions()
    options.limits = limits
    options.statusInterval = .zero
    let configuration = BrokerServerConfiguration(listeners: [listener], shardCount: shardCount, options: options)
    return try await withServer(configuration, body)
}

func withServer<Result: Sendable>(
    _ configuration: BrokerServerConfiguration, _ body: (Listener, BrokerServer) async throws -> Result
) async throws -> Result {
    let server = BrokerServer(
        configuration: configuration,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let run = Task { try await server.run() }
    do {
        let addresses = try await server.boundAddresses()
        let result = try await body(addresses[0], server)
        server.requestShutdown()
        try await run.value
        return result
    } catch {
        server.requestShutdown()
        _ = await run.result
        throw error
    }
}

/// A client identifier whose session lives on `shard`.
func clientIdentifier(onShard shard: UInt16, of shardCount: UInt16, _ prefix: String = "client") -> String {
    for number in 0... {
        let candidate = "\(prefix)\(number)"
        if HomeShard.index(of: candidate, shardCount: shardCount) == shard { return candidate }
    }
    fatalError("the numbers never end")
}

extension Subscribe {
    static func one(_ filter: String, _ qos: QoS = .atMostOnce) -> Subscribe {
        Subscribe(
            packetIdentifier: 1, entries: [Entry(filter: filter, options: SubscriptionOptions(maximumQoS: qos))])
    }
}

extension Publish {
    static func test(
        _ topic: String, _ payload: [UInt8], _ qos: QoS = .atMostOnce, isRetained: Bool = false,
        packetIdentifier: UInt16 = 1
    ) -> Publish {
        Publish(
            message: ApplicationMessage(topic: topic, payload: payload, qos: qos, isRetained: isRetained), qos: qos,
            packetIdentifier: qos == .atMostOnce ? 0 : packetIdentifier, isRetained: isRetained)
    }
}
