package import Backbone
package import MQTTModel
import MQTTSession
import TopicIndex

/// Taking up what survived a restart. The driver calls these before the first step: every session of the shard, every
/// retained message, then every entry of the log in order, and in the end `restoreFinished`; then it runs the effects.
extension BrokerCore {
    package mutating func restore(_ restored: RestoredSession, at now: Instant, into effects: inout Effects) {
        let session = sessions.insert(clientIdentifier: restored.clientIdentifier)
        session.isNoted = true
        session.will = restored.will
        session.notedCursor = restored.cursor
        setExpiryInterval(restored.expiryInterval, of: session, into: &effects)
        for identifier in restored.received {
            _ = session.received.insert(identifier)
            _ = session.notedReceived.insert(identifier)
        }
        for sent in restored.sent {
            guard sent.sequence < .firstCopy else {
                // The copy is gone; the client may hold its packet identifier, and has to be told to release it.
                nextCopy = max(nextCopy, sent.sequence + 1)
                if sent.phase == .finished { continue }
                session.inflight.restore(
                    nil, packetIdentifier: sent.packetIdentifier, subscriptionIdentifiers: [],
                    sequence: sent.sequence, isShared: false)
                continue
            }
            session.restoredSent[sent.sequence] = sent
            restoring.interrupted[sent.sequence, default: []].append(session.slot)
        }
        for subscription in restored.subscriptions {
            restoring.subscriptions.append((session.slot, subscription))
        }
        if let expiresIn = restored.expiresIn { session.expiresAt = now.advanced(seconds: expiresIn) }
        if session.will != nil {
            // Its connection ended with the broker, or its delay was running already.
            let dueIn = restored.willDueIn ?? restored.will?.delayInterval ?? 0
            restoring.wills.append((session.slot, session.isDurable ? dueIn : 0))
        }
        sessions.updatePath(of: session)
    }

    package mutating func restore(retained message: ApplicationMessage) { keepRetained(message) }

    /// An entry of the log: into the queue of every session that wants it and has not had it. A subscription wants what
    /// was appended after it was made, so subscriptions are taken up as the log passes them.
    /// - Returns: those of `groups` that have no member on this shard.
    package mutating func restore(
        _ entry: LogEntry, groups: [SharedGroup], at now: Instant, into effects: inout Effects
    ) -> [SharedGroup] {
        restoreSubscriptions(before: entry.sequence, into: &effects)
        lastSequence = max(lastSequence, entry.sequence)
        let matches = index.match(entry.message.topic)
        for match in matches.subscribers {
            guard let session = sessions.slots[Int(match.subscriber)], entry.sequence > session.notedCursor else {
                continue
            }
            let isOwn = entry.message.publisherHash == StableHash.hash(session.clientIdentifier)
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
        restoreUnsubscribed(entry)
        return unclaimed
    }

    /// Exchanges in the middle of which the client has unsubscribed: they go on to their end [MQTT-3.10.4-3]. The client
    /// holds the packet identifier until it is released and would take another message under it for a repeat.
    private mutating func restoreUnsubscribed(_ entry: LogEntry) {
        guard let slots = restoring.interrupted.removeValue(forKey: entry.sequence) else { return }
        for slot in slots {
            guard let session = sessions.slots[Int(slot)], let sent = session.restoredSent[entry.sequence],
                sent.phase != .finished, session.isDurable
            else { continue }
            session.inflight.restore(
                sent.phase == .handedOver ? nil : entry.message, packetIdentifier: sent.packetIdentifier,
                subscriptionIdentifiers: [], sequence: entry.sequence, isShared: false)
        }
    }

    /// Whether a member of `group` on this shard was in the middle of a message: then it has to go on with it, and no
    /// other shard may have the group's message.
    package mutating func isInterrupted(
        _ group: SharedGroup, at sequence: LogSequence, into effects: inout Effects
    ) -> Bool {
        restoreSubscriptions(before: sequence, into: &effects)
        guard let state = index.group(name: group.name, pattern: group.pattern) else { return false }
        return interruptedMember(of: state, at: sequence) != nil
    }

    private func interruptedMember(
        of state: SharedGroupState, at sequence: LogSequence
    ) -> SharedGroupState.Member? {
        state.members.first { sessions.slots[Int($0.subscriber)]?.restoredSent[sequence] != nil }
    }

    /// Gives a message back to the group: to the member that was in the middle of it, else to one that can keep it.
    /// - Returns: whether it has such a member here.
    private mutating func restore(
        _ entry: LogEntry, to group: SharedGroup, into effects: inout Effects
    ) -> Bool {
        guard let state = index.group(name: group.name, pattern: group.pattern), !state.members.isEmpty else {
            return false
        }
        guard
            let member = interruptedMember(of: state, at: entry.sequence) ?? lastingMember(of: state, for: entry),
            let session = sessions.slots[Int(member.subscriber)]
        else { return false }
        restore(
            entry, to: session, qos: min(member.options.maximumQoS, entry.message.qos),
            isRetained: entry.message.isRetained && member.options.retainAsPublished,
            subscriptionIdentifiers: member.identifier == 0 ? [] : [member.identifier], group: group, into: &effects)
        return true
    }

    private mutating func lastingMember(of group: SharedGroupState, for entry: LogEntry) -> SharedGroupState.Member? {
        guard case .member(let member) = choose(from: group, qos: entry.message.qos, allowsPeers: false) else {
            return nil
        }
        return member
    }

    private mutating func restore(
        _ entry: LogEntry, to session: Session, qos: QoS, isRetained: Bool, subscriptionIdentifiers: [UInt32],
        group: SharedGroup?, into effects: inout Effects
    ) {
        guard qos != .atMostOnce, session.isDurable else { return }
        if let group { session.groupsOfSequence[entry.sequence, default: []].append(group) }
        if let sent = session.restoredSent[entry.sequence] {
            guard sent.phase != .finished else { return }
            session.inflight.restore(
                sent.phase == .handedOver ? nil : entry.message, packetIdentifier: sent.packetIdentifier,
                subscriptionIdentifiers: subscriptionIdentifiers, sequence: entry.sequence, isShared: group != nil)
            return
        }
        enqueue(
            entry.message, qos: qos, isRetained: isRetained, subscriptionIdentifiers: subscriptionIdentifiers[...],
            sequence: entry.sequence, isShared: group != nil, for: session, into: &effects)
    }

    private mutating func restoreSubscriptions(before sequence: LogSequence, into effects: inout Effects) {
        if !restoring.isSorted {
            // Stable: those of one session stay in the order of their making.
            restoring.isSorted = true
            let enumerated = restoring.subscriptions.enumerated().sorted {
                ($0.element.subscription.since, $0.offset) < ($1.element.subscription.since, $1.offset)
            }
            restoring.subscriptions = enumerated.map(\.element)
        }
        while restoring.next < restoring.subscriptions.count {
            let (slot, subscription) = restoring.subscriptions[restoring.next]
            guard subscription.since < sequence else { return }
            restoring.next += 1
            guard let session = sessions.slots[Int(slot)], let filter = TopicFilter(subscription.filter) else {
                continue
            }
            _ = addSubscription(
                filter, subscription.options, identifier: subscription.identifier, to: session, into: &effects)
        }
    }

    /// Everything has been taken up. `groups` are those of the log's entries that no shard has a member for.
    package mutating func restoreFinished(
        unclaimed groups: [(group: SharedGroup, sequence: LogSequence)], at now: Instant, into effects: inout Effects
    ) {
        restoreSubscriptions(before: .max, into: &effects)
        restoreGivenUp()
        for slot in sessions.slots.indices {
            guard let session = sessions.slots[slot] else { continue }
            session.restoredSent = [:]
            if session.isDurable, session.expiresAt != .distantFuture { armExpiry(of: session) }
        }
        let wills = restoring.wills
        restoring = Restoring()
        for (slot, dueIn) in wills {
            guard let session = sessions.slots[Int(slot)] else { continue }
            if dueIn > 0 {
                armWill(of: session, delaySeconds: dueIn, at: now)
            } else if session.isDurable {
                publishWill(of: session, at: now, into: &effects)
            }
        }
        // Those that ended with their connection were there for their wills alone; ending them publishes those.
        for slot in sessions.slots.indices {
            guard let session = sessions.slots[slot], !session.isDurable else { continue }
            endSession(session, at: now, into: &effects)
        }
        if !groups.isEmpty {
            note(groups.map { SessionChange.groupFinished($0.group, sequence: $0.sequence) }, into: &effects)
        }
        armCursorTimer(at: now)
        announceDeadline(into: &effects)
    }
}

/// What is gathered while a shard is restored.
struct Restoring {
    var subscriptions: [(slot: UInt32, subscription: RestoredSession.Subscription)] = []
    /// The sessions that were in the middle of a message.
    var interrupted: [LogSequence: [UInt32]] = [:]
    var isSorted = false
    var next = 0
    var wills: [(slot: UInt32, dueIn: UInt32)] = []
}
