import AccessControl
import Backbone
import MQTTSession
import MQTTModel

extension BrokerCore {
    /// The client sent DISCONNECT (section 3.14.4).
    mutating func disconnectReceived(
        _ disconnect: Disconnect, from session: Session, on connection: ConnectionID, at now: Instant,
        into effects: inout Effects
    ) throws(ProtocolViolation) {
        if let interval = disconnect.properties.sessionExpiryInterval {
            guard session.isDurable || interval == 0 else {
                throw .protocolError("5.0 section 3.14.2.2.2", "a session that ends with its connection is prolonged")
            }
            setExpiryInterval(min(interval, limits.maximumSessionExpiryInterval), of: session, into: &effects)
        }
        close(connection, into: &effects)
        report(
            .clientDisconnected(clientIdentifier: session.clientIdentifier, disconnect.reasonCode), into: &effects)
        // Only a normal DISCONNECT takes the will back [MQTT-3.1.2-10, MQTT-3.14.4-3].
        let keepsWill = disconnect.reasonCode != .normalDisconnection
        connectionEnded(of: session, keepsWill: keepsWill, at: now, into: &effects)
    }

    /// The session has lost its connection, which is closed and forgotten: decides about the will and about the
    /// session's own end. The will is published before the session ends, or with it, or later (5.0 section 3.1.3.2.2).
    mutating func connectionEnded(
        of session: Session, keepsWill: Bool, at now: Instant, into effects: inout Effects
    ) {
        session.online = nil
        session.authentication = nil
        setGrantEnd(.distantFuture, of: session)
        session.fetch = .none
        if options.readsLogBack { session.inflight.releaseMessages(below: .firstCopy) }
        sessions.updatePath(of: session)
        groupsChanged(of: session, into: &effects)
        if !keepsWill { session.will = nil }
        guard session.isDurable else {
            endSession(session, at: now, into: &effects)
            return
        }
        let hadWill = session.will != nil
        if let will = session.will {
            if will.delayInterval == 0 {
                publishWill(of: session, at: now, into: &effects)
            } else {
                armWill(of: session, delaySeconds: will.delayInterval, at: now)
            }
        }
        if session.isNoted, !isShuttingDown {
            noteCursor(ofLeaving: session, into: &effects)
            // One that is published now is forgotten with that, not before.
            let willDelay = hadWill ? session.will?.delayInterval ?? 0 : nil
            noteEnd(
                of: session.clientIdentifier,
                .disconnected(
                    clientIdentifier: session.clientIdentifier, expiryInterval: session.expiryInterval,
                    willDelay: willDelay), into: &effects)
        }
        guard session.expiryInterval != .max else { return }
        session.expiresAt = now.advanced(seconds: session.expiryInterval)
        armExpiry(of: session)
    }

    /// Sets how long the session outlives its connection. Whether it does at all decides which of its topics need the log.
    mutating func setExpiryInterval(_ interval: UInt32, of session: Session, into effects: inout Effects) {
        let wasDurable = session.isDurable
        session.expiryInterval = interval
        guard session.isDurable != wasDurable else { return }
        for filter in session.filters.all {
            lastingSubscriptionChanged(filter, isAdded: session.isDurable, into: &effects)
        }
    }

    /// The session is over: its will is due if it still stands [MQTT-3.1.2-8], its subscriptions and messages go.
    mutating func endSession(_ session: Session, at now: Instant, into effects: inout Effects) {
        precondition(session.online == nil, "a session ends after its connection")
        if session.willDueAt != nil { abandonDeadline() }
        if session.expiryArmedAt != nil { abandonDeadline() }
        publishWill(of: session, at: now, into: &effects)
        let finishing = takeSharedFinished(of: session)
        let end = endToNote(of: session)
        for filter in session.filters.all { removeSubscription(filter, of: session, into: &effects) }
        if let end {
            noteEnd(of: session.clientIdentifier, end, finishing: finishing, into: &effects)
        } else if !finishing.isEmpty {
            noteFinish(finishing, into: &effects)
        }
        sessions.remove(session)
    }

    /// Messages that groups chose this session for end with it: another member does not get them [MQTT-4.8.2-5]. In a
    /// flock the backbone gives another what this one has not begun with.
    private func takeSharedFinished(of session: Session) -> [SessionChange] {
        guard !options.isInFlock else {
            session.claims = [:]
            return []
        }
        var changes: [SessionChange] = []
        for sequence in session.claims.keys.sorted() {
            for claim in session.claims[sequence] ?? [] {
                changes.append(.groupFinished(claim.group, sequence: sequence))
            }
        }
        session.claims = [:]
        return changes
    }

    /// What the backbone is to be told of the session's end; nil: nothing.
    private func endToNote(of session: Session) -> SessionChange? {
        guard !isShuttingDown, !session.isLost else { return nil }
        if options.isInFlock, admittedClient != session.clientIdentifier {
            return .departed(clientIdentifier: session.clientIdentifier)
        }
        let isMember = options.isInFlock && !session.groups.isEmpty
        let isKnown = session.isNoted || session.isNoteUncertain || isMember
        return isKnown ? .ended(clientIdentifier: session.clientIdentifier) : nil
    }

    mutating func armWill(of session: Session, delaySeconds: UInt32, at now: Instant) {
        // A little late, never early as the client's clock sees it.
        let dueAt = now.advanced(seconds: delaySeconds).advanced(by: .milliseconds(20))
        session.willDueAt = dueAt
        arm(.will(slot: session.slot, generation: session.generation, dueAt: dueAt), at: dueAt)
    }

    /// Makes sure that an entry falls due no later than the session ends. One that is earlier is left: it looks again.
    func isExpiryArmed(for session: Session) -> Bool {
        session.expiryArmedAt.map { $0 <= session.expiresAt } ?? false
    }

    mutating func armExpiry(of session: Session) {
        guard !isExpiryArmed(for: session) else { return }
        if session.expiryArmedAt != nil { abandonDeadline() }
        session.expiryArmedAt = session.expiresAt
        let key = TimerKey.sessionExpiry(
            slot: session.slot, generation: session.generation, armedAt: session.expiresAt)
        arm(key, at: session.expiresAt)
    }

    /// Publishes the will, if there is one; it is published once [MQTT-3.1.2-10].
    mutating func publishWill(of session: Session, at now: Instant, into effects: inout Effects) {
        guard let will = session.will else { return }
        session.will = nil
        session.willDueAt = nil
        let message = will.message
        guard !isReserved(message.topic) else { return }
        if let access = session.access, !access.permitWriting(message.topic) {
            // It was allowed when the client connected.
            counters.publishesDenied += 1
            return
        }
        if message.expiryInterval != nil { message.receivedAt = now }
        // Nobody is left to be told: it is published all the same, and not kept.
        if message.isRetained, reasonToRefuseRetained(message, of: session) != nil { message.isRetained = false }
        counters.willsPublished += 1
        report(.willPublished(clientIdentifier: session.clientIdentifier), into: &effects)
        accept(
            message, qos: message.qos, publisher: reference(to: session), acknowledgement: .none,
            willOf: session.isNoted ? session.clientIdentifier : nil, on: BrokerCore.ownConnection, at: now,
            into: &effects)
    }

    /// Says goodbye to everybody. Wills are kept back (5.0 section 3.1.2.5) and nothing is noted: to a backbone that lasts,
    /// the clients were connected when the broker stopped, and their wills are due after the restart.
    mutating func shutDown(at now: Instant, into effects: inout Effects) {
        isShuttingDown = true
        for slot in connections.slots {
            guard let connection = connections.openConnection(inSlot: slot) else { continue }
            if let index = connections.session(of: connection), let session = sessions.slots[index] {
                disconnect(
                    session, reasonCode: .serverShuttingDown, keepsWill: false, at: now, into: &effects)
            } else {
                close(connection, into: &effects)
            }
        }
        // What clients have acknowledged is not sent again after a restart that was asked for.
        noteCursors(at: now, into: &effects)
    }
}
