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

    /// By bytes [MQTT-4.7.3-4].
    public static func == (left: TopicName, right: TopicName) -> Bool { left.string.isExactly(right.string) }
    public func hash(into hasher: inout Hasher) { ExactString(string).hash(into: &hasher) }

    /// Whether `bytes` are a topic name: UTF-8 by the standard's rules, 1...65,535 bytes, neither `+` nor `#`
    /// [MQTT-3.3.2-2, MQTT-4.7.3-1].
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !bytes.isEmpty, bytes.count <= 65_535 else { return false }
        return !containsWildcard(bytes) && UTF8Rules.isValid(bytes)
    }

    package static func containsWildcard(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        // Eight bytes at a time: a byte that equals the wildcard becomes 0, and a borrow into its top bit shows it.
        while index &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if containsZeroByte(word ^ 0x2B2B_2B2B_2B2B_2B2B) || containsZeroByte(word ^ 0x2323_2323_2323_2323) {
                return true
            }
            index &+= 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") { return true }
            index &+= 1
        }
        return false
    }

    private static func containsZeroByte(_ word: UInt64) -> Bool {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0
    }
}
