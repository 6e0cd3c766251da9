/// The hash of topics and levels: eight bytes at a time, each pair folded with one multiplication to 128 bits.
///
/// Seeded, so that a client that does not know the seed cannot choose topics that collide; and nothing that the indices
/// answer depends on a hash, so two seeds give the same answers in the same order.
struct TopicHasher: Sendable {
    private let seed: UInt64

    init(seed: UInt64) { self.seed = TopicHasher.mix(seed ^ TopicHasher.first, TopicHasher.second) }

    // Odd, about half the bits set, and no pattern: the golden ratio and two of its relatives.
    private static let first: UInt64 = 0x9E37_79B9_7F4A_7C15
    private static let second: UInt64 = 0xBF58_476D_1CE4_E5B9
    private static let third: UInt64 = 0x94D0_49BB_1331_11EB

    @inline(__always)
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inline(__always)
    func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        if bytes.count <= 16 {
            let words = ShortBytes(bytes)
            return finish(words.low, words.high, seed, bytes.count)
        }
        return hashLong(bytes)
    }

    /// The hash of up to 16 bytes that were loaded before.
    @inline(__always)
    func hash(_ words: ShortBytes, count: Int) -> UInt64 { finish(words.low, words.high, seed, count) }

    private func hashLong(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = seed
        var position = 0
        while position &+ 16 < bytes.count {
            let low = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let high = bytes.loadUnaligned(fromByteOffset: position &+ 8, as: UInt64.self)
            state = TopicHasher.mix(low ^ TopicHasher.first, high ^ state)
            position &+= 16
        }
        // The last 16 bytes, some of them for the second time.
        let low = bytes.loadUnaligned(fromByteOffset: bytes.count &- 16, as: UInt64.self)
        let high = bytes.loadUnaligned(fromByteOffset: bytes.count &- 8, as: UInt64.self)
        return finish(low, high, state, bytes.count)
    }

    @inline(__always)
    private func finish(_ low: UInt64, _ high: UInt64, _ state: UInt64, _ count: Int) -> UInt64 {
        TopicHasher.mix(
            TopicHasher.second ^ UInt64(truncatingIfNeeded: count),
            TopicHasher.mix(low ^ TopicHasher.first, high ^ state) ^ TopicHasher.third)
    }
}

/// Up to 16 bytes as two words, so that bytes of one length are equal exactly if the words are.
struct ShortBytes: Equatable {
    var low: UInt64
    var high: UInt64

    static let maximumCount = 16

    @inline(__always)
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer) {
        let count = bytes.count
        assert(count <= ShortBytes.maximumCount, "longer bytes do not fit in two words")
        if count >= 8 {
            low = bytes.loadUnaligned(as: UInt64.self)
            high = bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        } else if count >= 4 {
            let head = bytes.loadUnaligned(as: UInt32.self)
            let tail = bytes.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            low = UInt64(head) | UInt64(tail) << 32
            high = 0
        } else if count > 0 {
            low = UInt64(bytes[0]) | UInt64(bytes[count >> 1]) << 8 | UInt64(bytes[count &- 1]) << 16
            high = 0
        } else {
            low = 0
            high = 0
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes, eight at a time.
    @inline(__always)
    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8 else { return ShortBytes(self) == ShortBytes(other) }
        var position = 0
        while position &+ 8 < count {
            let left = loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if left != other.loadUnaligned(fromByteOffset: position, as: UInt64.self) { return false }
            position &+= 8
        }
        let left = loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        return left == other.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    }

    /// Where the level that starts at `start` ends: the position of the next slash, or the end.
    @inline(__always)
    func endOfLevel(from start: Int) -> Int {
        var position = start
        while position < count, self[position] != UInt8(ascii: "/") { position &+= 1 }
        return position
    }

    @inline(__always)
    func slice(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[start..<end])
    }
}

/// Bytes of a text that may be bridged or sliced; Swift's own strings are not copied.
@inline(__always)
func withBytes<Result>(of text: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var copy = text
    return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
}
