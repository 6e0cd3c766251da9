package import MQTTModel

/// A client that keeps to the standard is not closed, but for a takeover of its identifier.
package struct ClosureChecker: Checker {
    private var latest: [String: Int] = [:]
    private var takenOver: Set<Int> = []

    package init() {}

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        switch occurrence {
        case .accepted(let connection, let connect, _, _):
            if let older = latest.updateValue(connection, forKey: connect.clientIdentifier) { takenOver.insert(older) }
        case .disconnected(let who, .closedByBroker(let reason)) where !takenOver.contains(who.connection):
            let words = reason.map { "\($0)" } ?? "no reason"
            verdict.fail(.honestClientClosed, "client \(who.client) was closed by the broker: \(words)", at: now)
        case .disconnected(let who, .closedByBroker(let reason?)) where reason != .sessionTakenOver:
            verdict.fail(.honestClientClosed, "client \(who.client) was taken over and told \(reason)", at: now)
        default: break
        }
    }
}
