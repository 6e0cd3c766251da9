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

/// Up to 32 bytes as four words, likewise.
struct TopicKey: Equatable {
    private var first: ShortBytes
    private var second: ShortBytes

    static let maximumCount = 32
    static let empty = TopicKey(first: ShortBytes(low: 0, high: 0), second: ShortBytes(low: 0, high: 0))

    private init(first: ShortBytes, second: ShortBytes) {
        self.first = first
        self.second = second
    }

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer) {
        let count = bytes.count
        assert(count <= TopicKey.maximumCount, "longer bytes do not fit in four words")
        if count <= ShortBytes.maximumCount {
            first = ShortBytes(bytes)
            second = ShortBytes(low: 0, high: 0)
        } else {
            first = ShortBytes(
                low: bytes.loadUnaligned(as: UInt64.self),
                high: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            second = ShortBytes(
                low: bytes.loadUnaligned(fromByteOffset: count &- 16, as: UInt64.self),
                high: bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
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
