/// The lexical order of topics level by level: of two, the one whose first different level comes first by bytes, and a
/// topic before those below it.
enum TopicOrder {
    static func isBefore(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        let common = min(left.count, right.count)
        var position = 0
        while position &+ 8 <= common {
            let word = left.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            if word != right.loadUnaligned(fromByteOffset: position, as: UInt64.self) { break }
            position &+= 8
        }
        while position < common {
            if left[position] != right[position] { return rank(left[position]) < rank(right[position]) }
            position &+= 1
        }
        return left.count < right.count
    }

    /// A slash ends the level, so it comes before any byte of one; no topic holds U+0000 [MQTT-4.7.3-2].
    private static func rank(_ byte: UInt8) -> UInt8 { byte == UInt8(ascii: "/") ? 0 : byte }
}

/// Patterns against single topics, by bytes and without an index.
enum PatternMatcher {
    /// The levels before the first wildcard, with the slash behind them; nil when there is no wildcard.
    static func literalPrefix(of pattern: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        for position in pattern.indices where isWildcard(pattern[position]) { return pattern.slice(0, position) }
        return nil
    }

    /// Whether `topic` begins with `prefix`, or is all of it but its last slash.
    static func topic(_ topic: UnsafeRawBufferPointer, isAtOrBelow prefix: UnsafeRawBufferPointer) -> Bool {
        if topic.count >= prefix.count { return topic.slice(0, prefix.count).equals(prefix) }
        return topic.count + 1 == prefix.count && topic.equals(prefix.slice(0, topic.count))
    }

    /// Whether `topic` matches `pattern` (section 4.7).
    static func matches(_ pattern: UnsafeRawBufferPointer, _ topic: UnsafeRawBufferPointer) -> Bool {
        guard let first = pattern.first else { return false }
        if topic.first == UInt8(ascii: "$"), isWildcard(first) { return false }
        var patternStart = 0
        var topicStart = 0
        while true {
            let patternEnd = pattern.endOfLevel(from: patternStart)
            let topicEnd = topic.endOfLevel(from: topicStart)
            let isWildcardLevel = patternEnd == patternStart + 1 && isWildcard(pattern[patternStart])
            if isWildcardLevel {
                if pattern[patternStart] == UInt8(ascii: "#") { return true }
            } else if !pattern.slice(patternStart, patternEnd).equals(topic.slice(topicStart, topicEnd)) {
                return false
            }
            let isLastOfPattern = patternEnd == pattern.count
            let isLastOfTopic = topicEnd == topic.count
            if isLastOfPattern { return isLastOfTopic }
            if isLastOfTopic {
                // "#" matches the parent level too (section 4.7.1.2).
                return patternEnd + 2 == pattern.count && pattern[patternEnd + 1] == UInt8(ascii: "#")
            }
            patternStart = patternEnd + 1
            topicStart = topicEnd + 1
        }
    }

    private static func isWildcard(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") }
}
