import BackboneNATS
import BrokerTransport
import Foundation
import Logging
import NATSClient
import NATSProtocol
import NATSServerKit
import Synchronization
import Testing
import TransportModel

/// The nodes of a flock of their own in this process, over a nats-server that other flocks may use, too.
struct FlockNodes: Sendable {
    let servers: [BrokerServer]
    let marks = FlockMarks()

    init(_ count: Int, _ exchangeCase: ExchangeCase, over nats: NATSServer) throws {
        var logger = Logger(label: "conformance")
        logger.logLevel = .critical
        let address = try #require(ServerAddress(nats.url))
        let stream = FlockNodes.nextStream()
        servers = (0..<count).map { [marks] node in
            var options = FlockOptions(node: "n\(node)", nats: NATSOptions(servers: [address]))
            options.stream = stream
            let engine = NATSBackbone(
                options: options, shardCount: 2, incarnation: 1,
                wallClock: { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) },
                onFault: { Issue.record("\($0)") })
            let watched = WatchedEngine(engine, node: node, marks: marks)
            marks.add(watched)
            var configuration = BrokerServerConfiguration(
                listeners: [Listener(host: "127.0.0.1", port: 0)], shardCount: 2, options: exchangeCase.options)
            configuration.authenticator = TestAuthenticator()
            configuration.engine = watched
            return BrokerServer(configuration: configuration, logger: logger)
        }
    }

    private static let streams = Mutex(0)

    private static func nextStream() -> String {
        streams.withLock { number in
            number += 1
            return "FLOCK\(number)"
        }
    }

    /// Serves while the body runs, which gets the ports.
    func serve(_ body: @Sendable ([Int]) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var ports: [Int] = []
            for server in servers {
                group.addTask { try await server.run() }
                ports.append(try #require(try await server.boundAddresses().first).port)
            }
            try await body(ports)
            for server in servers { server.requestShutdown() }
            try await group.waitForAll()
        }
    }
}

/// A nats-server for all tests of a suite.
struct NATSServerTrait: SuiteTrait, TestScoping {
    @TaskLocal static var server: NATSServer?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let server = try await NATSServer()
        try await Self.$server.withValue(server) { try await function() }
        try await server.stop()
    }
}

extension Trait where Self == NATSServerTrait {
    static var overNATS: NATSServerTrait { NATSServerTrait() }
}
