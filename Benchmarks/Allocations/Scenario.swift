import AccessControl
import BrokerCore
import BrokerTransport
import CAllocationCounter
import Foundation
import Logging
import TransportModel

/// Publishers and subscribers on a broker in this process. Messages go in batches: one is written whole, then every
/// delivery of it is read, so that the broker's reads and writes fall alike in every run.
struct Scenario: Sendable {
    let name: String
    let qos: UInt8
    let subscribers: Int
    /// Messages in a batch.
    let batch: Int
    /// Whether the broker has rules about who may do what, of which every message needs two.
    var hasRules = false

    static let all = [
        Scenario(name: "q0-pair", qos: 0, subscribers: 1, batch: 64),
        Scenario(name: "q0-pair-rules", qos: 0, subscribers: 1, batch: 64, hasRules: true),
        Scenario(name: "q0-single", qos: 0, subscribers: 1, batch: 1),
        Scenario(name: "q0-fanout100", qos: 0, subscribers: 100, batch: 8),
        Scenario(name: "q1-pair", qos: 1, subscribers: 1, batch: 16),
        Scenario(name: "q1-fanout100", qos: 1, subscribers: 100, batch: 8),
        Scenario(name: "q2-pair", qos: 2, subscribers: 1, batch: 16),
    ]

    /// Batches before counting, until every buffer has its size; and counted ones.
    private static let warmUp = 300
    private static let counted = 1_000

    func allocationsPerDelivery() async throws -> Double {
        var configuration = BrokerServerConfiguration(
            listeners: [.init(host: "127.0.0.1", port: 0)], shardCount: 1)
        if hasRules { configuration.options.access = Self.policy }
        var logger = Logger(label: "allocations")
        logger.logLevel = .critical
        let server = BrokerServer(configuration: configuration, logger: logger)
        async let run: Void = server.run()
        let port = try await server.boundAddresses()[0].port
        let count = try await withCheckedThrowingContinuation { continuation in
            // A thread of its own: the sockets block.
            Thread.detachNewThread { continuation.resume(with: Result { try measure(port: UInt16(port)) }) }
        }
        server.requestShutdown()
        try await run
        return count
    }

    /// The subscription may reach further than what is delivered, so that delivering asks as well.
    private static var policy: AccessPolicy {
        var lines = (0..<20).map { "allow everyone read other/\($0)" }
        lines += ["allow everyone subscribe #", "allow everyone receive bench/#", "allow client p write bench/+"]
        var problems: [AccessProblem] = []
        return AccessPolicy(rules: AccessRuleSet(parsing: lines.joined(separator: "\n"), problems: &problems))
    }

    private func measure(port: UInt16) throws -> Double {
        let receivers = try (0..<subscribers).map { try BlockingClient(port: port, identifier: "s\($0)") }
        for receiver in receivers { try receiver.subscribe(qos: qos) }
        let publisher = try BlockingClient(port: port, identifier: "p")
        for _ in 0..<Self.warmUp { try exchange(publisher, receivers) }
        let before = dunlin_allocation_count()
        for _ in 0..<Self.counted { try exchange(publisher, receivers) }
        let after = dunlin_allocation_count()
        return Double(after - before) / Double(Self.counted * batch * subscribers)
    }

    private func exchange(_ publisher: BlockingClient, _ receivers: [BlockingClient]) throws {
        publisher.publish(batch, qos: qos)
        for receiver in receivers { try receiver.take(batch, qos: qos) }
        try publisher.finish(batch, qos: qos)
    }
}
