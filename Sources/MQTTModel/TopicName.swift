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

    /// Whether `bytes` are a topic name: UTF-8 by the standard's rules, 1...65,535 bytes, neither `+` nor `#`
    /// [MQTT-3.3.2-2, MQTT-4.7.3-1].
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !bytes.isEmpty, bytes.count <= 65_535 else { return false }
        return !containsWildcard(bytes) && UTF8Rules.isValid(bytes)
    }

    package static func containsWildcard(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes where byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") { return true }
        return false
    }
}
