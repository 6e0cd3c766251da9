import Backbone
import MQTTModel
import MQTTSession
import TopicIndex

/// What is gathered while a shard is restored.
struct Restoring {
    /// What happens to a session when the log has come to `place`: between the entry there and the next.
    struct Event {
        enum Kind {
            case ends(filter: String)
            case begins(RestoredSession.Subscription)
            case wishes(RestoredSession.Wish)
        }

        let place: LogSequence
        let slot: UInt32
        let kind: Kind

        /// At one place: what gives way to another first.
        fileprivate var rank: Int {
            switch kind {
            case .ends: 0
            case .begins: 1
            case .wishes: 2
            }
        }
    }

    /// While the shard works, for sessions that have come from another node: what they subscribe to is not announced yet.
    var isTaking = false
    /// Slots of the sessions.
    var slots: [UInt32] = []
    var events: [Event] = []
    private var restored: Set<UInt32> = []
    private var isSorted = false
    private var next = 0
    /// The exchanges that were going on, by their messages.
    var interrupted: [LogSequence: [(slot: UInt32, exchange: SentExchange)]] = [:]
    /// The same for copies of retained messages.
    var copies: [RestoredCopies: [RestoredSession.Sent]] = [:]
    var hasWishes = false
    /// Of every retained message, by topic, if there are wishes.
    var retainedPositions: [ExactText: RetainedPosition] = [:]
    var wills: [(slot: UInt32, dueIn: UInt32)] = []

    /// Shared subscriptions as they stand in the end, of sessions in a flock.
    private var shared: [SharedMember: RestoredSession.Subscription] = [:]

    func isRestored(_ session: Session) -> Bool { restored.contains(session.slot) }

    func sharedSubscription(_ session: Session, _ group: SharedGroup) -> RestoredSession.Subscription? {
        shared[SharedMember(slot: session.slot, group: group)]
    }

    /// A subscription wants what was logged after it was made and, if it is an earlier one, before it ended.
    mutating func add(_ subscriptions: [RestoredSession.Subscription], of session: Session) {
        restored.insert(session.slot)
        guard session.isDurable else { return }
        for subscription in subscriptions {
            if subscription.until == nil, let group = SharedGroup(filter: subscription.filter) {
                shared[SharedMember(slot: session.slot, group: group)] = subscription
            }
            events.append(Event(place: subscription.since, slot: session.slot, kind: .begins(subscription)))
            if let until = subscription.until {
                events.append(Event(place: until, slot: session.slot, kind: .ends(filter: subscription.filter)))
                session.earlierSubscriptions.append(until)
            }
        }
    }

    /// The next event that happened before the entry `sequence`.
    mutating func popEvent(before sequence: LogSequence) -> Event? {
        if !isSorted {
            // Stable: those of one session stay in the order of their making.
            isSorted = true
            let enumerated = events.enumerated().sorted {
                ($0.element.place, $0.element.rank, $0.offset) < ($1.element.place, $1.element.rank, $1.offset)
            }
            events = enumerated.map(\.element)
        }
        guard next < events.count, events[next].place < sequence else { return nil }
        next += 1
        return events[next - 1]
    }
}

/// Names a member of a shared subscription.
private struct SharedMember: Hashable {
    let slot: UInt32
    let group: SharedGroup
}

/// Names the copies of a session's wish.
struct RestoredCopies: Hashable {
    let slot: UInt32
    let wish: LogSequence
}

extension BrokerCore {
    /// Brings subscriptions to where they were when the entry `sequence` was logged.
    mutating func runEvents(before sequence: LogSequence, at now: Instant, into effects: inout Effects) {
        while let event = restoring.popEvent(before: sequence) {
            guard let session = sessions.slots[Int(event.slot)] else { continue }
            switch event.kind {
            case .ends(let filter):
                guard session.filters.remove(filter) else { continue }
                removeSubscription(filter, of: session, into: &effects)
            case .begins(let subscription):
                guard let filter = TopicFilter(subscription.filter) else { continue }
                _ = addSubscription(
                    filter, subscription.options, identifier: subscription.identifier, to: session, into: &effects)
            case .wishes(let wish): restore(wish, of: session, at: now, into: &effects)
            }
        }
    }

    /// Makes the copies of a wish again that the client is not done with. Those with QoS 1 may come once more, those with
    /// QoS 0 do not come.
    private mutating func restore(
        _ wish: RestoredSession.Wish, of session: Session, at now: Instant, into effects: inout Effects
    ) {
        let number = wish.wish.number
        let known = restoring.copies.removeValue(forKey: RestoredCopies(slot: session.slot, wish: number)) ?? []
        var byTopic: [ExactText: RestoredSession.Sent] = [:]
        for sent in known { if let topic = sent.topic { byTopic[topic] = sent } }
        var next = (known.map(\.exchange.sequence).max() ?? number) + 1
        var count = 0
        retained.forEachMatch(of: wish.wish.pattern) { message in
            guard isOlder(message, than: wish),
                let copy = copy(of: message, for: wish.wish, of: session, at: now), copy.qos != .atMostOnce
            else { return }
            if copy.qos == .exactlyOnce, let sent = byTopic.removeValue(forKey: ExactText(message.topicString)) {
                if sent.phase != .finished { count += 1 }
                if resume(sent, of: session) { session.enqueue(copy, sequence: sent.exchange.sequence, queueTotal) }
                return
            }
            session.enqueue(copy, sequence: next, queueTotal)
            next += 1
            count += 1
        }
        // What is retained there now came later, by the subscription.
        for sent in known where sent.phase != .finished && sent.topic.map({ byTopic[$0] != nil }) ?? true {
            release(sent, of: session)
            count += 1
        }
        remember(count, of: number, session, into: &effects)
    }

    /// Whether the message was retained when the wish was made. A shard that works has not kept that: all are.
    private func isOlder(_ message: ApplicationMessage, than wish: RestoredSession.Wish) -> Bool {
        if restoring.isTaking { return true }
        return (restoring.retainedPositions[ExactText(message.topicString)] ?? .max) < wish.position
    }

    private func release(_ sent: RestoredSession.Sent, of session: Session) {
        session.claim(sent)
        session.inflight.restoreRelease(
            sent.packetIdentifier, sequence: sent.exchange.sequence, isShared: sent.exchange.group != nil)
    }

    /// Exchanges whose messages are gone. The client may hold the packet identifier, and has to be told to release it.
    mutating func releaseUnaccountedFor() {
        for sequence in restoring.interrupted.keys.sorted() {
            for (slot, exchange) in restoring.interrupted[sequence] ?? [] {
                guard let session = sessions.slots[Int(slot)], session.isDurable,
                    let sent = session.restoredSent.removeValue(forKey: exchange), sent.phase != .finished
                else { continue }
                release(sent, of: session)
            }
        }
        for copies in restoring.copies.keys.sorted(by: { ($0.slot, $0.wish) < ($1.slot, $1.wish) }) {
            guard let session = sessions.slots[Int(copies.slot)], session.isDurable else { continue }
            let unfinished = (restoring.copies[copies] ?? []).filter { $0.phase != .finished }
            for sent in unfinished { release(sent, of: session) }
            if !unfinished.isEmpty { session.wishes[copies.wish] = unfinished.count }
        }
        for slot in restoring.slots { sessions.slots[Int(slot)]?.restoredSent = [:] }
    }
}
