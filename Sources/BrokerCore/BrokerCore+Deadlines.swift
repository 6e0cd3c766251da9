import MQTTSession
import TopicIndex
import MQTTModel

extension BrokerCore {
    /// Retained messages that one tick of `$SYS` looks at for expiry.
    static let retainedSweepCount = 10_000

    mutating func start(at now: Instant) {
        startedAt = now
        guard options.statusInterval > .zero else { return }
        publishStatus(at: now)
        arm(.status, at: now.advanced(by: options.statusInterval))
    }

    /// Everything that is due. What is set meanwhile waits for the next step, even if it is due at once.
    mutating func deadlineReached(at now: Instant, into effects: inout Effects) {
        // The driver's timer has fired: whatever is earliest afterwards has to be announced again.
        announcedDeadline = .distantFuture
        var due: [TimerKey] = []
        while let key = deadlines.popDue(at: now) { due.append(key) }
        earliestDeadline = deadlines.earliest ?? .distantFuture
        for key in due { fire(key, at: now, into: &effects) }
    }

    private mutating func fire(_ key: TimerKey, at now: Instant, into effects: inout Effects) {
        switch key {
        case .connectTimeout(let connection):
            guard connections.phase(of: connection) == .awaitingConnect else { return }
            counters.connectTimeouts += 1
            close(connection, into: &effects)
        case .authenticationTimeout(let connection):
            authenticationTimedOut(connection, at: now, into: &effects)
        case .contest(let connection): contestDelayOver(connection, at: now, into: &effects)
        case .grantExpiry(let slot, let generation, let endsAt):
            guard let session = sessions.session(slot: slot, generation: generation), session.grantEndsAt == endsAt
            else { return }
            disconnect(session, reasonCode: .maximumConnectTime, at: now, into: &effects)
        case .keepAlive(let connection):
            checkKeepAlive(of: connection, at: now, into: &effects)
        case .sessionExpiry(let slot, let generation, let armedAt):
            checkExpiry(slot: slot, generation: generation, armedAt: armedAt, at: now, into: &effects)
        case .will(let slot, let generation, let dueAt):
            guard let session = sessions.session(slot: slot, generation: generation), session.willDueAt == dueAt
            else { return }
            publishWill(of: session, at: now, into: &effects)
        case .pump(let slot, let generation):
            guard let session = sessions.session(slot: slot, generation: generation) else { return }
            pump(session, at: now, into: &effects)
        case .fetchRetry(let slot, let generation):
            guard let session = sessions.session(slot: slot, generation: generation), session.fetch == .failed
            else { return }
            session.fetch = .none
            pump(session, at: now, into: &effects)
        case .noteAgain: noteAgain(at: now, into: &effects)
        case .fetchTurns: serveWaiting(at: now, into: &effects)
        case .cursors:
            isCursorTimerArmed = false
            noteCursors(at: now, into: &effects)
        case .status:
            _ = retained.removeExpired(at: now, visiting: BrokerCore.retainedSweepCount)
            updateStatus(at: now, into: &effects)
            arm(.status, at: now.advanced(by: options.statusInterval))
        }
    }

    /// Nothing came for one and a half times the keep alive: as if the network had failed [MQTT-3.1.2-22].
    private mutating func checkKeepAlive(of connection: ConnectionID, at now: Instant, into effects: inout Effects) {
        guard let slot = connections.session(of: connection), let session = sessions.slots[slot],
            let online = session.online, let timeout = online.keepAliveTimeout
        else { return }
        // The broker itself reads nothing for now: the client cannot be heard.
        guard !online.isReadingPaused, !online.isGated else {
            session.online?.lastReceived = now
            arm(.keepAlive(connection), at: now.advanced(by: timeout))
            return
        }
        let dueAt = online.lastReceived.advanced(by: timeout)
        guard dueAt <= now else {
            arm(.keepAlive(connection), at: dueAt)
            return
        }
        counters.keepAliveTimeouts += 1
        disconnect(session, reasonCode: .keepAliveTimeout, at: now, into: &effects)
    }

    private mutating func checkExpiry(
        slot: UInt32, generation: UInt32, armedAt: Instant, at now: Instant, into effects: inout Effects
    ) {
        guard let session = sessions.session(slot: slot, generation: generation), session.expiryArmedAt == armedAt
        else { return }
        session.expiryArmedAt = nil
        guard session.online == nil, session.expiresAt != .distantFuture else { return }
        guard session.expiresAt <= now else {
            armExpiry(of: session)
            return
        }
        counters.sessionsExpired += 1
        report(.sessionExpired(clientIdentifier: session.clientIdentifier), into: &effects)
        endSession(session, at: now, into: &effects)
    }

    /// Sets a deadline.
    mutating func arm(_ key: TimerKey, at deadline: Instant) {
        deadlines.set(key, at: deadline)
        earliestDeadline = min(earliestDeadline, deadline)
    }

    /// Tells the driver the earliest deadline; when it is another than the last one it was told.
    mutating func announceDeadline(into effects: inout Effects) {
        announcedDeadline = earliestDeadline
        effects.all.append(.setDeadline(earliestDeadline))
    }

    /// An entry in the queue has lost its owner.
    mutating func abandonDeadline() {
        let connections = connections
        let sessions = sessions
        let delayedConnects = delayedConnects
        deadlines.abandon { key in
            switch key {
            case .connectTimeout(let connection): connections.phase(of: connection) == .awaitingConnect
            case .authenticationTimeout(let connection): connections.phase(of: connection) == .admitting
            case .contest(let connection): delayedConnects[connection] != nil
            case .keepAlive(let connection): connections.phase(of: connection) == .online
            case .grantExpiry(let slot, let generation, let endsAt):
                sessions.session(slot: slot, generation: generation)?.grantEndsAt == endsAt
            case .sessionExpiry(let slot, let generation, let armedAt):
                sessions.session(slot: slot, generation: generation)?.expiryArmedAt == armedAt
            case .will(let slot, let generation, let dueAt):
                sessions.session(slot: slot, generation: generation)?.willDueAt == dueAt
            case .pump(let slot, let generation): sessions.session(slot: slot, generation: generation) != nil
            case .fetchRetry(let slot, let generation):
                sessions.session(slot: slot, generation: generation)?.fetch == .failed
            case .status, .cursors, .fetchTurns, .noteAgain: true
            }
        }
    }
}
