import DequeModule
import Backbone
import MQTTModel
import MQTTSession

/// What the backbone is told of sessions, so that they survive (P1). Whatever a client may rely on is said to it only
/// after the backbone has noted it.
extension BrokerCore {
    /// Has the backbone note `changes`, then answers the client; the order of several is kept.
    mutating func note(
        _ changes: [SessionChange], of session: Session, then kind: HeldAnswer.Kind, into effects: inout Effects
    ) {
        let token = makeToken()
        heldAnswers[token] = HeldAnswer(
            kind: kind, connection: session.online?.connection ?? BrokerCore.ownConnection, session: session.slot,
            generation: session.generation)
        effects.all.append(.execute(token, .store(changes)))
    }

    /// Has the backbone note `changes` on which no answer depends.
    mutating func note(_ changes: [SessionChange], into effects: inout Effects) {
        effects.all.append(.execute(makeToken(), .store(changes)))
    }

    mutating func makeToken() -> BackboneToken {
        let token = BackboneToken(rawValue: nextToken)
        nextToken += 1
        return token
    }

    /// A QoS 2 message of the log is about to be sent: after a restart it keeps its packet identifier, or the client would
    /// take it for another message. Or the client has it: after a restart only PUBREL is sent, or it would get it twice.
    mutating func noteInflight(_ identifier: PacketIdentifier, of session: Session, into effects: inout Effects) {
        session.inflight.noteRequested(identifier)
        guard let entry = session.inflight.entry(identifier) else { return }
        let client = session.clientIdentifier
        let exchange = exchange(of: entry, session)
        let topic = entry.sequence >= .firstCopy ? entry.message.map { ExactText($0.topicString) } : nil
        let change: SessionChange =
            entry.phase == .awaitingPubComp
            ? .handedOver(clientIdentifier: client, exchange)
            : .sending(clientIdentifier: client, exchange, packetIdentifier: identifier, topic: topic)
        note([change], of: session, then: .inflight(identifier), into: &effects)
    }

    /// What the backbone knows the QoS 2 exchange by. By a shared subscription, it has one of the session's claims from
    /// the first time on.
    private func exchange(of entry: InflightMessage, _ session: Session) -> SentExchange {
        guard entry.isShared, let claims = session.claims[entry.sequence] else {
            return SentExchange(sequence: entry.sequence)
        }
        let identifier = entry.packetIdentifier
        let index =
            claims.firstIndex { $0.packetIdentifier == identifier }
            ?? claims.firstIndex { $0.qos == .exactlyOnce && $0.packetIdentifier == 0 }
        guard let index else { return SentExchange(sequence: entry.sequence) }
        session.claims[entry.sequence]?[index].packetIdentifier = identifier
        return SentExchange(sequence: entry.sequence, group: claims[index].group)
    }

    /// The client is done with a message of the window.
    mutating func finished(_ entry: InflightMessage, of session: Session, into effects: inout Effects) {
        guard entry.sequence > 0 else { return }
        guard entry.phase != .awaitingPubAck else {
            return finished(
                entry.sequence, qos: .atLeastOnce, isShared: entry.isShared, of: session, into: &effects)
        }
        // Before its identifier is used again; and what is known of a shared message's exchange goes with the message.
        let exchange = exchange(of: entry, session)
        var changes = [SessionChange.finished(clientIdentifier: session.clientIdentifier, exchange)]
        if exchange.group != nil {
            let claim = takeClaim(on: entry.sequence, of: session) { $0.packetIdentifier == entry.packetIdentifier }
            if let claim { changes.append(.groupFinished(claim.group, sequence: entry.sequence)) }
            // Until it is noted the exchange is known, or the group would give the message away again.
            noteFinish(changes, into: &effects)
            return
        }
        note(changes, into: &effects)
        if !entry.isShared {
            finished(entry.sequence, qos: .exactlyOnce, isShared: false, of: session, into: &effects)
        }
    }

    /// A session has no more use for a message of the log, or for a copy of a retained one, with which no QoS 2 exchange
    /// has begun.
    mutating func finished(
        _ sequence: LogSequence, qos: QoS, isShared: Bool, of session: Session, into effects: inout Effects
    ) {
        guard sequence > 0 else { return }
        if sequence >= .firstCopy {
            copyFinished(sequence.wish, of: session, into: &effects)
        } else if isShared {
            let claim = takeClaim(on: sequence, of: session) { $0.qos == qos && $0.packetIdentifier == 0 }
            if let claim { note([.groupFinished(claim.group, sequence: sequence)], into: &effects) }
        } else {
            markCursorDirty(session)
        }
    }

    private func takeClaim(
        on sequence: LogSequence, of session: Session, where isIt: (GroupClaim) -> Bool
    ) -> GroupClaim? {
        guard let index = session.claims[sequence]?.firstIndex(where: isIt) else { return nil }
        let claim = session.claims[sequence]?.remove(at: index)
        if session.claims[sequence]?.isEmpty == true { session.claims[sequence] = nil }
        return claim
    }

    private mutating func copyFinished(_ wish: LogSequence, of session: Session, into effects: inout Effects) {
        guard let count = session.wishes[wish] else { return }
        session.wishes[wish] = count == 1 ? nil : count - 1
        if count == 1 { note([.fulfilled(clientIdentifier: session.clientIdentifier, wish: wish)], into: &effects) }
    }

    /// Cursors are told in batches: one that is behind costs a repetition of QoS 1 messages after a crash.
    mutating func markCursorDirty(_ session: Session) {
        guard !session.isCursorDirty else { return }
        session.isCursorDirty = true
        dirtyCursors.append(session.slot)
        // The log itself may rest meanwhile.
        armCursorTimer(at: stepTime)
    }

    // MARK: Answers

    mutating func answer(
        _ held: HeldAnswer, _ outcome: BackboneOutcome, at now: Instant, into effects: inout Effects
    ) {
        guard let session = sessions.session(slot: held.session, generation: held.generation) else { return }
        if case .subAck(_, let wishes) = held.kind,
            outcome != .done || session.online?.connection != held.connection
        {
            // The client was not told; it asks again.
            abandon(wishes, of: session, into: &effects)
        }
        if case .pubComp(let identifier, _) = held.kind { releaseNoted(identifier, of: session, outcome) }
        if case .connAck(_, true) = held.kind { session.isNoteUncertain = outcome != .done }
        if case .inflight(let identifier) = held.kind {
            inflightNoted(identifier, of: session, outcome, at: now, into: &effects)
            return
        }
        guard session.online?.connection == held.connection else { return }
        guard outcome == .done else {
            // The client finds out by asking again on its next connection.
            let reasonCode: ReasonCode = outcome == .full ? .quotaExceeded : .implementationSpecificError
            guard case .connAck(let connAck, _) = held.kind else {
                disconnect(session, reasonCode: reasonCode, at: now, into: &effects)
                return
            }
            effects.all.append(.send(held.connection, .connAck(ConnAck(reasonCode: reasonCode))))
            // What was refused leaves no session behind; 3.1 is not told whether there was one.
            if !connAck.isSessionPresent, session.online?.version != .v3_1 {
                setExpiryInterval(0, of: session, into: &effects)
            }
            disconnect(session, reasonCode: reasonCode, keepsWill: false, at: now, into: &effects)
            return
        }
        let connection = held.connection
        switch held.kind {
        case .connAck(let connAck, _): openGate(of: session, connAck, at: now, into: &effects)
        case .subAck(let subAck, let wishes):
            effects.all.append(.send(connection, .subAck(subAck)))
            sendRetained(wishes, to: session, at: now, into: &effects)
        case .unsubAck(let unsubAck): effects.all.append(.send(connection, .unsubAck(unsubAck)))
        case .pubComp(let identifier, let reasonCode):
            effects.all.append(.acknowledge(connection, .pubComp, identifier, reasonCode))
        case .inflight: break
        }
    }

    private mutating func inflightNoted(
        _ identifier: PacketIdentifier, of session: Session, _ outcome: BackboneOutcome, at now: Instant,
        into effects: inout Effects
    ) {
        let entry = session.inflight.noteAnswered(identifier, isNoted: outcome == .done)
        guard let online = session.online else { return }
        guard outcome == .done else {
            disconnect(session, reasonCode: .implementationSpecificError, at: now, into: &effects)
            return
        }
        guard let entry, !online.isGated else { return }
        sendInflight(entry, to: session, at: now, into: &effects)
        // It may not have been sent after all, and have left its place to another; what is sent again waits for it.
        if session.queue != nil || session.inflight.resendCount > 0 { pump(session, at: now, into: &effects) }
    }

    /// A release that may not have been noted is none: the client's next PUBREL tries again, on whatever connection.
    private func releaseNoted(
        _ identifier: PacketIdentifier, of session: Session, _ outcome: BackboneOutcome
    ) {
        if outcome == .done {
            _ = session.finishReceived(identifier)
            _ = session.notedReceived.remove(identifier)
        } else {
            _ = session.received.insert(identifier)
        }
    }

    private mutating func openGate(
        of session: Session, _ connAck: ConnAck, at now: Instant, into effects: inout Effects
    ) {
        guard let connection = session.online?.connection else { return }
        session.online?.isGated = false
        session.online?.lastReceived = now
        effects.all.append(.send(connection, .connAck(connAck)))
        sessions.updatePath(of: session)
        groupsChanged(of: session, into: &effects)
        effects.all.append(.resumeReading(connection))
        pump(session, at: now, into: &effects)
    }

    // MARK: Cursors

    /// Up to which sequence the session is done with the log. A message of a shared subscription is the group's: what is
    /// noted of its exchange lasts until that is finished, whatever the cursor.
    func cursor(of session: Session) -> LogSequence {
        var cursor = lastSequence
        for entry in session.inflight.entries where entry.sequence > 0 && !entry.isShared {
            cursor = min(cursor, entry.sequence - 1)
        }
        for exchange in session.interrupted where exchange.sequence < .firstCopy && !exchange.isShared {
            cursor = min(cursor, exchange.sequence - 1)
            break
        }
        if let first = session.queue?.firstOwnSequence, first > 0 { cursor = min(cursor, first - 1) }
        return cursor
    }

    /// Whether something in the log may still go by the options that a subscription has now, if they are changed or it
    /// ends: then the backbone keeps them for that.
    func hasMessagesToCome(_ session: Session) -> Bool { cursor(of: session) < lastSequence }

    /// While the log or a session moves, the backbone is told regularly.
    mutating func armCursorTimer(at now: Instant) {
        guard !isCursorTimerArmed else { return }
        isCursorTimerArmed = true
        arm(.cursors, at: now.advanced(by: options.cursorInterval))
    }

    /// The client has gone, and may be back on another node, which knows only what is noted.
    mutating func noteCursor(ofLeaving session: Session, into effects: inout Effects) {
        guard options.isInFlock, let change = advance(session) else { return }
        note([change], into: &effects)
    }

    /// - Returns: the change to be noted, if the session has come further.
    private func advance(_ session: Session) -> SessionChange? {
        session.isCursorDirty = false
        let cursor = cursor(of: session)
        guard session.isNoted, cursor > session.notedCursor else { return nil }
        session.notedCursor = cursor
        while let until = session.earlierSubscriptions.first, until <= cursor {
            session.earlierSubscriptions.removeFirst()
        }
        return .advanced(clientIdentifier: session.clientIdentifier, through: cursor)
    }

    /// Tells the backbone how far the sessions have come that have come further, and what of the log this shard needs no
    /// more.
    mutating func noteCursors(at now: Instant, into effects: inout Effects) {
        let through = surveyCursors(into: &effects)
        var changes: [SessionChange] = []
        for slot in dirtyCursors {
            guard let session = sessions.slots[Int(slot)], session.isCursorDirty else { continue }
            if let change = advance(session) { changes.append(change) }
        }
        dirtyCursors.removeAll(keepingCapacity: true)
        if !changes.isEmpty { note(changes, into: &effects) }
        if through > trimmedThrough {
            trimmedThrough = through
            effects.all.append(.execute(makeToken(), .trim(shard: shard, through: through)))
        }
        if survey.isUnderWay { armCursorTimer(at: now) }
    }
}
