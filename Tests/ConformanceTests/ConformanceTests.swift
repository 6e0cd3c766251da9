import BrokerCore
import BrokerTransport
import Foundation
import Logging
import MQTTModel
import Testing

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
        var configuration = BrokerServerConfiguration(
            listeners: [.init(host: "127.0.0.1", port: 0)], shardCount: 2, options: exchangeCase.options)
        configuration.authenticator = TestAuthenticator()
        var logger = Logger(label: "conformance")
        logger.logLevel = .critical
        let server = BrokerServer(configuration: configuration, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let address = try #require(try await server.boundAddresses().first)
            let outcome = await Self.runOverSocket(exchangeCase, server, port: address.port)
            if let outcome { Issue.record("\(outcome)") }
            server.requestShutdown()
            try await group.waitForAll()
        }
    }

    /// The clients' sockets block, so they get a thread: the broker may need all those of the tasks.
    /// - Returns: what went wrong, with the transcript.
    private static func runOverSocket(
        _ exchangeCase: ExchangeCase, _ server: BrokerServer, port: Int
    ) async -> String? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var runner = ExchangeRunner(
                    SocketDepth(server: server, port: port), version: exchangeCase.version)
                var fault: (any Error)?
                do { try runner.run(exchangeCase.exchange.steps) } catch { fault = error }
                var depth = runner.depth
                depth.closeAll()
                continuation.resume(returning: fault.map { "\($0)\n\(runner.transcript.joined(separator: "\n"))" })
            }
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
