package import Backbone
import DequeModule
package import MQTTModel

/// Of each message that the log keeps what is needed to know who wants it: where it lies and what it is like. Its
/// content is read from the log when its turn comes. About 32 bytes a message, and each topic once.
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
    private var numbers: [ExactText: UInt32] = [:]

    package init() {}

    package var count: Int { entries.count }

    /// - Parameter position: after all before.
    package mutating func append(_ message: ApplicationMessage, at position: LogSequence) {
        entries.append(
            Entry(
                position: position, publisherHash: message.publisherHash,
                byteCount: UInt32(clamping: message.byteCount), topic: number(of: ExactText(message.topicString)),
                qos: message.qos, isRetained: message.isRetained))
    }

    private mutating func number(of topic: ExactText) -> UInt32 {
        if let number = numbers[topic] { return number }
        let number = UInt32(topics.count)
        topics.append(topic)
        numbers[topic] = number
        return number
    }

    /// Those above `cursor`, in order, whose topic is wanted or whose place is named; as messages without their content,
    /// though of the same size.
    package func entries(
        above cursor: LogSequence, orAt places: Set<LogSequence> = [], isWanted: (String) -> Bool
    ) -> [LogEntry] {
        var wanted: [UInt32: Bool] = [:]
        var found: [LogEntry] = []
        for entry in entries[firstIndex(above: cursor)...] {
            if !places.contains(entry.position) {
                let isWanted = wanted[entry.topic] ?? isWanted(topics[Int(entry.topic)].string)
                wanted[entry.topic] = isWanted
                guard isWanted else { continue }
            }
            found.append(LogEntry(sequence: entry.position, message: message(entry), publisher: .none))
        }
        return found
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
        entries.removeFirst(firstIndex(above: position))
        guard topics.count > 2 * entries.count + 1024 else { return }
        let (old, names) = (entries, topics)
        entries = []
        topics = []
        numbers = [:]
        for entry in old {
            entries.append(
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
