package import Backbone
import DequeModule
package import MQTTModel
import TopicIndex

/// Of each message that the log keeps what is needed to know who wants it: where it lies and what it is like. Its
/// content is read from the log when its turn comes. About 36 bytes a message, and each topic once.
package struct KeptLog: Sendable {
    private struct Entry: Sendable {
        let position: LogSequence
        let publisherHash: UInt64
        let byteCount: UInt32
        let topic: UInt32
        let qos: QoS
        let isRetained: Bool
    }

    private var entries: Deque<Entry> = []
    private var topics: [ExactText] = []
    private var numbers = TopicNumbers()
    private var chains = TopicChains()

    package init() {}

    package var count: Int { entries.count }

    /// - Parameter position: after all before.
    package mutating func append(_ message: ApplicationMessage, at position: LogSequence) {
        append(
            Entry(
                position: position, publisherHash: message.publisherHash,
                byteCount: UInt32(clamping: message.byteCount), topic: number(of: ExactText(message.topicString)),
                qos: message.qos, isRetained: message.isRetained))
    }

    private mutating func append(_ entry: Entry) {
        entries.append(entry)
        chains.append(entry.topic)
    }

    private mutating func number(of topic: ExactText) -> UInt32 {
        let number = numbers.number(of: topic)
        if Int(number) == topics.count { topics.append(topic) }
        return number
    }

    /// Those that are wanted or whose place is named, in order; as messages without their content, though of the same size.
    /// What it costs depends on how many that are and not on how many there are, but for filters with wildcards, which cost
    /// a look at each topic that begins as they do.
    ///
    /// - Parameter wanted: of each filter, above which place it wants what matches it.
    package func entries(wanted: [ExactText: LogSequence], orAt places: Set<LogSequence> = []) -> [LogEntry] {
        var cursors: [UInt32: LogSequence] = [:]
        // Order-free: the least of each topic.
        for (pattern, cursor) in wanted {
            numbers.forEachMatch(of: pattern.string) { topic in
                guard let newest = chains.newest(of: topic), entries[newest].position > cursor else { return }
                cursors[topic] = min(cursors[topic] ?? .max, cursor)
            }
        }
        var indices = places.compactMap { index(of: $0) }
        // Order-free: they are sorted below.
        for (topic, cursor) in cursors {
            var next = chains.newest(of: topic)
            while let index = next, entries[index].position > cursor {
                indices.append(index)
                next = chains.entry(before: index)
            }
        }
        indices.sort()
        var found: [LogEntry] = []
        found.reserveCapacity(indices.count)
        var last: Int?
        for index in indices where index != last {
            let entry = entries[index]
            found.append(logEntry(entry))
            last = index
        }
        return found
    }

    /// The entry at a place, likewise.
    package func entry(at position: LogSequence) -> LogEntry? { index(of: position).map { logEntry(entries[$0]) } }

    private func index(of position: LogSequence) -> Int? {
        let index = firstIndex(above: position) - 1
        return index >= 0 && entries[index].position == position ? index : nil
    }

    private func logEntry(_ entry: Entry) -> LogEntry {
        LogEntry(sequence: entry.position, message: message(entry), publisher: .none)
    }

    private func message(_ entry: Entry) -> ApplicationMessage {
        let topic = topics[Int(entry.topic)].string.utf8
        let message = ApplicationMessage(capacity: Int(entry.byteCount))
        let payloadLength = max(0, Int(entry.byteCount) - topic.count)
        message.reset(topicLength: topic.count, propertiesLength: 0, payloadLength: payloadLength)
        message.bytes.initializeMemory(as: UInt8.self, repeating: 0)
        message.bytes.copyBytes(from: topic)
        message.qos = entry.qos
        message.isRetained = entry.isRetained
        message.publisherHash = entry.publisherHash
        return message
    }

    /// Nobody wants anything up to here any more.
    package mutating func forget(through position: LogSequence) {
        let count = firstIndex(above: position)
        entries.removeFirst(count)
        chains.removeFirst(count)
        guard topics.count > 2 * entries.count + 1024 else { return }
        let (old, names) = (entries, topics)
        self = KeptLog()
        for entry in old {
            append(
                Entry(
                    position: entry.position, publisherHash: entry.publisherHash, byteCount: entry.byteCount,
                    topic: number(of: names[Int(entry.topic)]), qos: entry.qos, isRetained: entry.isRetained))
        }
    }

    private func firstIndex(above position: LogSequence) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].position > position { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
