package import MQTTModel

/// A position in the log: 1 and upwards, in the order of the entries. 0: not in the log.
package typealias LogSequence = UInt64

extension LogSequence {
    /// From here on a sequence is no position in the log: it names the exchange in which a session gets a copy of a
    /// retained message with QoS 2. The copy is not kept, the packet identifier must be.
    package static let firstCopy: LogSequence = 1 << 62
}

/// What every shard is told, in the same order, when the backbone has taken a message. The shard keeps it if it is
/// retained and routes it to its subscribers in the same step, so nobody who subscribes meanwhile gets neither or both.
package struct LogEntry: Sendable {
    /// 0 when no lasting session wanted it: it was retained, or a will, and is not kept in the log.
    package let sequence: LogSequence
    package let message: ApplicationMessage
    package let publisher: PublisherReference

    package init(sequence: LogSequence, message: ApplicationMessage, publisher: PublisherReference) {
        self.sequence = sequence
        self.message = message
        self.publisher = publisher
    }
}
