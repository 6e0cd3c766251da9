import Backbone
import MQTTModel

/// A message that waits in a session, without the message: where it lies in the log, and how it will be sent.
struct QueuedEntry: Hashable {
    /// Where the message lies in the log, or the number of a retained message's copy; 0 when it has none.
    var sequence: LogSequence
    /// Bytes of the message.
    var byteCount: UInt32
    /// Flags, and above them the number of the subscription identifiers: in one word, for they rarely change from one
    /// entry to the next.
    private(set) var attributes: UInt32

    private enum Flag {
        static let qos: UInt32 = 0x03
        static let isRetained: UInt32 = 0x04
        static let isRetainedCopy: UInt32 = 0x08
        static let isShared: UInt32 = 0x10
        static let holdsMessage: UInt32 = 0x20
    }

    static let maximumIdentifierSet: UInt32 = (1 << 24) - 1
    /// What the first entry of all is compared with.
    static let none = QueuedEntry(sequence: 0, byteCount: 0, attributes: 0)

    init(sequence: LogSequence, byteCount: UInt32, attributes: UInt32) {
        self.sequence = sequence
        self.byteCount = byteCount
        self.attributes = attributes
    }

    init(
        sequence: LogSequence, byteCount: Int, qos: QoS, isRetained: Bool, isRetainedCopy: Bool = false,
        isShared: Bool = false, holdsMessage: Bool
    ) {
        var attributes = UInt32(qos.rawValue)
        if isRetained { attributes |= Flag.isRetained }
        if isRetainedCopy { attributes |= Flag.isRetainedCopy }
        if isShared { attributes |= Flag.isShared }
        if holdsMessage { attributes |= Flag.holdsMessage }
        self.init(sequence: sequence, byteCount: UInt32(clamping: byteCount), attributes: attributes)
    }

    /// The QoS it will be sent with.
    var qos: QoS { QoS(rawValue: UInt8(attributes & Flag.qos)) ?? .atLeastOnce }
    /// The RETAIN flag it will be sent with.
    var isRetained: Bool { attributes & Flag.isRetained != 0 }
    /// A copy of a retained message for a new subscription.
    var isRetainedCopy: Bool { attributes & Flag.isRetainedCopy != 0 }
    /// It came by a shared subscription.
    var isShared: Bool { attributes & Flag.isShared != 0 }
    /// The message lies beside it in the queue; else it has to be read from the log.
    var holdsMessage: Bool { attributes & Flag.holdsMessage != 0 }
    /// In the log, and the session's own rather than its group's.
    var isOwn: Bool { sequence > 0 && !isShared && !isRetainedCopy }

    /// The number of its subscription identifiers in `IdentifierSets`.
    var identifierSet: UInt32 {
        get { attributes >> 8 }
        set { attributes = attributes & 0xFF | newValue << 8 }
    }
}
