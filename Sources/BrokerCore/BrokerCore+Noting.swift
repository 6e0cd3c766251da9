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

    mutating func makeCopySequence() -> LogSequence {
        defer { nextCopy += 1 }
        return nextCopy
    }

    /// A QoS 2 message of the log is about to be sent: after a restart it keeps its packet identifier, or the client would
    /// take it for another message. Or the client has it: after a restart only PUBREL is sent, or it would get it twice.
    mutating func noteInflight(_ identifier: PacketIdentifier, of session: Session, into effects: inout Effects) {
        session.inflight.noteRequested(identifier)
        guard let entry = session.inflight.entry(identifier) else { return }
        let client = session.clientIdentifier
        let change: SessionChange =
            entry.message == nil
            ? .handedOver(clientIdentifier: client, sequence: entry.sequence)
            : .sending(clientIdentifier: client, sequence: entry.sequence, packetIdentifier: identifier)
        note([change], of: session, then: .inflight(identifier), into: &effects)
    }

    /// The client is done with a message of the window.
    mutating func finished(_ entry: InflightMessage, of session: Session, into effects: inout Effects) {
        if entry.phase != .awaitingPubAck, entry.sequence > 0 {
            // Before its identifier is used again.
            note([.finished(clientIdentifier: session.clientIdentifier, sequence: entry.sequence)], into: &effects)
        }
        finished(entry.sequence, isShared: entry.isShared, of: session, into: &effects)
    }

    /// A session has no more use for a message of the log.
    mutating func finished(
        _ sequence: LogSequence, isShared: Bool, of session: Session, into effects: inout Effects
    ) {
        guard sequence > 0 else { return }
        if isShared {
            guard let group = session.groupsOfSequence[sequence]?.popLast() else { return }
            if session.groupsOfSequence[sequence]?.isEmpty == true { session.groupsOfSequence[sequence] = nil }
            note([.groupFinished(group, sequence: sequence)], into: &effects)
        } else {
            markCursorDirty(session)
        }
    }

    /// Cursors are told in batches: one that is behind costs a repetition of QoS 1 messages after a crash.
    private mutating func markCursorDirty(_ session: Session) {
        guard !session.isCursorDirty else { return }
        session.isCursorDirty = true
        dirtyCursors.append(session.slot)
    }

    // MARK: Answers

    mutating func answer(
        _ held: HeldAnswer, _ outcome: BackboneOutcome, at now: Instant, into effects: inout Effects
    ) {
        guard let session = sessions.session(slot: held.session, generation: held.generation) else { return }
        if case .inflight(let identifier) = held.kind {
            inflightNoted(identifier, of: session, outcome, at: now, into: &effects)
            return
        }
        guard session.online?.connection == held.connection else { return }
        guard outcome == .done else {
            // The client finds out by asking again on its next connection.
            restoreExchange(held.kind, of: session)
            let reasonCode: ReasonCode = outcome == .full ? .quotaExceeded : .implementationSpecificError
            guard case .connAck(let connAck) = held.kind else {
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
        case .connAck(let connAck): openGate(of: session, connAck, at: now, into: &effects)
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
        // It may not have been sent after all, and have left its place to another.
        if session.queue != nil { pump(session, at: now, into: &effects) }
    }

    /// A release that may not have been noted: the client's next PUBREL tries again.
    private func restoreExchange(_ kind: HeldAnswer.Kind, of session: Session) {
        guard case .pubComp(let identifier, _) = kind else { return }
        _ = session.received.insert(identifier)
        _ = session.notedReceived.insert(identifier)
    }

    private mutating func openGate(
        of session: Session, _ connAck: ConnAck, at now: Instant, into effects: inout Effects
    ) {
        guard let connection = session.online?.connection else { return }
        session.online?.isGated = false
        effects.all.append(.send(connection, .connAck(connAck)))
        sessions.updatePath(of: session)
        groupsChanged(of: session, into: &effects)
        effects.all.append(.resumeReading(connection))
        pump(session, at: now, into: &effects)
    }

    // MARK: Cursors

    /// Up to which sequence the session is done with the log. A message of a shared subscription is the group's, not the
    /// session's, until it is sent: what is noted of its exchange must last as long as that does.
    private func cursor(of session: Session) -> LogSequence {
        var cursor = lastSequence
        for entry in session.inflight.entries where entry.sequence > 0 {
            if entry.isShared, entry.phase == .awaitingPubAck { continue }
            cursor = min(cursor, entry.sequence - 1)
        }
        if let first = session.queue?.firstOwnSequence, first > 0 { cursor = min(cursor, first - 1) }
        return cursor
    }

    /// While the log moves, the backbone is told regularly.
    mutating func armCursorTimer(at now: Instant) {
        guard !isCursorTimerArmed else { return }
        isCursorTimerArmed = true
        arm(.cursors, at: now.advanced(by: options.cursorInterval))
    }

    /// Tells the backbone how far the sessions have come, and what of the log this shard needs no more.
    mutating func noteCursors(into effects: inout Effects) {
        dropGivenUp(into: &effects)
        var changes: [SessionChange] = []
        for slot in dirtyCursors {
            guard let session = sessions.slots[Int(slot)], session.isCursorDirty else { continue }
            session.isCursorDirty = false
            let cursor = cursor(of: session)
            guard session.isNoted, cursor > session.notedCursor else { continue }
            session.notedCursor = cursor
            changes.append(.advanced(clientIdentifier: session.clientIdentifier, through: cursor))
        }
        dirtyCursors.removeAll(keepingCapacity: true)
        if !changes.isEmpty { note(changes, into: &effects) }
        var through = lastSequence
        for session in sessions.slots {
            // One that will not outlive its connection any more may still need what waited for it before.
            guard let session, session.isDurable || session.queue != nil else { continue }
            through = min(through, cursor(of: session))
        }
        guard through > trimmedThrough else { return }
        trimmedThrough = through
        effects.all.append(.execute(makeToken(), .trim(shard: shard, through: through)))
    }
}
