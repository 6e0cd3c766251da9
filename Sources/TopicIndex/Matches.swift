package import MQTTModel

/// What a message on one topic goes to. Immutable, shared with the cache of the index and with whoever still delivers
/// by it; only the groups are live: their members change without the topic's matches changing.
package final class Matches {
    /// One entry for each session, overlapping subscriptions merged; in ascending order of subscriber.
    package let subscribers: [MatchedSubscriber]
    /// The pool that the entries' subscription identifiers lie in.
    package let identifiers: [UInt32]
    /// Other shards with an ordinary subscription that matches, ascending.
    package let peers: [UInt16]
    /// Shared subscriptions that match, in an order that depends on their names and patterns alone.
    package let groups: [SharedGroupState]

    init(subscribers: [MatchedSubscriber], identifiers: [UInt32], peers: [UInt16], groups: [SharedGroupState]) {
        self.subscribers = subscribers
        self.identifiers = identifiers
        self.peers = peers
        self.groups = groups
    }

    package var isEmpty: Bool { subscribers.isEmpty && peers.isEmpty && groups.isEmpty }

    /// Bytes that the object keeps alive, for the bound of the cache.
    var byteCount: Int {
        128 + subscribers.count * MemoryLayout<MatchedSubscriber>.stride + identifiers.count * 4 + peers.count * 2
            + groups.count * 8
    }
}

/// One session that a message goes to, and how, whatever the number of its subscriptions that match.
package struct MatchedSubscriber: Equatable, Sendable {
    package var subscriber: UInt32
    /// Where its subscription identifiers begin in `Matches.identifiers`. Those of subscriptions without No Local come
    /// first; the same identifier of two subscriptions stands there twice (5.0 section 3.3.4).
    package var firstIdentifier: UInt32
    package var identifierCount: UInt16
    /// How many of the identifiers its own messages carry: those of subscriptions without No Local.
    package var identifierCountForPublisher: UInt16
    /// The highest of the matching subscriptions [MQTT-3.3.4-2].
    package var maximumQoS: QoS
    /// The highest of the matching subscriptions without No Local: for messages that this session itself published.
    package var maximumQoSForPublisher: QoS
    private var flags: UInt8

    init(subscriber: UInt32, firstIdentifier: UInt32) {
        self.subscriber = subscriber
        self.firstIdentifier = firstIdentifier
        self.identifierCount = 0
        self.identifierCountForPublisher = 0
        self.maximumQoS = .atMostOnce
        self.maximumQoSForPublisher = .atMostOnce
        self.flags = Flag.excludesPublisher
    }

    private enum Flag {
        static let retainAsPublished: UInt8 = 1
        static let retainAsPublishedForPublisher: UInt8 = 2
        static let excludesPublisher: UInt8 = 4
        static let distinguishesPublisher: UInt8 = 8
    }

    /// Whether any of the subscriptions has Retain As Published [MQTT-3.3.1-13].
    package var retainAsPublished: Bool { flags & Flag.retainAsPublished != 0 }
    /// The same of those without No Local: for messages that this session itself published.
    package var retainAsPublishedForPublisher: Bool { flags & Flag.retainAsPublishedForPublisher != 0 }
    /// Whether each of the subscriptions has No Local: a message is not sent to its own publisher [MQTT-3.8.3-3].
    package var excludesPublisher: Bool { flags & Flag.excludesPublisher != 0 }

    /// Whether any of them has No Local: it matters whether the session itself published the message.
    package var distinguishesPublisher: Bool { flags & Flag.distinguishesPublisher != 0 }

    /// Counts in one more matching subscription. The caller adds its identifier to the pool, and comes with the
    /// subscriptions without No Local first.
    mutating func merge(_ subscription: Subscription) {
        maximumQoS = max(maximumQoS, subscription.maximumQoS)
        if subscription.retainAsPublished { flags |= Flag.retainAsPublished }
        let hasIdentifier = subscription.identifier != 0 && identifierCount < .max
        if hasIdentifier { identifierCount += 1 }
        guard !subscription.noLocal else {
            flags |= Flag.distinguishesPublisher
            return
        }
        maximumQoSForPublisher = max(maximumQoSForPublisher, subscription.maximumQoS)
        flags &= ~Flag.excludesPublisher
        if subscription.retainAsPublished { flags |= Flag.retainAsPublishedForPublisher }
        if hasIdentifier { identifierCountForPublisher += 1 }
    }
}
