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
