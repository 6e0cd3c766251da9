package import MQTTModel

/// The subscriptions of one broker shard: of its own sessions, of other shards (as routes), and shared ones; with what
/// each topic matches, cached.
package struct SubscriptionIndex: ~Copyable {
    /// Ordinary and shared subscriptions of local subscribers.
    package private(set) var subscriptionCount = 0

    /// - Parameters:
    ///   - cacheCapacity: topics whose matches are remembered, at most.
    ///   - hashSeed: what topics and levels are hashed with. Nothing that the index answers depends on it; a server
    ///     draws it at random, so that no client can choose topics that collide.
    package init(cacheCapacity: Int = 16_384, hashSeed: UInt64 = 0) {
    }

    package mutating func subscribe(
        _ subscriber: UInt32, to pattern: String, options: SubscriptionOptions, identifier: UInt32
    ) -> SubscribeOutcome { SubscribeOutcome(isNew: false, isFirstForPattern: false) }

    package mutating func unsubscribe(_ subscriber: UInt32, from pattern: String) -> UnsubscribeOutcome {
        UnsubscribeOutcome(existed: false, wasLastForPattern: false)
    }

    package mutating func addRoute(to peer: UInt16, for pattern: String) {}
    package mutating func removeRoute(to peer: UInt16, for pattern: String) {}

    package mutating func join(
        _ subscriber: UInt32, group name: String, pattern: String, options: SubscriptionOptions, identifier: UInt32
    ) -> (group: SharedGroupState, isNew: Bool) { (SharedGroupState(name: name, pattern: pattern), false) }

    package mutating func leave(_ subscriber: UInt32, group name: String, pattern: String) -> SharedGroupState? { nil }

    package mutating func setPeerMembers(
        of peer: UInt16, group name: String, pattern: String, members: UInt32, connectedMembers: UInt32
    ) {}

    package func group(name: String, pattern: String) -> SharedGroupState? { nil }

    package mutating func match(_ topic: UnsafeRawBufferPointer) -> Matches {
        Matches(subscribers: [], identifiers: [], peers: [], groups: [])
    }
}
