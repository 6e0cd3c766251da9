package import MQTTModel

/// A position in the log: 1 and upwards, in the order of the entries. 0: not in the log.
package typealias LogSequence = UInt64

extension LogSequence {
    /// From here on a sequence is no position in the log: it names a copy of a retained message that a session gets for a
    /// new subscription. Each session counts its own.
    package static let firstCopy: LogSequence = 1 << 62
    /// The copies that one `RetainedWish` may bring: those after its number.
    private static let copiesOfWish: LogSequence = 1 << 28

    /// The number of a session's wish: 0 and upwards, in the order of making.
    package static func wish(_ index: UInt64) -> LogSequence { firstCopy + index * copiesOfWish }

    /// Of a wish or of one of its copies: the wish's number.
    package var wish: LogSequence { self & ~(LogSequence.copiesOfWish - 1) }

    /// Of a wish or of one of its copies: all of them.
    package var copiesOfItsWish: ClosedRange<LogSequence> { wish...(wish + LogSequence.copiesOfWish - 1) }

    /// Of a wish or of one of its copies: which wish of the session it is.
    package var wishIndex: UInt64 { (self - LogSequence.firstCopy) / LogSequence.copiesOfWish }
}

/// What every shard is told, in the same order, when the backbone has taken a message. The shard keeps it if it is
/// retained and routes it to its subscribers in the same step, so nobody who subscribes meanwhile gets neither or both.
package struct LogEntry: Sendable {
    /// 0 when no lasting session wanted it: it was retained, or a will, and is not kept in the log.
    package let sequence: LogSequence
    package let message: ApplicationMessage
    package let publisher: PublisherReference
    /// Members of shared subscriptions that were chosen for it and have their session on this node: for an engine that
    /// several nodes share, where no shard chooses.
    package var choices: [GroupChoice] = []

    package init(sequence: LogSequence, message: ApplicationMessage, publisher: PublisherReference) {
        self.sequence = sequence
        self.message = message
        self.publisher = publisher
    }
}

/// A member of a shared subscription to whom one message goes.
package struct GroupChoice: Sendable, Hashable {
    package let group: SharedGroup
    /// Of the member's session.
    package let client: ExactText
    /// Whether the message is the member's until it says that it is done with it (`SessionChange.groupFinished`), or that
    /// it does not take it (`groupPassed`). With QoS 0 nobody waits for that.
    package let isKept: Bool

    package init(_ group: SharedGroup, client: ExactText, isKept: Bool) {
        self.group = group
        self.client = client
        self.isKept = isKept
    }
}
