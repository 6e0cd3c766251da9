package import MQTTModel

/// A client that keeps to the standard is not closed, but for a takeover of its identifier.
package struct ClosureChecker: Checker {
    private var latest: [String: Int] = [:]
    private var takenOver: Set<Int> = []

    /// A client that cannot be answered for the engine's sake is sent away.
    private let hasFailingEngine: Bool

    /// An attempt that its client has given up may take over from a later one that another node was quicker to accept.
    private let isFlock: Bool
    private let mayStandStill: Bool

    package init(swarm: Swarm) {
        hasFailingEngine = swarm.hasFailingEngine
        isFlock = swarm.nodeCount > 1
        mayStandStill = swarm.nodePauses > 0
    }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        switch occurrence {
        case .accepted(let connection, let connect, _, _):
            if let older = latest.updateValue(connection, forKey: connect.clientIdentifier) { takenOver.insert(older) }
        case .disconnected(_, .closedByBroker(let reason)) where hasFailingEngine && ClosureChecker.isForEngine(reason):
            break
        case .disconnected(_, .closedByBroker(.sessionTakenOver)) where isFlock: break
        // The node stood still: what the client sent was not read in time.
        case .disconnected(_, .closedByBroker(.keepAliveTimeout)) where mayStandStill: break
        case .disconnected(let who, .closedByBroker(let reason)) where !takenOver.contains(who.connection):
            let words = reason.map { "\($0)" } ?? "no reason"
            verdict.fail(.honestClientClosed, "client \(who.client) was closed by the broker: \(words)", at: now)
        case .disconnected(let who, .closedByBroker(let reason?)) where reason != .sessionTakenOver:
            verdict.fail(.honestClientClosed, "client \(who.client) was taken over and told \(reason)", at: now)
        default: break
        }
    }

    private static func isForEngine(_ reason: ReasonCode?) -> Bool {
        guard let reason else { return true }
        return [.quotaExceeded, .implementationSpecificError, .serverUnavailable].contains(reason)
    }
}
