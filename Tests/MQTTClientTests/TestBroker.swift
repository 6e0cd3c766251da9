import BrokerTransport
import Logging
import TransportModel

/// Runs `body` beside a broker of its own, in this process, and hands it the broker's port.
func withBroker(_ body: (Int) async throws -> Void) async throws {
    let configuration = BrokerServerConfiguration(
        listeners: [Listener(host: "127.0.0.1", port: 0)], shardCount: 2)
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let server = BrokerServer(configuration: configuration, logger: logger)
    let running = Task { try await server.run() }
    let port = try await server.boundAddresses()[0].port
    do {
        try await body(port)
    } catch {
        server.requestShutdown()
        try? await running.value
        throw error
    }
    server.requestShutdown()
    try await running.value
}
