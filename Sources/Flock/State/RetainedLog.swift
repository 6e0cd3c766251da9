package import Backbone
package import MQTTModel

/// The retained message of each topic, as the log has it. The messages are the ones that the shards hold, so one costs the
/// table about 50 bytes.
package struct RetainedLog: Sendable {
    /// Names the message by its topic, of which it holds no copy.
    struct Key: PartedKey {
        let message: ApplicationMessage

        var stableHash: UInt64 { StableHash.hash(message.topic) }

        static func == (left: Key, right: Key) -> Bool { left.message.topic.elementsEqual(right.message.topic) }

        func hash(into hasher: inout Hasher) { hasher.combine(bytes: message.topic) }
    }

    struct Value: Sendable {
        let position: LogSequence
        /// Milliseconds since 1970; nil: never.
        let expiresAt: UInt64?
    }

    package struct Retained: Sendable {
        package let message: ApplicationMessage
        package let position: LogSequence
        package let expiresAt: UInt64?
    }

    private(set) var table = PartedTable<Key, Value>()
    private var nextSwept = 0

    package init() {}

    package var count: Int { table.count }

    /// An empty payload deletes [MQTT-3.3.1-6].
    mutating func keep(_ message: ApplicationMessage, at position: LogSequence, expiresAt: UInt64?) {
        let key = Key(message: message)
        // The key is the message: it goes with the value.
        table[key] = nil
        if message.payloadLength > 0 { table[key] = Value(position: position, expiresAt: expiresAt) }
    }

    /// Forgets what has expired, in one part of the table with each call.
    mutating func sweep(at now: UInt64) {
        table.removeAll(inPart: nextSwept) { _, value in value.expiresAt.map { $0 <= now } ?? false }
        nextSwept = (nextSwept + 1) % table.parts.count
    }

    /// All of them, in the order in which they were retained.
    package var all: [Retained] {
        RetainedLog.sorted(table.parts.joined())
    }

    static func sorted(_ some: some Sequence<(key: Key, value: Value)>) -> [Retained] {
        some.map { Retained(message: $0.key.message, position: $0.value.position, expiresAt: $0.value.expiresAt) }
            .sorted { $0.position < $1.position }
    }
}
