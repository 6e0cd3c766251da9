package import MQTTModel

/// DUP stands on what is sent again and on nothing else [MQTT-3.3.1-1, MQTT-3.3.1-2, MQTT-3.3.1-3]: only on a resumed
/// session, before anything new [MQTT-4.6.0-1], and never is a message that the client has got from this session new
/// again more often than its publisher sent it.
package struct DuplicateFlagChecker: Checker {
    private struct State {
        var connection = -1
        var isResumed = false
        var hasSeenNew = false
    }
    private let hasLastingEngine: Bool
    private var states: [Int: State] = [:]

    package init(swarm: Swarm) { hasLastingEngine = swarm.hasLastingEngine }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        switch occurrence {
        case .connected(let who, let isSessionPresent):
            states[who.client] = State(connection: who.connection, isResumed: isSessionPresent)
        case .publishReceived(let who, let received):
            guard let state = states[who.client], state.connection == who.connection else { return }
            let publish = received.publish
            let name = "client \(who.client), message \(received.number.map(String.init) ?? "without number")"
            if publish.qos == .atMostOnce {
                if publish.isDuplicate { verdict.fail(.duplicateFlag, "\(name): DUP with QoS 0", at: now) }
            } else if !publish.isDuplicate {
                // One with QoS 2 may have had its place in the order, and an identifier, before it could be sent.
                if publish.qos == .exactlyOnce, hasLastingEngine { return }
                states[who.client]?.hasSeenNew = true
            } else if !state.isResumed {
                verdict.fail(.duplicateFlag, "\(name): DUP in a session that is new", at: now)
            } else if state.hasSeenNew, !hasLastingEngine {
                // After a crash, or on another node, one with QoS 2 may wait for one before it, whose note is made once
                // more, and what may have been sent with QoS 1 may come behind the first of a group's or a retained one.
                verdict.fail(.duplicateFlag, "\(name): DUP after something new on the same connection", at: now)
            }
        default: break
        }
    }
}
