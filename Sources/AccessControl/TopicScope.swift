import MQTTModel

/// The topics that a filter names, for deciding: is a topic one of them, is every topic of another filter one of them,
/// have two filters a topic in common.
///
/// Levels, and whether any number of levels may follow. `#` alone is kept as `+/#`, which names the same topics, because
/// every topic has a first level; so the rule that a wildcard there does not stand for `$…` [MQTT-4.7.2-1] has one place.
package struct TopicScope: Sendable, Hashable {
    enum Level: Sendable, Hashable {
        /// Exactly these bytes, without a `/`.
        case literal([UInt8])
        /// `+`: any level.
        case any
    }

    private(set) var levels: [Level]
    /// Ends with `/#`: what is named so far, and everything below it.
    private(set) var isOpen: Bool

    init(levels: [Level], isOpen: Bool) {
        self.levels = levels.isEmpty ? [.any] : levels
        self.isOpen = isOpen
    }

    /// - Parameter pattern: a topic filter without share name, valid by `TopicFilter`.
    package init(pattern: String) {
        var levels: [Level] = []
        var isOpen = false
        for level in pattern.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if level.elementsEqual("#".utf8) {
                isOpen = true
            } else {
                levels.append(level.elementsEqual("+".utf8) ? .any : .literal(Array(level)))
            }
        }
        self.init(levels: levels, isOpen: isOpen)
    }

    /// Whether a message with this topic is one of them.
    package func matches(_ topic: UnsafeRawBufferPointer) -> Bool {
        var start = 0
        var position = 0
        while true {
            var end = start
            while end < topic.count, topic[end] != UInt8(ascii: "/") { end += 1 }
            switch levels[position] {
            case .any:
                if position == 0, topic.first == UInt8(ascii: "$") { return false }
            case .literal(let bytes):
                guard bytes.count == end - start, topic[start..<end].elementsEqual(bytes) else { return false }
            }
            position += 1
            if end == topic.count { return position == levels.count }
            if position == levels.count { return isOpen }
            start = end + 1
        }
    }

    /// Whether every topic of `other` is one of these.
    package func contains(_ other: TopicScope) -> Bool {
        guard other.levels.count == levels.count || (isOpen && other.levels.count > levels.count),
            isOpen || !other.isOpen
        else { return false }
        for (position, level) in levels.enumerated() {
            switch (level, other.levels[position]) {
            case (.any, .any): break
            case (.any, .literal(let bytes)):
                if position == 0, bytes.first == UInt8(ascii: "$") { return false }
            case (.literal, .any): return false
            case (.literal(let own), .literal(let others)):
                if own != others { return false }
            }
        }
        return true
    }

    /// Whether some topic is one of these and one of `other`.
    package func overlaps(_ other: TopicScope) -> Bool {
        guard levels.count == other.levels.count || (levels.count < other.levels.count ? isOpen : other.isOpen)
        else { return false }
        for (position, pair) in zip(levels, other.levels).enumerated() {
            switch pair {
            case (.any, .any): break
            case (.any, .literal(let bytes)), (.literal(let bytes), .any):
                if position == 0, bytes.first == UInt8(ascii: "$") { return false }
            case (.literal(let own), .literal(let others)):
                if own != others { return false }
            }
        }
        return true
    }
}
