package import MQTTModel

/// Topics that have come up, each with a number, from 0 in the order of their coming; and which of them match a filter:
/// without wildcards that is one look, with them a look at each topic that begins as the filter does.
package struct TopicNumbers: Sendable {
    private var topics: [ExactText] = []
    private var numbers: [ExactText: UInt32] = [:]
    private var order = SortedChunks<UInt32>()

    package init() {}

    package var count: Int { topics.count }

    /// Gives the topic its number, if it has none yet.
    package mutating func number(of topic: ExactText) -> UInt32 {
        if let number = numbers[topic] { return number }
        let number = UInt32(topics.count)
        order.insert(number, at: withBytes(of: topic.string) { position(of: $0) })
        topics.append(topic)
        numbers[topic] = number
        return number
    }

    private func position(of topic: UnsafeRawBufferPointer) -> SortedChunks<UInt32>.Position {
        order.partitionPoint { number in
            withBytes(of: topics[Int(number)].string) { TopicOrder.isBefore($0, topic) }
        }
    }

    /// The numbers of the topics that match `pattern`, in lexical order of the topics' levels.
    package func forEachMatch(of pattern: String, _ body: (UInt32) -> Void) {
        withBytes(of: pattern) { bytes in
            if let prefix = PatternMatcher.literalPrefix(of: bytes) {
                forEachMatch(of: bytes, behind: prefix, body)
            } else if let number = numbers[ExactText(pattern)] {
                body(number)
            }
        }
    }

    private func forEachMatch(
        of pattern: UnsafeRawBufferPointer, behind prefix: UnsafeRawBufferPointer, _ body: (UInt32) -> Void
    ) {
        // The parent level lies before all that is below it, and "#" matches it too.
        var position = self.position(of: prefix.slice(0, max(prefix.count - 1, 0)))
        while let number = order[position] {
            let (isBelow, isMatch) = withBytes(of: topics[Int(number)].string) { topic in
                (PatternMatcher.topic(topic, isAtOrBelow: prefix), PatternMatcher.matches(pattern, topic))
            }
            guard isBelow else { return }
            if isMatch { body(number) }
            position = order.position(after: position)
        }
    }
}
