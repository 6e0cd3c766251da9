package import Backbone
import BrokerCore
package import BrokerRuntime
import Logging
package import MQTTModel
import NIOCore
import NIOPosix

/// Whether a broker should be sent clients.
package struct Readiness: Sendable, Hashable {
    /// Why not, in words for people; empty when it should.
    package let reasons: [String]

    package var isReady: Bool { reasons.isEmpty }
    /// It would be, if it were not being drained.
    package var isOnlyDraining: Bool { reasons == [Readiness.draining] }

    static let draining = "the broker is being drained"
}

/// For whoever looks after the broker.
extension BrokerServer {
    /// The shards while the broker serves; empty before.
    package var shards: [Shard] { operatorState.serving?.shards ?? [] }

    /// What the engine tells; nil when nothing is kept.
    package var engineReport: EngineReport? { operatorState.serving?.backbone.report }

    /// Whether every event loop answers within `patience`.
    package func respond(within patience: Duration) async -> Bool {
        let shards = shards
        let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Bool.self)
        let answers = shards.map { $0.loop.submit {} }
        EventLoopFuture.andAllSucceed(answers, on: promise.futureResult.eventLoop)
            .whenComplete { _ in promise.succeed(true) }
        let timeout = promise.futureResult.eventLoop.scheduleTask(
            in: .nanoseconds(Int64(clamping: patience.wholeNanoseconds))
        ) { promise.succeed(false) }
        let isInTime = (try? await promise.futureResult.get()) ?? false
        timeout.cancel()
        return isInTime
    }

    /// Whether the broker should be sent clients: its listeners are open, its event loops answer, and what it has to keep
    /// is kept.
    package func readiness(within patience: Duration) async -> Readiness {
        var reasons: [String] = []
        if operatorState.isShuttingDown { reasons.append("the broker is shutting down") }
        if operatorState.isBeginningAnew { reasons.append("the node begins anew: the flock has gone on without it") }
        guard let serving = operatorState.serving else {
            return Readiness(reasons: reasons.isEmpty ? ["the listeners are not open yet"] : reasons)
        }
        if operatorState.isDraining { reasons.append(Readiness.draining) }
        if let report = serving.backbone.report {
            if let refusal = report.refusal { reasons.append("nothing is acknowledged: \(refusal)") }
            if operatorState.isStalled(report, at: .now) {
                reasons.append("nothing is acknowledged: the engine does not answer")
            }
        }
        if !(await respond(within: patience)) { reasons.append("an event loop does not answer") }
        return Readiness(reasons: reasons)
    }
}

/// Clients that are to go, or not to come.
extension BrokerServer {
    /// Ends the connection of a client.
    ///
    /// - Returns: whether it was connected.
    package func disconnect(_ clientIdentifier: String, _ reasonCode: ReasonCode) async throws -> Bool {
        let shards = shards
        guard !shards.isEmpty else { return false }
        let home = shards[Int(HomeShard.index(of: clientIdentifier, shardCount: UInt16(shards.count)))]
        return try await home.loop.submit { home.disconnect(clientIdentifier, reasonCode) }.get()
    }

    /// Keeps somebody out, and ends the connections that are there, with 0x98 (Administrative action): 0x8A (Banned) is
    /// for CONNACK alone (5.0 section 3.14.2.1).
    ///
    /// - Returns: how many were ended; nil when there are too many bans.
    package func ban(_ ban: BanList.Ban) async throws -> Int? {
        guard bans.add(ban) else { return nil }
        if case .clientIdentifier(let client) = ban.subject {
            return try await disconnect(client.string, .administrativeAction) ? 1 : 0
        }
        return try await inSteps { $0.disconnect(matching: ban.subject, from: $1) }
    }

    /// Ends the connections of clients who have lost what they were let in for: a line of the password file, a
    /// certificate. They are told 0x87 (Not authorized).
    ///
    /// - Returns: how many were ended.
    package func disconnectRevoked() async throws -> Int {
        try await inSteps { $0.disconnectRevoked(from: $1) }
    }

    private func inSteps(
        _ step: @escaping @Sendable (Shard, _ place: Int) -> (ended: Int, next: Int?)
    ) async throws -> Int {
        var count = 0
        for shard in shards {
            var place: Int? = 0
            while let from = place {
                let part = try await shard.loop.submit { step(shard, from) }.get()
                count += part.ended
                place = part.next
            }
        }
        return count
    }
}
