/// One subscription that matches, as overlapping ones are sorted to be merged.
struct GatheredSubscription {
    /// Subscriber, No Local, the pattern's place in the walk: so that a subscriber's subscriptions come together, those
    /// without No Local first, in an order that does not depend on the sort.
    let key: UInt64
    let subscription: Subscription
}

extension SubscriptionIndex {
    /// What a message on `topic`, a valid topic name, goes to. Remembered until a subscription changes it.
    package mutating func match(_ topic: UnsafeRawBufferPointer) -> Matches {
        let hash = cache.hash(topic)
        if let matches = cache.matches(of: topic, hash: hash) { return matches }
        trie.match(topic)
        let matches = makeMatches()
        cache.insert(matches, topic: topic, hash: hash)
        return matches
    }

    /// Elements of the array for overlapping subscriptions up to which its memory is kept, 1 MB; more is returned.
    private static let keptGatheredCapacity = 65_536

    /// Puts together what the entries found by the last walk hold.
    private mutating func makeMatches() -> Matches {
        var listCount = 0
        var subscriptionCount = 0
        var peers: [UInt16] = []
        var groups: [SharedGroupState] = []
        var lastList = 0
        for number in trie.matchedEntries {
            let entry = Int(number)
            let count = entries[entry].subscribers.count
            if count > 0 {
                listCount += 1
                subscriptionCount += count
                lastList = entry
            }
            if !entries[entry].routes.isEmpty { peers += entries[entry].routes }
            if !entries[entry].groups.isEmpty { groups += entries[entry].groups }
        }
        if subscriptionCount == 0, peers.isEmpty, groups.isEmpty { return emptyMatches }
        sortAndUnite(&peers)
        var builder = MatchesBuilder(capacity: subscriptionCount)
        if listCount == 1 {
            entries[lastList].subscribers.forEach { builder.add($0) }
        } else if listCount > 1 {
            gather(subscriptionCount)
            for element in gathered { builder.add(element.subscription) }
            if gathered.capacity > SubscriptionIndex.keptGatheredCapacity { gathered = [] }
        }
        return Matches(
            subscribers: builder.subscribers, identifiers: builder.identifiers, peers: peers, groups: groups)
    }

    private mutating func gather(_ count: Int) {
        gathered.removeAll(keepingCapacity: true)
        gathered.reserveCapacity(count)
        for (place, number) in trie.matchedEntries.enumerated() {
            entries[Int(number)].subscribers.forEach { subscription in
                let key =
                    UInt64(subscription.subscriber) << 32 | (subscription.noLocal ? 1 << 31 : 0)
                    | UInt64(place & 0x7FFF_FFFF)
                gathered.append(GatheredSubscription(key: key, subscription: subscription))
            }
        }
        gathered.sort { $0.key < $1.key }
    }

    private func sortAndUnite(_ peers: inout [UInt16]) {
        guard peers.count > 1 else { return }
        peers.sort()
        var kept = 1
        for position in 1..<peers.count where peers[position] != peers[kept - 1] {
            peers[kept] = peers[position]
            kept += 1
        }
        peers.removeSubrange(kept...)
    }
}

/// Merges subscriptions that come sorted by subscriber.
private struct MatchesBuilder {
    private(set) var subscribers: [MatchedSubscriber] = []
    private(set) var identifiers: [UInt32] = []

    init(capacity: Int) { subscribers.reserveCapacity(capacity) }

    @inline(__always)
    mutating func add(_ subscription: Subscription) {
        if subscribers.last?.subscriber != subscription.subscriber {
            subscribers.append(
                MatchedSubscriber(
                    subscriber: subscription.subscriber, firstIdentifier: UInt32(identifiers.count)))
        }
        subscribers[subscribers.count - 1].merge(subscription)
        if subscription.identifier != 0 { identifiers.append(subscription.identifier) }
    }
}
