package import MQTTModel

/// The retained messages of one shard (section 3.3.1.3), by topic.
///
/// Messages lie in slots. A hash table leads from a topic to its slot, and a sorted sequence holds the slots in the
/// order of their topics, in which the messages of a filter's literal beginning lie together. So to set, get or
/// replace a message is a lookup, a new topic costs a binary search more, and a filter with wildcards costs a look at
/// each topic that begins as it does.
package struct RetainedIndex: ~Copyable {
    package private(set) var count = 0
    /// Bytes of topics, properties and payloads.
    package private(set) var byteCount = 0

    /// What each client has of it, by `ApplicationMessage.publisherHash`; nothing for 0, the broker itself.
    private var shares: [UInt64: RetainedShare] = [:]
    private let hasher: TopicHasher
    /// The first stands for none.
    private var slots: [ApplicationMessage?] = [nil]
    private var freeSlots: [UInt32] = []
    private var table = IndexTable()
    private var order = SortedChunks<UInt32>()
    /// The slot that `removeExpired` visited last.
    private var expiryHand = 0

    /// - Parameter hashSeed: as for `SubscriptionIndex`.
    package init(hashSeed: UInt64 = 0) { hasher = TopicHasher(seed: hashSeed) }

    // MARK: By topic

    /// Keeps `message` for its topic [MQTT-3.3.1-5]. That an empty payload deletes is for the caller to see to.
    /// - Returns: the message it replaced.
    package mutating func set(_ message: ApplicationMessage) -> ApplicationMessage? {
        byteCount += message.byteCount
        if message.publisherHash != 0 { shares[message.publisherHash, default: RetainedShare()].add(message) }
        if let slot = slot(of: message.topic) {
            let replaced = slots[slot]
            slots[slot] = message
            if let replaced { forget(replaced) }
            return replaced
        }
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = Int(free)
            slots[slot] = message
        } else {
            slot = slots.count
            slots.append(message)
        }
        table.insert(hasher.hash(message.topic), index: UInt32(slot))
        order.insert(UInt32(slot), at: position(of: message.topic))
        count += 1
        return nil
    }

    package mutating func remove(topic: UnsafeRawBufferPointer) -> ApplicationMessage? {
        guard let slot = slot(of: topic), let message = slots[slot] else { return nil }
        order.remove(at: position(of: topic))
        table.remove(hasher.hash(topic), index: UInt32(slot))
        slots[slot] = nil
        freeSlots.append(UInt32(slot))
        count -= 1
        forget(message)
        return message
    }

    private mutating func forget(_ message: ApplicationMessage) {
        byteCount -= message.byteCount
        let publisher = message.publisherHash
        guard publisher != 0 else { return }
        shares[publisher]?.remove(message)
        if shares[publisher]?.count == 0 { shares[publisher] = nil }
    }

    /// What a client has published of the messages.
    package func share(of publisherHash: UInt64) -> RetainedShare { shares[publisherHash] ?? RetainedShare() }

    package func message(topic: UnsafeRawBufferPointer) -> ApplicationMessage? {
        guard let slot = slot(of: topic) else { return nil }
        return slots[slot]
    }

    private func slot(of topic: UnsafeRawBufferPointer) -> Int? {
        table.find(hasher.hash(topic)) { slots[Int($0)]?.topic.equals(topic) == true }.map { Int($0) }
    }

    /// Where `topic` is in the order, or where it would be inserted.
    private func position(of topic: UnsafeRawBufferPointer) -> SortedChunks<UInt32>.Position {
        order.partitionPoint { slot in
            guard let message = slots[Int(slot)] else { return false }
            return TopicOrder.isBefore(message.topic, topic)
        }
    }

    // MARK: By filter

    /// Every message whose topic matches `pattern`, in lexical order of the topics' levels.
    package func forEachMatch(of pattern: String, _ body: (ApplicationMessage) -> Void) {
        _ = forEachMatch(of: pattern, visiting: .max) { message in
            body(message)
            return true
        }
    }

    /// The same, looking at `limit` topics at most, and only as long as `body` returns true.
    /// - Returns: whether it has come to the end.
    package func forEachMatch(of pattern: String, visiting limit: Int, _ body: (ApplicationMessage) -> Bool) -> Bool {
        withBytes(of: pattern) { forEachMatch(of: $0, visiting: limit, body) }
    }

    private func forEachMatch(
        of pattern: UnsafeRawBufferPointer, visiting limit: Int, _ body: (ApplicationMessage) -> Bool
    ) -> Bool {
        guard let prefix = PatternMatcher.literalPrefix(of: pattern) else {
            guard let message = message(topic: pattern) else { return true }
            return body(message)
        }
        var left = limit
        // The parent level lies before all that is below it, and "#" matches it too.
        var position = self.position(of: prefix.slice(0, max(prefix.count - 1, 0)))
        while let slot = order[position] {
            guard let message = slots[Int(slot)], PatternMatcher.topic(message.topic, isAtOrBelow: prefix) else {
                return true
            }
            guard left > 0 else { return false }
            left -= 1
            if PatternMatcher.matches(pattern, message.topic), !body(message) { return false }
            position = order.position(after: position)
        }
        return true
    }

    /// Gives the messages in at most `count` places from `place` on to `body`, which says whether it wants more. In no
    /// order that means something.
    ///
    /// - Returns: the place to go on from; nil at the end.
    package func inspect(from place: Int, visiting count: Int, _ body: (ApplicationMessage) -> Bool) -> Int? {
        var place = max(place, 0)
        let end = min(place + count, slots.count)
        while place < end {
            let message = slots[place]
            place += 1
            if let message, !body(message) { return place }
        }
        return place < slots.count ? place : nil
    }

    // MARK: Expiry

    /// Drops messages that have expired by `now` [MQTT-3.3.2-5], visiting at most `limit` places and going on where it
    /// left off the last time.
    /// - Returns: how many it dropped.
    package mutating func removeExpired(at now: Instant, visiting limit: Int) -> Int {
        var removed = 0
        for _ in 0..<min(max(limit, 0), slots.count - 1) {
            expiryHand = expiryHand + 1 < slots.count ? expiryHand + 1 : 1
            guard let message = slots[expiryHand], message.isExpired(at: now) else { continue }
            _ = remove(topic: message.topic)
            removed += 1
        }
        return removed
    }
}

/// How much of the retained messages is of one client.
package struct RetainedShare: Sendable, Hashable {
    package private(set) var count = 0
    package private(set) var byteCount = 0

    package mutating func add(_ message: ApplicationMessage) {
        count += 1
        byteCount += message.byteCount
    }

    package mutating func remove(_ message: ApplicationMessage) {
        count -= 1
        byteCount -= message.byteCount
    }
}
