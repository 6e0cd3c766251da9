/// A topic filter as a subscriber sends it (section 4.7), shared subscriptions included (5.0 section 4.8.2).
public struct TopicFilter: Sendable, Hashable, CustomStringConvertible {
    /// The filter as it was sent, `$share/NAME/` included.
    public let string: String
    /// The name of the shared subscription, nil for an ordinary one.
    public let shareName: String?
    /// The part that topics are matched against: `string` without `$share/NAME/`.
    public let pattern: String

    /// - Parameter allowsShared: whether `$share/NAME/filter` is a shared subscription. It is in 5.0; Dunlin serves 3.1.1
    ///   clients the same way, as most brokers do.
    /// - Returns: nil unless `string` is a valid filter.
    public init?(_ string: String, allowsShared: Bool = true) {
        if allowsShared, string.utf8.starts(with: "$share/".utf8) {
            let rest = string.utf8.dropFirst("$share/".utf8.count)
            guard let slash = rest.firstIndex(of: UInt8(ascii: "/")), slash != rest.startIndex else { return nil }
            let name = rest[..<slash]
            guard !name.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }),
                let shareName = String(name), let pattern = String(rest[rest.index(after: slash)...])
            else { return nil }
            self.shareName = shareName
            self.pattern = pattern
        } else {
            self.shareName = nil
            self.pattern = string
        }
        self.string = string
        var copy = pattern
        guard string.utf8.count <= 65_535, copy.withUTF8({ TopicFilter.isValidPattern(UnsafeRawBufferPointer($0)) })
        else { return nil }
    }

    public var description: String { string }
    public var isShared: Bool { shareName != nil }

    public static func == (left: TopicFilter, right: TopicFilter) -> Bool {
        ExactText(left.string) == ExactText(right.string) && left.isShared == right.isShared
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(ExactText(string)) }

    public var hasWildcard: Bool {
        pattern.utf8.contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") }
    }

    /// Whether `bytes` are a filter without share name: `#` only as the whole last level, `+` only as a whole level
    /// [MQTT-4.7.1-1, MQTT-4.7.1-2 of 5.0].
    package static func isValidPattern(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard !bytes.isEmpty, bytes.count <= 65_535 else { return false }
        for index in bytes.indices {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") else { continue }
            let isLast = index == bytes.count - 1
            let startsLevel = index == 0 || bytes[index - 1] == UInt8(ascii: "/")
            let endsLevel = isLast || (byte == UInt8(ascii: "+") && bytes[index + 1] == UInt8(ascii: "/"))
            if !startsLevel || !endsLevel { return false }
        }
        return UTF8Rules.isValid(bytes)
    }

    /// Whether a message with the topic `topic` matches this filter: the plain statement of the rule, level by level,
    /// which the index is tested against [MQTT-4.7.2-1].
    public func matches(_ topic: String) -> Bool {
        let filterLevels = pattern.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let topicLevels = topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let startsWithWildcard = pattern.utf8.first == UInt8(ascii: "#") || pattern.utf8.first == UInt8(ascii: "+")
        if topic.utf8.first == UInt8(ascii: "$"), startsWithWildcard { return false }
        for (position, level) in filterLevels.enumerated() {
            if level.elementsEqual("#".utf8) { return position <= topicLevels.count }
            guard position < topicLevels.count else { return false }
            if !level.elementsEqual("+".utf8), !level.elementsEqual(topicLevels[position]) { return false }
        }
        return filterLevels.count == topicLevels.count
    }
}
