package import Backbone
package import MQTTModel
import TopicIndex

/// Of each message that the log keeps what is needed to know who wants it: where it lies and what it is like. Its
/// content is read from the log when its turn comes. About 36 bytes a message, and each topic once.
package struct KeptLog: Sendable {
    struct Entry: Sendable, Hashable {
        let position: LogSequence
        let publisherHash: UInt64
        let byteCount: UInt32
        /// Its number.
        var topic: UInt32
        /// Seconds since 1970 after which nobody wants it any more; 0: never.
        let expiresAt: UInt32
        let qos: QoS
        let isRetained: Bool
    }

    private(set) var entries = PartedDeque<Entry>()
    private(set) var topics = PartedDeque<ExactText>()
    private var numbers = TopicNumbers()
    private var chains = TopicChains()

    package init() {}

    package var count: Int { entries.count }

    /// Of the first one.
    package var firstPosition: LogSequence? { entries.first?.position }

    /// - Parameters:
    ///   - position: after all before.
    ///   - expiresAt: milliseconds since 1970; nil: never.
    package mutating func append(_ message: ApplicationMessage, at position: LogSequence, expiresAt: UInt64? = nil) {
        append(
            Entry(
                position: position, publisherHash: message.publisherHash,
                byteCount: UInt32(clamping: message.byteCount), topic: number(of: ExactText(message.topicString)),
                expiresAt: expiresAt.map { UInt32(clamping: $0 / 1000 + 1) } ?? 0, qos: message.qos,
                isRetained: message.isRetained))
    }

    /// Of one whose topic has its number.
    mutating func append(_ entry: Entry) {
        entries.append(entry)
        chains.append(entry.topic)
    }

    /// Gives the topic its number.
    @discardableResult
    mutating func number(of topic: ExactText) -> UInt32 {
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
    /// - Returns: how many there were.
    @discardableResult
    package mutating func forget(through position: LogSequence) -> Int {
        let count = firstIndex(above: position)
        forgetFirst(count)
        return count
    }

    /// Forgets those at the beginning that nobody wants any more at this time.
    ///
    /// - Parameter now: milliseconds since 1970.
    mutating func forgetExpired(at now: UInt64) {
        let now = UInt32(clamping: now / 1000)
        var count = 0
        while count < entries.count, entries[count].expiresAt > 0, entries[count].expiresAt < now { count += 1 }
        forgetFirst(count)
    }

    private mutating func forgetFirst(_ count: Int) {
        entries.removeFirst(count)
        chains.removeFirst(count)
        guard topics.count > 2 * entries.count + 1024 else { return }
        let (old, names) = (entries, topics)
        self = KeptLog()
        for index in 0..<old.count {
            var entry = old[index]
            entry.topic = number(of: names[Int(entry.topic)])
            append(entry)
        }
    }

    private func firstIndex(above position: LogSequence) -> Int { entries.firstIndex { $0.position > position } }
}
