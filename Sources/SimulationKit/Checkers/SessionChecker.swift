package import MQTTModel

/// One live connection for a client identifier, and Session Present that tells the truth (P2, [MQTT-3.1.2-4] to
/// [MQTT-3.1.2-6], [MQTT-3.1.4-3], [MQTT-3.2.2-2], [MQTT-3.2.2-3]).
package struct SessionChecker: Checker {
    /// The broker's own clock decides; what comes within this of the end of a session may go either way.
    private static let slack: Duration = .milliseconds(100)

    private struct State {
        var expiryInterval: UInt32
        /// The live connection; nil since `endedAt`.
        var connection: Int?
        var endedAt: Instant?
        /// The connection that it was accepted for; CONNACK tells that the engine knows it.
        let origin: Int
        var isConfirmed = false
        /// A crash came before the engine knew it for certain: it may be there, or what was before it.
        var isUncertain = false
        /// When the broker started after the crash that ended the connection, or may not have known that it had ended.
        var restartedAt: Instant?
    }
    private var states: [String: State] = [:]
    private var identifiers: [Int: String] = [:]
    /// Session Present as the broker decided it, by connection.
    private var decided: [Int: Bool] = [:]
    /// By connection: what the client was told.
    private var told: [Int: Bool] = [:]

    /// A session that the engine could not note is refused, which leaves none, or the one that was there.
    private let hasFailingEngine: Bool
    private let isFlock: Bool
    /// How far the clocks of two nodes may be apart.
    private let skew: Duration
    /// Connections of nodes that have not heard yet that another node has the client.
    private var superseded: Set<Int> = []

    package init(swarm: Swarm) {
        hasFailingEngine = swarm.hasFailingEngine
        isFlock = swarm.nodeCount > 1
        skew = .milliseconds(2 * swarm.flockFaults.maximumSkewMilliseconds)
    }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        switch occurrence {
        case .crashed:
            // Order-free: each is looked at for itself.
            for (identifier, state) in states where !state.isConfirmed { states[identifier]?.isUncertain = true }
        case .restarted:
            // Order-free: likewise.
            for (identifier, state) in states where state.restartedAt == nil { states[identifier]?.restartedAt = now }
        case .connAckSent(let connection, let isSessionPresent):
            if let identifier = identifiers[connection], states[identifier]?.origin == connection {
                states[identifier]?.isConfirmed = true
            }
            if decided[connection] ?? (isFlock ? isSessionPresent : !isSessionPresent) != isSessionPresent {
                verdict.fail(
                    .sessionPresent, "CONNACK on \(connection) says \(isSessionPresent) against the session", at: now)
            }
        case .accepted(let connection, let connect, let isSessionPresent, _):
            decided[connection] = isSessionPresent
            check(connect, isSessionPresent, on: connection, at: now, history, &verdict)
            identifiers[connection] = connect.clientIdentifier
            told[connection] = isSessionPresent
            states[connect.clientIdentifier] = State(
                expiryInterval: SessionChecker.expiryInterval(of: connect), connection: connection, origin: connection)
        case .connected(let who, let isSessionPresent)
        where told[who.connection] ?? (isFlock ? isSessionPresent : !isSessionPresent) != isSessionPresent:
            verdict.fail(.sessionPresent, "client \(who.client) was told otherwise than the broker meant", at: now)
        case .disconnectArrived(let connection, let disconnect):
            guard let identifier = identifiers[connection], states[identifier]?.connection == connection,
                let interval = disconnect.properties.sessionExpiryInterval
            else { return }
            states[identifier]?.expiryInterval = interval
        case .ended(let connection):
            superseded.remove(connection)
            guard let identifier = identifiers[connection], states[identifier]?.connection == connection else { return }
            if hasFailingEngine, states[identifier]?.isConfirmed == false { states[identifier]?.isUncertain = true }
            states[identifier]?.connection = nil
            states[identifier]?.endedAt = now
        default: break
        }
    }

    private mutating func check(
        _ connect: Connect, _ isSessionPresent: Bool, on connection: Int, at now: Instant, _ history: History,
        _ verdict: inout Verdict
    ) {
        let identifier = connect.clientIdentifier
        let state = states[identifier]
        let node = Simulation.node(ofConnection: connection)
        if let older = state?.connection, Simulation.node(ofConnection: older) != node {
            superseded.insert(older)
        } else if state?.connection != nil {
            verdict.fail(.oneConnection, "\(identifier) is connected while an older connection lives", at: now)
        }
        let alive = isFlock ? isAlive(state, on: node, at: now, history) : isAlive(state, at: now)
        let expected: Bool? = connect.cleanStart ? false : alive
        if let expected, expected != isSessionPresent {
            verdict.fail(
                .sessionPresent, "\(identifier) was told \(isSessionPresent ? 1 : 0), the truth is \(expected ? 1 : 0)",
                at: now)
        }
    }

    /// Whether there is a session; nil when it may be either.
    private func isAlive(_ state: State?, at now: Instant) -> Bool? {
        guard let state else { return false }
        if state.isUncertain { return nil }
        if state.expiryInterval == .max { return true }
        guard let endedAt = state.endedAt else { return nil }
        // A takeover ends the old connection at this very instant: whether a session without expiry is resumed then is
        // the broker's choice.
        if state.expiryInterval == 0 { return endedAt == now ? nil : false }
        let end = endedAt.advanced(seconds: state.expiryInterval)
        if now.advanced(by: SessionChecker.slack) < end { return true }
        var latest = end
        if let restartedAt = state.restartedAt {
            // The engine counts whole seconds.
            latest = max(end, restartedAt.advanced(seconds: state.expiryInterval)).advanced(by: .seconds(1))
        }
        return now > latest.advanced(by: SessionChecker.slack) ? false : nil
    }

    /// Time in which what a node has noted of the end of a connection may not be in the log, because the servers were
    /// not there, the node was cut off, or it died and was missed.
    private static let grace: Duration = .seconds(40)

    /// The same in a flock, as the node has to see it that accepts the client now.
    private func isAlive(_ state: State?, on node: Int, at now: Instant, _ history: History) -> Bool? {
        guard let state else { return false }
        if state.isUncertain || !state.isConfirmed { return nil }
        if state.expiryInterval == .max { return true }
        guard let endedAt = state.endedAt else { return nil }
        let end = endedAt.advanced(seconds: state.expiryInterval)
        if state.expiryInterval > 0, now.advanced(by: SessionChecker.slack + skew) < end { return true }
        // Each node that has it counts from when it got it, if it does not know better.
        let lives = 1 + history.crashCount(since: endedAt)
        let latest = end.advanced(by: (SessionChecker.grace + .seconds(Int64(state.expiryInterval))) * lives)
        return now > latest.advanced(by: skew) ? false : nil
    }

    package mutating func finish(at now: Instant, history: History, verdict: inout Verdict) {
        for connection in superseded.sorted() {
            verdict.fail(.oneConnection, "connection \(connection) lives though another node has its client", at: now)
        }
    }

    /// Seconds that the session outlives its connection.
    package static func expiryInterval(of connect: Connect) -> UInt32 {
        if connect.version.hasProperties { return connect.properties.sessionExpiryInterval ?? 0 }
        return connect.cleanStart ? 0 : .max
    }
}
