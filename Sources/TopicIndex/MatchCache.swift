/// What topics match, until a subscription changes that.
///
/// Entries lie in sets of up to eight, chosen by the topic's hash. In a full set the next entry goes to a place that holds
/// nothing valid, else to one place after the other in turn. The cache begins small and doubles up to its capacity
/// whenever it is half full.
///
/// Bounded by entries (the greatest power of two within the capacity) and by bytes of topics and matches; to stay within
/// the bytes a new entry evicts others, going round, and only a single entry may be larger than the bound.
///
/// Invalidation: a pattern without wildcards concerns one topic, whose entry is dropped. A pattern with wildcards puts
/// a stamp on the topics that share its literal levels before the first wildcard, three at most: an entry is valid
/// while no stamp on its own first one, two or three levels, or on all topics, is younger than the entry itself. Stamps
/// lie in a table by hash, so a topic may be invalidated needlessly, never the reverse.
struct MatchCache {
    /// 64 bytes, so that a hit with a topic of usual length touches one cache line of it.
    private struct Entry {
        /// The topic, if it is that short.
        var key = TopicKey.empty
        /// The topic, if it is longer.
        var longTopic: [UInt8] = []
        var matches: Matches?
        /// The count of changes when it was computed.
        var stamp: UInt64 = 0
        /// Where the stamps on its first one, two and three levels lie.
        var prefixes = PrefixSlots()
        var topicLength: UInt16 = 0

        @inline(__always)
        func isOf(_ topic: UnsafeRawBufferPointer) -> Bool {
            guard Int(topicLength) == topic.count else { return false }
            if topic.count <= TopicKey.maximumCount { return key == TopicKey(topic) }
            return longTopic.withUnsafeBytes { $0.equals(topic) }
        }

        var byteCount: Int { Int(topicLength) + (matches?.byteCount ?? 0) }
    }

    private struct PrefixSlots {
        var one: UInt16 = 0
        var two: UInt16 = 0
        var three: UInt16 = 0
    }

    static let defaultByteCapacity = 1 << 24
    private static let prefixSlotCount = 1024
    private static let initialCapacity = 64

    private let hasher: TopicHasher
    private let capacity: Int
    private let byteCapacity: Int

    /// The entries' hashes, 0 for a place that is empty.
    private var hashes: [UInt64]
    private var entries: [Entry]
    private let wayCount: Int
    private(set) var count = 0
    private(set) var byteCount = 0
    private var replacementHand = 0
    private var evictionHand = 0

    private var changes: UInt64 = 0
    private var changeOfAll: UInt64 = 0
    private var changeOfPrefix = [UInt64](repeating: 0, count: MatchCache.prefixSlotCount)

    init(capacity: Int, byteCapacity: Int, hasher: TopicHasher) {
        precondition(capacity >= 0 && byteCapacity >= 0, "the bounds of a cache are not negative")
        self.hasher = hasher
        self.capacity = capacity == 0 ? 0 : 1 << (Int.bitWidth - 1 - capacity.leadingZeroBitCount)
        self.byteCapacity = byteCapacity
        wayCount = min(8, self.capacity)
        let initial = min(self.capacity, MatchCache.initialCapacity)
        hashes = Array(repeating: 0, count: initial)
        entries = Array(repeating: Entry(), count: initial)
    }

    // MARK: Looking up

    /// 0 is for empty places.
    @inline(__always)
    func hash(_ topic: UnsafeRawBufferPointer) -> UInt64 { hasher.hash(topic) | 1 }

    @inline(__always)
    func matches(of topic: UnsafeRawBufferPointer, hash: UInt64) -> Matches? {
        guard let place = place(of: topic, hash: hash), isValid(place) else { return nil }
        return entries[place].matches
    }

    /// Where the topic's entry is, valid or not.
    @inline(__always)
    private func place(of topic: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
        let first = firstPlace(hash)
        for place in first..<(first &+ wayCount) where hashes[place] == hash {
            if entries[place].isOf(topic) { return place }
        }
        return nil
    }

    /// Of the set that the hash chooses. Its low bit is always 1, so it has no part in that.
    @inline(__always)
    private func firstPlace(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash >> 1) & (hashes.count &- 1) & ~(wayCount &- 1)
    }

    @inline(__always)
    private func isValid(_ place: Int) -> Bool {
        let stamp = entries[place].stamp
        let prefixes = entries[place].prefixes
        return stamp >= changeOfAll && stamp >= changeOfPrefix[Int(prefixes.one)]
            && stamp >= changeOfPrefix[Int(prefixes.two)] && stamp >= changeOfPrefix[Int(prefixes.three)]
    }

    // MARK: Filling

    /// Remembers what `topic` matches now.
    mutating func insert(_ matches: Matches, topic: UnsafeRawBufferPointer, hash: UInt64) {
        guard capacity > 0, topic.count <= UInt16.max else { return }
        // Half full, one set of eight in fifty overflows; at three quarters, one in seven would.
        if count * 2 >= hashes.count, hashes.count < capacity { grow() }
        let place = place(of: topic, hash: hash) ?? placeToFill(hash)
        clear(place)
        let bytes = topic.count + matches.byteCount
        while count > 0, byteCount + bytes > byteCapacity { evictNext() }
        hashes[place] = hash
        let isShort = topic.count <= TopicKey.maximumCount
        entries[place] = Entry(
            key: isShort ? TopicKey(topic) : .empty, longTopic: isShort ? [] : Array(topic), matches: matches,
            stamp: changes, prefixes: prefixSlots(of: topic), topicLength: UInt16(topic.count))
        count += 1
        byteCount += bytes
    }

    private mutating func placeToFill(_ hash: UInt64) -> Int {
        let first = firstPlace(hash)
        for place in first..<(first + wayCount) where hashes[place] == 0 || !isValid(place) { return place }
        replacementHand = (replacementHand + 1) & (wayCount - 1)
        return first + replacementHand
    }

    private mutating func clear(_ place: Int) {
        guard hashes[place] != 0 else { return }
        byteCount -= entries[place].byteCount
        count -= 1
        hashes[place] = 0
        entries[place] = Entry()
    }

    private mutating func evictNext() {
        evictionHand = (evictionHand + 1) & (hashes.count - 1)
        clear(evictionHand)
    }

    /// A set's entries part into two sets of the double table, so each finds room.
    private mutating func grow() {
        let oldHashes = hashes
        let oldEntries = entries
        hashes = Array(repeating: 0, count: oldHashes.count * 2)
        entries = Array(repeating: Entry(), count: oldHashes.count * 2)
        for (hash, entry) in zip(oldHashes, oldEntries) where hash != 0 {
            let place = placeToFill(hash)
            clear(place)
            hashes[place] = hash
            entries[place] = entry
        }
    }

    // MARK: Invalidating

    /// What `pattern` matches has changed.
    mutating func invalidate(_ pattern: UnsafeRawBufferPointer) {
        changes += 1
        var start = 0
        var literalEnd = 0
        var literalCount = 0
        while true {
            if start < pattern.count, pattern[start] == UInt8(ascii: "+") || pattern[start] == UInt8(ascii: "#") {
                break
            }
            let end = pattern.endOfLevel(from: start)
            if end == pattern.count { return dropEntry(of: pattern) }
            if literalCount < 3 {
                literalEnd = end
                literalCount += 1
            }
            start = end + 1
        }
        if literalCount == 0 {
            changeOfAll = changes
        } else {
            changeOfPrefix[Int(prefixSlot(pattern.slice(0, literalEnd)))] = changes
        }
    }

    private mutating func dropEntry(of topic: UnsafeRawBufferPointer) {
        guard capacity > 0, let place = place(of: topic, hash: hash(topic)) else { return }
        clear(place)
    }

    private func prefixSlot(_ prefix: UnsafeRawBufferPointer) -> UInt16 {
        UInt16(truncatingIfNeeded: hasher.hash(prefix) >> 32) & UInt16(MatchCache.prefixSlotCount - 1)
    }

    private func prefixSlots(of topic: UnsafeRawBufferPointer) -> PrefixSlots {
        var slots = PrefixSlots()
        var end = topic.endOfLevel(from: 0)
        slots.one = prefixSlot(topic.slice(0, end))
        if end < topic.count { end = topic.endOfLevel(from: end + 1) }
        slots.two = prefixSlot(topic.slice(0, end))
        if end < topic.count { end = topic.endOfLevel(from: end + 1) }
        slots.three = prefixSlot(topic.slice(0, end))
        return slots
    }
}
