package import MQTTModel

/// A will is published once, when it is due: never early, not after a normal DISCONNECT, not when the client came back
/// to its session in time (P5, [MQTT-3.1.2-8] to [MQTT-3.1.2-10], [MQTT-3.1.3-9]). Witness is the monitor.
package struct WillChecker: Checker {
    /// The longest time from the instant a will is due to its arrival at the monitor, and the time around a due instant
    /// in which a reconnect may or may not come in time.
    private static let slack: Duration = .seconds(2)

    private struct State {
        let identifier: String
        let number: Int
        let delay: UInt32
        var expiryInterval: UInt32
        /// When it has to be published; nil while the connection lives.
        var due: Instant?
        /// After a crash it may be due later: the engine may not have known that its connection had ended.
        var latest: Instant?
        /// CONNACK was sent: the engine knows the will.
        var isConfirmed = false
        var cancelledAt: Instant?
        var isCancelled: Bool { cancelledAt != nil }
        /// Whether it may be published or not: a reconnect came just when it was due.
        var isUncertain = false
        /// The log said so: another node has its client, or its node is dead.
        var isTaken = false
    }
    private let profiles: [ClientProfile]
    /// By connection.
    private var wills: [Int: State] = [:]
    private var arrivals: [Int: [Instant]] = [:]

    /// With an engine that takes its time the monitor may lag behind.
    private let hasLastingEngine: Bool
    /// A CONNECT that it could not note is refused, with its will.
    private let hasFailingEngine: Bool
    private let isFlock: Bool
    /// How far the clocks of two nodes may be apart.
    private let skew: Duration
    /// In a flock: time in which what a node has noted may not be in the log.
    private static let grace: Duration = .seconds(40)

    package init(swarm: Swarm, profiles: [ClientProfile]) {
        self.profiles = profiles
        hasLastingEngine = swarm.hasLastingEngine
        hasFailingEngine = swarm.hasFailingEngine
        isFlock = swarm.nodeCount > 1
        skew = .milliseconds(2 * swarm.flockFaults.maximumSkewMilliseconds)
    }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        switch occurrence {
        case .accepted(let connection, let connect, let isSessionPresent, let willNumber):
            if isFlock { taken(connect.clientIdentifier, by: connection, at: now) }
            resolve(connect.clientIdentifier, isSessionPresent: isSessionPresent, at: now)
            if let willNumber, let will = connect.will {
                wills[connection] = State(
                    identifier: connect.clientIdentifier, number: willNumber, delay: will.delayInterval,
                    expiryInterval: SessionChecker.expiryInterval(of: connect))
            }
        case .connAckSent(let connection, _): wills[connection]?.isConfirmed = true
        case .declaredDead(let node): declaredDead(node, at: now)
        case .crashed: crashed(at: now)
        case .restarted: restarted(at: now, crashedAt: history.crashes.last?.at ?? now)
        case .disconnectArrived(let connection, let disconnect):
            if wills[connection]?.isTaken == true { return }
            if let interval = disconnect.properties.sessionExpiryInterval {
                wills[connection]?.expiryInterval = interval
            }
            if disconnect.reasonCode == .normalDisconnection { wills[connection]?.cancelledAt = now }
        case .ended(let connection):
            guard let will = wills[connection], will.due == nil else { return }
            if hasFailingEngine, !will.isConfirmed { wills[connection]?.isUncertain = true }
            wills[connection]?.due = now.advanced(seconds: min(will.delay, will.expiryInterval))
        case .delivered(let who, let received) where profiles[who.client].isMonitor:
            guard let number = received.number, history.messages[number].isWill, !received.publish.isRetained else {
                return
            }
            // Sent again on another connection it is the same delivery with QoS 1.
            if received.publish.qos == .atLeastOnce, received.publish.isDuplicate, arrivals[number] != nil { return }
            arrivals[number, default: []].append(now)
        default: break
        }
    }

    /// The client is back: a will that is not due yet is cancelled if the session goes on, and published if it ended.
    private mutating func resolve(_ identifier: String, isSessionPresent: Bool, at now: Instant) {
        // Order-free: each will is looked at for itself.
        for (connection, will) in wills where will.identifier == identifier && !will.isCancelled {
            guard let due = will.due else { continue }
            // After a crash it may be due yet.
            if let latest = will.latest, due <= now, latest.advanced(by: .seconds(1)) > now {
                wills[connection]?.isUncertain = true
            }
            guard due > now else { continue }
            if isSessionPresent {
                wills[connection]?.cancelledAt = now
                if due <= now.advanced(by: .milliseconds(100)) { wills[connection]?.isUncertain = true }
            } else {
                wills[connection]?.due = now
            }
        }
    }

    /// Another node has got the client, whose connection on its earlier node ends by that.
    private mutating func taken(_ identifier: String, by connection: Int, at now: Instant) {
        let node = Simulation.node(ofConnection: connection)
        // Order-free: each will is looked at for itself.
        for (older, will) in wills where will.identifier == identifier {
            let isElsewhere = Simulation.node(ofConnection: older) != node
            if isElsewhere { take(will, of: older, at: now) }
            // With a delay the node that gets the session may count it from there.
            if let due = will.due, due <= now, due.advanced(by: WillChecker.grace) > now, will.delay > 0 {
                wills[older]?.isUncertain = true
            }
        }
    }

    private mutating func declaredDead(_ node: Int, at now: Instant) {
        // Order-free: each will is looked at for itself.
        for (connection, will) in wills where Simulation.node(ofConnection: connection) == node {
            take(will, of: connection, at: now)
        }
    }

    /// What its node has noted of it by now may not count.
    private mutating func take(_ will: State, of connection: Int, at now: Instant) {
        if !will.isConfirmed { wills[connection]?.isUncertain = true }
        if let cancelledAt = will.cancelledAt, cancelledAt.advanced(by: WillChecker.grace) > now {
            wills[connection]?.isUncertain = true
        }
        guard will.due == nil, !will.isCancelled else { return }
        wills[connection]?.isTaken = true
        wills[connection]?.due = now.advanced(seconds: min(will.delay, will.expiryInterval))
    }

    /// What the engine may not have known yet may go either way.
    private mutating func crashed(at now: Instant) {
        // Order-free: each will is looked at for itself.
        for (connection, will) in wills {
            let recently = isFlock ? WillChecker.grace : .seconds(1)
            let isCancelledJustNow = will.cancelledAt.map { $0.advanced(by: recently) > now } ?? false
            let isNew = !will.isConfirmed && will.due == nil
            if isCancelledJustNow || isNew { wills[connection]?.isUncertain = true }
        }
    }

    /// A will that was not published for certain before the crash is due when its delay has passed from here, at the
    /// latest: the engine may not have known that the connection had ended. It knows from then on.
    private mutating func restarted(at now: Instant, crashedAt: Instant) {
        // Order-free: each will is looked at for itself.
        for (connection, will) in wills where !will.isCancelled && will.latest == nil {
            guard let due = will.due, due.advanced(by: WillChecker.slack) > crashedAt else { continue }
            wills[connection]?.latest = now.advanced(seconds: min(will.delay, will.expiryInterval))
        }
    }

    package mutating func finish(at now: Instant, history: History, verdict: inout Verdict) {
        guard let monitor = profiles.first(where: \.isMonitor), let session = history.currentSession(of: monitor.index),
            session.ordinal == 1, session.endedAt == nil, !session.hasOverflowed,
            // A connection ends without a packet: nothing makes its shard learn of the monitor's subscription first.
            let watchesSince = session.subscriptions.first?.grantedAt
        else { return }
        for connection in wills.keys.sorted() {
            guard let will = wills[connection], !will.isUncertain,
                will.due ?? .distantFuture > watchesSince.advanced(by: WillChecker.slack)
            else {
                continue
            }
            check(will, arrivals[will.number] ?? [], at: now, history, &verdict)
        }
    }

    private func check(
        _ will: State, _ times: [Instant], at now: Instant, _ history: History, _ verdict: inout Verdict
    ) {
        let name = "will \(will.number) of \(will.identifier)"
        if will.isCancelled || will.due == nil || will.due ?? .zero > now {
            if !times.isEmpty { verdict.fail(.will, "\(name) was published and should not", at: now) }
            return
        }
        guard let due = will.due else { return }
        let latest = max(due, will.latest ?? due).advanced(by: WillChecker.slack)
        let monitor = profiles.first(where: \.isMonitor)?.index ?? 0
        let mayRepeat = will.latest != nil || history.lapseCount(of: monitor, since: due) > 0
        let isRepeatable = history.messages[will.number].qos == .atLeastOnce && mayRepeat
        if times.count > 1, !isRepeatable { verdict.fail(.will, "\(name) was published \(times.count) times", at: now) }
        if let first = times.first {
            if first.advanced(by: skew) < due {
                verdict.fail(.will, "\(name) came \(first) before it was due, \(due)", at: now)
            }
            if first > latest, !hasLastingEngine {
                verdict.fail(.will, "\(name) came at \(first), due \(due)", at: now)
            }
        } else if history.messages[will.number].qos != .atMostOnce, history.messages[will.number].expiryInterval == nil,
            latest < now
        {
            verdict.fail(.will, "\(name) was never published, due \(due)", at: now)
        }
    }
}
