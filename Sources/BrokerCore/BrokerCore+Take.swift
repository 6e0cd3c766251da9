import Backbone
import MQTTModel
import MQTTSession
import TopicIndex

/// Taking up sessions while the shard works. They are restored as after a restart, with a subscription index of their own:
/// what the log still has for them is for nobody else.
extension BrokerCore {
    mutating func take(_ taken: TakenSessions, at now: Instant, into effects: inout Effects) {
        let coming = taken.sessions.filter { sessions.session(for: $0.clientIdentifier) == nil }
        guard !coming.isEmpty else { return }
        let last = lastSequence
        restoring = Restoring()
        restoring.isTaking = true
        swap(&index, &restoringIndex)
        for session in coming { restore(session, at: now, into: &effects) }
        for entry in taken.entries {
            if entry.message.expiryInterval != nil { entry.message.receivedAt = now }
            _ = restore(entry, groups: [], at: now, into: &effects)
        }
        runEvents(before: .max, at: now, into: &effects)
        swap(&index, &restoringIndex)
        restoringIndex = SubscriptionIndex(options)
        restoring.isTaking = false
        lastSequence = max(lastSequence, last)
        for restored in coming { subscribeAgain(restored, into: &effects) }
        counters.sessionsTaken += UInt64(coming.count)
        finishRestoring(at: now, into: &effects)
    }

    /// What the session is subscribed to at the end of it all, now for everybody to see.
    private mutating func subscribeAgain(_ restored: RestoredSession, into effects: inout Effects) {
        guard let session = sessions.session(for: restored.clientIdentifier) else { return }
        session.filters = FilterSet()
        session.groups = []
        for subscription in restored.subscriptions where subscription.until == nil {
            guard session.isDurable, let filter = TopicFilter(subscription.filter) else { continue }
            _ = addSubscription(
                filter, subscription.options, identifier: subscription.identifier, to: session, into: &effects)
        }
    }
}
