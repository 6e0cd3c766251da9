/// A topic name: what a message is published to (section 4.7). Never empty, at most 65,535 bytes, no wildcard.
public struct TopicName: Sendable, Hashable, CustomStringConvertible {
    public let string: String

    /// - Returns: nil unless `string` is a valid topic name.
    public init?(_ string: String) {
        var copy = string
        guard copy.withUTF8({ TopicName.isValid(UnsafeRawBufferPointer($0)) }) else { return nil }
        self.string = copy
    }

    public var description: String { string }

    public static func == (left: TopicName, right: TopicName) -> Bool {
        ExactText(left.string) == ExactText(right.string)
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(ExactText(string)) }

    /// Whether `bytes` are a topic name: UTF-8 by the standard's rules, 1...65,535 bytes, neither `+` nor `#`
    /// [MQTT-3.3.2-2, MQTT-4.7.3-1].
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !bytes.isEmpty, bytes.count <= 65_535 else { return false }
        return isPlain(bytes) || (!containsWildcard(bytes) && UTF8Rules.isValid(bytes))
    }

    package static func containsWildcard(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes where byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") { return true }
        return false
    }

    /// Whether `bytes` are ASCII without U+0000 and wildcards, as nearly all topic names are: what a decoder asks first,
    /// eight bytes at a time. False says nothing; the rules are those above.
    package static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        guard count >= 8 else {
            var suspicious = false
            for byte in bytes {
                suspicious = suspicious || byte == 0 || byte >= 0x80 || byte == 0x2B || byte == 0x23
            }
            return !suspicious
        }
        var index = 0
        var marks: UInt64 = 0
        while index &+ 8 < count {
            marks |= suspiciousBytes(bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            index &+= 8
        }
        // The last eight bytes, some of them for the second time.
        marks |= suspiciousBytes(bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
        return marks & 0x8080_8080_8080_8080 == 0
    }

    /// A word in which the top bit of a byte is set if that byte is not ASCII, 0, `+` or `#`: subtracting 1 sets it in a
    /// byte that is 0. A borrow marks the next byte too, but only where there is something to mark.
    @inline(__always)
    private static func suspiciousBytes(_ word: UInt64) -> UInt64 {
        word | (word &- 0x0101_0101_0101_0101) | ((word ^ 0x2B2B_2B2B_2B2B_2B2B) &- 0x0101_0101_0101_0101)
            | ((word ^ 0x2323_2323_2323_2323) &- 0x0101_0101_0101_0101)
    }
}
