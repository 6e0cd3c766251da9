package import Backbone
package import MQTTModel
import MQTTSession
import TopicIndex

/// Taking up what survived a restart. The driver calls these before the first step: every session of the shard, every
/// retained message, then every entry of the log in order, and in the end `restoreFinished`; then it runs the effects.
extension BrokerCore {
    package mutating func restore(_ restored: RestoredSession, at now: Instant, into effects: inout Effects) {
        let session = sessions.insert(clientIdentifier: restored.clientIdentifier)
        restoring.slots.append(session.slot)
        session.isNoted = true
        session.will = restored.will
        session.notedCursor = restored.cursor
        session.sentThrough = restored.sentThrough
        setExpiryInterval(restored.expiryInterval, of: session, into: &effects)
        for identifier in restored.received {
            _ = session.received.insert(identifier)
            _ = session.notedReceived.insert(identifier)
        }
        for sent in BrokerCore.withoutStale(restored.sent) {
            let sequence = sent.exchange.sequence
            if sequence >= .firstCopy {
                session.nextWish = max(session.nextWish, sequence.wishIndex + 1)
                restoring.copies[RestoredCopies(slot: session.slot, wish: sequence.wish), default: []].append(sent)
            } else {
                session.restoredSent[sent.exchange] = sent
                restoring.interrupted[sequence, default: []].append((session.slot, sent.exchange))
            }
        }
        restoring.add(restored.subscriptions, of: session)
        for wish in restored.wishes where session.isDurable {
            session.nextWish = max(session.nextWish, wish.wish.number.wishIndex + 1)
            restoring.events.append(.init(place: wish.since, slot: session.slot, kind: .wishes(wish)))
            restoring.hasWishes = true
        }
        if let expiresIn = restored.expiresIn { session.expiresAt = now.advanced(seconds: expiresIn) }
        if session.will != nil {
            // Its connection ended with the broker, or its delay was running already.
            let dueIn = restored.willDueIn ?? restored.will?.delayInterval ?? 0
            restoring.wills.append((session.slot, session.isDurable ? dueIn : 0))
        }
        sessions.updatePath(of: session)
    }

    /// When a note was lost, an exchange whose identifier was used again looks unfinished.
    private static func withoutStale(_ sent: [RestoredSession.Sent]) -> [RestoredSession.Sent] {
        var last: [PacketIdentifier: Int] = [:]
        for (index, one) in sent.enumerated() where one.phase != .finished { last[one.packetIdentifier] = index }
        return sent.enumerated().map { index, one in
            if one.phase == .finished || last[one.packetIdentifier] == index { return one }
            return RestoredSession.Sent(
                one.exchange, packetIdentifier: one.packetIdentifier, phase: .finished, topic: one.topic)
        }
    }

    package mutating func restore(retained message: ApplicationMessage, position: RetainedPosition) {
        keepRetained(message)
        if restoring.hasWishes { restoring.retainedPositions[ExactText(message.topicString)] = position }
    }

    /// An entry of the log: into the queue of every session that wants it and has not had it. A subscription wants what
    /// was appended after it was made, so subscriptions are taken up as the log passes them.
    /// - Returns: those of `groups` that have no member on this shard.
    package mutating func restore(
        _ entry: LogEntry, groups: [SharedGroup], at now: Instant, into effects: inout Effects
    ) -> [SharedGroup] {
        runEvents(before: entry.sequence, at: now, into: &effects)
        lastSequence = max(lastSequence, entry.sequence)
        let matches = index.match(entry.message.topic)
        for match in matches.subscribers {
            guard let session = sessions.slots[Int(match.subscriber)], entry.sequence > session.notedCursor else {
                continue
            }
            let isOwn =
                match.distinguishesPublisher
                && entry.message.publisherHash == StableHash.hash(session.clientIdentifier)
            if isOwn, match.excludesPublisher { continue }
            let first = Int(match.firstIdentifier)
            let count = Int(isOwn ? match.identifierCountForPublisher : match.identifierCount)
            let qos = min(isOwn ? match.maximumQoSForPublisher : match.maximumQoS, entry.message.qos)
            let keepsRetained = isOwn ? match.retainAsPublishedForPublisher : match.retainAsPublished
            restore(
                entry, to: session, qos: qos, isRetained: entry.message.isRetained && keepsRetained,
                subscriptionIdentifiers: Array(matches.identifiers[first..<(first + count)]), group: nil,
                into: &effects)
        }
        let unclaimed = groups.filter { !restore(entry, to: $0, into: &effects) }
        restoreChosen(entry, into: &effects)
        restoreLeftOver(entry, into: &effects)
        return unclaimed
    }

    /// Exchanges that no subscription accounts for: they go on to their end [MQTT-3.10.4-3]. The client holds the packet
    /// identifier until it is released and would take another message under it for a repeat.
    private mutating func restoreLeftOver(_ entry: LogEntry, into effects: inout Effects) {
        if restoring.interrupted.isEmpty { return }
        for (slot, exchange) in restoring.interrupted.removeValue(forKey: entry.sequence) ?? [] {
            guard let session = sessions.slots[Int(slot)], session.isDurable,
                let sent = session.restoredSent.removeValue(forKey: exchange)
            else { continue }
            session.claim(sent)
            resume(sent, entry.message, isRetained: false, [], of: session)
        }
    }

    /// Goes on with an exchange where it was.
    private func resume(
        _ sent: RestoredSession.Sent, _ message: ApplicationMessage, isRetained: Bool,
        _ subscriptionIdentifiers: [UInt32], of session: Session
    ) {
        guard resume(sent, of: session) else { return }
        let entry = QueuedEntry(
            sequence: sent.exchange.sequence, byteCount: message.byteCount, qos: .exactlyOnce, isRetained: isRetained,
            isShared: sent.exchange.group != nil, holdsMessage: !options.readsLogBack)
        session.append(entry, message, identifiers: subscriptionIdentifiers, queueTotal)
    }

    /// - Returns: whether its message has to be sent again: in its turn, for what is before it in the log was sent before
    ///   it [MQTT-4.6.0-6]. The caller puts it into the queue.
    func resume(_ sent: RestoredSession.Sent, of session: Session) -> Bool {
        let (sequence, isShared) = (sent.exchange.sequence, sent.exchange.group != nil)
        switch sent.phase {
        case .finished: return false
        case .handedOver:
            session.inflight.restoreRelease(sent.packetIdentifier, sequence: sequence, isShared: isShared)
            return false
        case .sending:
            session.inflight.reserve(sent.packetIdentifier)
            session.interrupted.append(
                InterruptedExchange(sequence: sequence, isShared: isShared, packetIdentifier: sent.packetIdentifier))
            return true
        }
    }

    /// Whether a session on this shard was in the middle of a group's message: then it has to go on with it, and nobody
    /// else may have the message [MQTT-4.8.2-4, MQTT-4.8.2-5].
    package func isInterrupted(_ exchange: SentExchange) -> Bool { interruptedSession(exchange) != nil }

    /// Whether or not it is still a member of the group.
    private func interruptedSession(_ exchange: SentExchange) -> Session? {
        for one in restoring.interrupted[exchange.sequence] ?? [] where one.exchange == exchange {
            if let session = sessions.slots[Int(one.slot)], session.restoredSent[exchange] != nil { return session }
        }
        return nil
    }

    /// Gives a message back to the group: to the session that was in the middle of it, else to a member that can keep it.
    /// - Returns: whether there is one here.
    private mutating func restore(
        _ entry: LogEntry, to group: SharedGroup, into effects: inout Effects
    ) -> Bool {
        let state = index.group(name: group.name, pattern: group.pattern)
        let member: SharedGroupState.Member?
        let chosen: Session?
        if let session = interruptedSession(SentExchange(sequence: entry.sequence, group: group)) {
            (chosen, member) = (session, state?.member(session.slot))
        } else {
            member = state.flatMap { $0.members.isEmpty ? nil : lastingMember(of: $0, for: entry) }
            chosen = member.flatMap { sessions.slots[Int($0.subscriber)] }
        }
        guard let chosen else { return false }
        restore(
            entry, to: chosen, qos: min(member?.options.maximumQoS ?? .exactlyOnce, entry.message.qos),
            isRetained: entry.message.isRetained && member?.options.retainAsPublished == true,
            subscriptionIdentifiers: (member?.identifier).flatMap { $0 == 0 ? nil : [$0] } ?? [], group: group,
            into: &effects)
        return true
    }

    private mutating func lastingMember(of group: SharedGroupState, for entry: LogEntry) -> SharedGroupState.Member? {
        guard case .member(let member) = choose(from: group, qos: entry.message.qos, allowsPeers: false) else {
            return nil
        }
        return member
    }

    mutating func restore(
        _ entry: LogEntry, to session: Session, qos: QoS, isRetained: Bool, subscriptionIdentifiers: [UInt32],
        group: SharedGroup?, into effects: inout Effects
    ) {
        let exchange = SentExchange(sequence: entry.sequence, group: group)
        let sent = session.restoredSent.isEmpty ? nil : session.restoredSent.removeValue(forKey: exchange)
        // An exchange that has begun goes on as it began.
        let qos = sent == nil ? qos : .exactlyOnce
        guard qos != .atMostOnce else { return }
        if let group {
            if sent?.phase == .finished {
                let changes: [SessionChange] = [
                    .finished(clientIdentifier: session.clientIdentifier, exchange),
                    .groupFinished(group, sequence: entry.sequence),
                ]
                return noteFinish(changes, into: &effects)
            }
            session.claims[entry.sequence, default: []].append(
                GroupClaim(group: group, qos: qos, packetIdentifier: sent?.packetIdentifier ?? 0))
        }
        // What a session has of its groups' messages ends with it.
        guard session.isDurable else { return }
        guard let sent else {
            return enqueue(
                entry.message, qos: qos, isRetained: isRetained, subscriptionIdentifiers: subscriptionIdentifiers[...],
                sequence: entry.sequence, isShared: group != nil, for: session, into: &effects)
        }
        resume(sent, entry.message, isRetained: isRetained, subscriptionIdentifiers, of: session)
    }

    /// Everything has been taken up. `groups` are those of the log's entries that no shard has a member for.
    package mutating func restoreFinished(
        unclaimed groups: [(group: SharedGroup, sequence: LogSequence)], at now: Instant, into effects: inout Effects
    ) {
        runEvents(before: .max, at: now, into: &effects)
        finishRestoring(at: now, into: &effects)
        if !groups.isEmpty {
            note(groups.map { SessionChange.groupFinished($0.group, sequence: $0.sequence) }, into: &effects)
        }
        armCursorTimer(at: now)
        announceDeadline(into: &effects)
    }

    /// What waits for time, of the sessions that have been taken up: their ends and their wills.
    mutating func finishRestoring(at now: Instant, into effects: inout Effects) {
        releaseUnaccountedFor()
        let (slots, wills) = (restoring.slots, restoring.wills)
        restoring = Restoring()
        for slot in slots {
            guard let session = sessions.slots[Int(slot)] else { continue }
            session.sentThrough = min(session.sentThrough, lastSequence)
            if session.isDurable, session.expiresAt != .distantFuture { armExpiry(of: session) }
        }
        for (slot, dueIn) in wills {
            guard let session = sessions.slots[Int(slot)] else { continue }
            if dueIn > 0 {
                armWill(of: session, delaySeconds: dueIn, at: now)
            } else if session.isDurable {
                publishWill(of: session, at: now, into: &effects)
            }
        }
        // Those that ended with their connection were there for their wills alone; ending them publishes those.
        for slot in slots {
            guard let session = sessions.slots[Int(slot)], !session.isDurable else { continue }
            endSession(session, at: now, into: &effects)
        }
    }
}
