import Backbone
import BackboneSQLite
import BrokerCore
import BrokerTransport
import Foundation
import Logging
import MQTTModel
import Testing
import TransportModel

/// Every exchange at every depth of the broker.
@Suite struct ConformanceTests {
    @Test(arguments: Exchange.cases)
    func core(_ exchangeCase: ExchangeCase) throws { try runOverCore(exchangeCase, shardCount: 1) }

    /// The same with the clients spread over shards that know of each other by messages, and every byte alone.
    @Test(arguments: Exchange.cases)
    func coreOfThreeShards(_ exchangeCase: ExchangeCase) throws {
        try runOverCore(exchangeCase, shardCount: 3, isTrickling: true)
    }

    /// One after the other: each case starts a broker with its own event loops.
    @Test(.serialized, arguments: Exchange.cases.filter { $0.exchange.coreOnly == nil })
    func socket(_ exchangeCase: ExchangeCase) async throws {
        try await run(exchangeCase, Listener(host: "127.0.0.1", port: 0)) { $0 }
    }

    /// With a data directory, where acknowledgements wait for the disk and what comes after them does not.
    @Test(.serialized, arguments: Exchange.cases.filter { $0.exchange.coreOnly == nil })
    func socketWithData(_ exchangeCase: ExchangeCase) async throws {
        let directory = NSTemporaryDirectory() + "dunlin-conformance-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var options = StoreOptions(directory: directory)
        options.durability = .none
        let engine = try SQLiteBackbone(options: options)
        try await run(exchangeCase, Listener(host: "127.0.0.1", port: 0), engine: engine) { $0 }
    }

    /// Some of them over the other transports, where MQTT is the same: every case at one of them in twelve. P8
    @Test(.serialized, arguments: Self.transportCases)
    func otherTransports(_ transportCase: TransportCase) async throws {
        let transport = transportCase.transport
        var listener = Listener(ListenAddress(transport: transport, host: "127.0.0.1", port: 0))
        listener.options.certificate = TestCertificate.path
        listener.options.key = TestCertificate.path
        try await run(transportCase.exchangeCase, listener) { port in
            try await TransportRelay(
                to: port, isEncrypted: transport.isEncrypted, isWebSocket: transport.isWebSocket
            ).port
        }
    }

    struct TransportCase: Sendable, CustomTestStringConvertible {
        let transport: ListenAddress.Transport
        let exchangeCase: ExchangeCase

        var testDescription: String { "\(transport) \(exchangeCase.testDescription)" }
    }

    private static let transportCases: [TransportCase] = {
        let transports: [ListenAddress.Transport] = [.tls, .ws, .wss]
        return Exchange.cases.filter { $0.exchange.coreOnly == nil }.enumerated().compactMap { index, exchangeCase in
            guard index % 4 == 0 else { return nil }
            return TransportCase(transport: transports[index / 4 % 3], exchangeCase: exchangeCase)
        }
    }()

    private func run(
        _ exchangeCase: ExchangeCase, _ listener: Listener, engine: (any BackboneEngine)? = nil,
        _ reach: @escaping @Sendable (Int) async throws -> Int
    ) async throws {
        var configuration = BrokerServerConfiguration(
            listeners: [listener], shardCount: 2, options: exchangeCase.options)
        configuration.authenticator = TestAuthenticator()
        configuration.engine = engine
        var logger = Logger(label: "conformance")
        logger.logLevel = .critical
        let server = BrokerServer(configuration: configuration, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let address = try #require(try await server.boundAddresses().first)
            let depth = SocketDepth(servers: [server], ports: [try await reach(address.port)])
            if let outcome = await depth.run(exchangeCase) { Issue.record("\(outcome)") }
            server.requestShutdown()
            try await group.waitForAll()
        }
    }

    private func runOverCore(_ exchangeCase: ExchangeCase, shardCount: Int, isTrickling: Bool = false) throws {
        let depth = CoreDepth(
            shardCount: shardCount, options: exchangeCase.options, isTrickling: isTrickling)
        var runner = ExchangeRunner(depth, version: exchangeCase.version)
        do {
            try runner.run(exchangeCase.exchange.steps)
        } catch {
            Issue.record("\(error)\n\(runner.transcript.joined(separator: "\n"))")
        }
        #expect(runner.depth.finish().isEmpty)
    }
}

extension ExchangeCase {
    var options: BrokerOptions {
        var options = BrokerOptions()
        // Nothing but what the exchange is about.
        options.statusInterval = .zero
        exchange.options(&options)
        return options
    }
}

extension Exchange {
    static var cases: [ExchangeCase] {
        all.flatMap { exchange in exchange.versions.map { ExchangeCase(exchange: exchange, version: $0) } }
    }
}
