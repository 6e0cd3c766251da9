package import MQTTModel

/// The subscriptions of one broker shard: of its own sessions, of other shards (as routes), and shared ones; with what
/// each topic matches, cached.
///
/// A subscriber is the slot of a session. Patterns and topics come here valid. What the index answers, and in which
/// order, is a function of the calls made on it.
package struct SubscriptionIndex: ~Copyable {
    /// What is kept for one pattern.
    struct PatternEntry {
        var subscribers = SubscriberList()
        /// Other shards that want what matches, ascending.
        var routes: [UInt16] = []
        /// Ascending by name.
        var groups: [SharedGroupState] = []

        var isUnused: Bool { subscribers.count == 0 && routes.isEmpty && groups.isEmpty }
    }

    /// Ordinary and shared subscriptions of local subscribers.
    package private(set) var subscriptionCount = 0

    var trie: PatternTrie
    /// By the entry numbers in the trie; 0 stands for none.
    var entries = [PatternEntry()]
    private var freeEntries: [UInt32] = []
    var cache: MatchCache
    let emptyMatches = Matches(subscribers: [], identifiers: [], peers: [], groups: [])
    /// Of a match with overlapping subscriptions; kept for the next one.
    var gathered: [GatheredSubscription] = []

    /// - Parameters:
    ///   - cacheCapacity: topics whose matches are remembered, at most.
    ///   - cacheByteCapacity: bytes of those topics and their matches, at most, but for a single larger one.
    ///   - hashSeed: what topics and levels are hashed with. Nothing that the index answers depends on it; a server
    ///     draws it at random, so that no client can choose topics that collide.
    package init(cacheCapacity: Int = 16_384, cacheByteCapacity: Int = 1 << 24, hashSeed: UInt64 = 0) {
        let hasher = TopicHasher(seed: hashSeed)
        trie = PatternTrie(hasher: hasher)
        cache = MatchCache(capacity: cacheCapacity, byteCapacity: cacheByteCapacity, hasher: hasher)
    }

    // MARK: Ordinary subscriptions

    /// Makes a subscription, or replaces the options and the identifier of the one that is there [MQTT-3.8.4-3].
    /// - Parameter identifier: 1...268,435,455, or 0 for none.
    package mutating func subscribe(
        _ subscriber: UInt32, to pattern: String, options: SubscriptionOptions, identifier: UInt32
    ) -> SubscribeOutcome {
        let subscription = Subscription(subscriber: subscriber, options: options, identifier: identifier)
        return withBytes(of: pattern) { pattern in
            let entry = makeEntry(of: pattern)
            let outcome = entries[entry].subscribers.set(subscription)
            if outcome != .unchanged { cache.invalidate(pattern) }
            let isNew = outcome == .added
            if isNew { subscriptionCount += 1 }
            return SubscribeOutcome(
                isNew: isNew, isFirstForPattern: isNew && entries[entry].subscribers.count == 1)
        }
    }

    package mutating func unsubscribe(_ subscriber: UInt32, from pattern: String) -> UnsubscribeOutcome {
        withBytes(of: pattern) { pattern in
            guard let (node, entry) = entry(of: pattern), entries[entry].subscribers.remove(subscriber) else {
                return UnsubscribeOutcome(existed: false, wasLastForPattern: false)
            }
            subscriptionCount -= 1
            let wasLast = entries[entry].subscribers.count == 0
            cache.invalidate(pattern)
            removeIfUnused(entry, at: node)
            return UnsubscribeOutcome(existed: true, wasLastForPattern: wasLast)
        }
    }

    /// Whether the subscriber has this very subscription; Retain Handling, which is no concern of the index, aside.
    package func has(
        _ subscriber: UInt32, subscribedTo pattern: String, options: SubscriptionOptions, identifier: UInt32
    ) -> Bool {
        withBytes(of: pattern) { pattern in
            guard let (_, entry) = entry(of: pattern) else { return false }
            let subscription = Subscription(subscriber: subscriber, options: options, identifier: identifier)
            return entries[entry].subscribers.subscription(of: subscriber) == subscription
        }
    }

    // MARK: Routes

    /// The shard `peer` has an ordinary subscription to `pattern`. Saying it twice changes nothing.
    package mutating func addRoute(to peer: UInt16, for pattern: String) {
        withBytes(of: pattern) { pattern in
            let entry = makeEntry(of: pattern)
            let position = entries[entry].routes.firstIndex { $0 >= peer } ?? entries[entry].routes.endIndex
            if position < entries[entry].routes.endIndex, entries[entry].routes[position] == peer { return }
            entries[entry].routes.insert(peer, at: position)
            cache.invalidate(pattern)
        }
    }

    package mutating func removeRoute(to peer: UInt16, for pattern: String) {
        withBytes(of: pattern) { pattern in
            guard let (node, entry) = entry(of: pattern), let position = entries[entry].routes.firstIndex(of: peer)
            else { return }
            entries[entry].routes.remove(at: position)
            cache.invalidate(pattern)
            removeIfUnused(entry, at: node)
        }
    }

    // MARK: Shared subscriptions

    /// Makes a shared subscription, or replaces the options and the identifier of the one that is there.
    package mutating func join(
        _ subscriber: UInt32, group name: String, pattern: String, options: SubscriptionOptions, identifier: UInt32
    ) -> (group: SharedGroupState, isNew: Bool) {
        let group = makeGroup(name, pattern)
        let isNew = group.join(.init(subscriber: subscriber, identifier: identifier, options: options))
        if isNew { subscriptionCount += 1 }
        return (group, isNew)
    }

    /// - Returns: the group as it is now, with or without further members; nil when it was no member.
    package mutating func leave(_ subscriber: UInt32, group name: String, pattern: String) -> SharedGroupState? {
        guard let group = group(name: name, pattern: pattern), group.leave(subscriber) else { return nil }
        subscriptionCount -= 1
        removeIfEmpty(group)
        return group
    }

    /// How many members the group has on the shard `peer`, and how many of them are connected; none removes the peer.
    package mutating func setPeerMembers(
        of peer: UInt16, group name: String, pattern: String, members: UInt32, connectedMembers: UInt32
    ) {
        let state = SharedGroupState.Peer(peer: peer, members: members, connectedMembers: connectedMembers)
        if members > 0 {
            makeGroup(name, pattern).setPeer(state)
        } else if let group = group(name: name, pattern: pattern) {
            group.setPeer(state)
            removeIfEmpty(group)
        }
    }

    package func group(name: String, pattern: String) -> SharedGroupState? {
        withBytes(of: pattern) { pattern in
            guard let (_, entry) = entry(of: pattern) else { return nil }
            return entries[entry].groups.first { $0.isNamed(name) }
        }
    }

    /// What a topic goes to changes when a group comes or goes, not when its members do.
    private mutating func makeGroup(_ name: String, _ pattern: String) -> SharedGroupState {
        withBytes(of: pattern) { bytes in
            let entry = makeEntry(of: bytes)
            let position =
                entries[entry].groups.firstIndex { !$0.isNamed(before: name) } ?? entries[entry].groups.endIndex
            if position < entries[entry].groups.endIndex, entries[entry].groups[position].isNamed(name) {
                return entries[entry].groups[position]
            }
            let group = SharedGroupState(name: name, pattern: pattern)
            entries[entry].groups.insert(group, at: position)
            cache.invalidate(bytes)
            return group
        }
    }

    private mutating func removeIfEmpty(_ group: SharedGroupState) {
        guard group.isEmpty else { return }
        withBytes(of: group.pattern) { pattern in
            guard let (node, entry) = entry(of: pattern) else { return }
            entries[entry].groups.removeAll { $0 === group }
            cache.invalidate(pattern)
            removeIfUnused(entry, at: node)
        }
    }

    /// The QoS of a subscription; nil when there is none. `group` is its share name, nil for an ordinary one.
    package func maximumQoS(of subscriber: UInt32, pattern: String, group name: String?) -> QoS? {
        if let name {
            return group(name: name, pattern: pattern)?.members.first { $0.subscriber == subscriber }?.options
                .maximumQoS
        }
        return withBytes(of: pattern) { pattern in
            entry(of: pattern).flatMap { entries[$0.entry].subscribers.subscription(of: subscriber)?.maximumQoS }
        }
    }

    // MARK: Entries

    private func entry(of pattern: UnsafeRawBufferPointer) -> (node: UInt32, entry: Int)? {
        guard let node = trie.node(of: pattern) else { return nil }
        let entry = trie.entry(at: node)
        return entry == 0 ? nil : (node, Int(entry))
    }

    private mutating func makeEntry(of pattern: UnsafeRawBufferPointer) -> Int {
        let node = trie.makeNode(of: pattern)
        let existing = trie.entry(at: node)
        if existing != 0 { return Int(existing) }
        if let free = freeEntries.popLast() {
            trie.setEntry(free, at: node)
            return Int(free)
        }
        entries.appendGrowingByQuarter(PatternEntry())
        trie.setEntry(UInt32(entries.count - 1), at: node)
        return entries.count - 1
    }

    private mutating func removeIfUnused(_ entry: Int, at node: UInt32) {
        guard entries[entry].isUnused else { return }
        entries[entry] = PatternEntry()
        freeEntries.append(UInt32(entry))
        trie.setEntry(0, at: node)
        trie.prune(from: node)
    }

    /// No pattern, and no node that one left behind.
    package var isEmpty: Bool {
        subscriptionCount == 0 && trie.isEmpty && freeEntries.count == entries.count - 1
    }
}
