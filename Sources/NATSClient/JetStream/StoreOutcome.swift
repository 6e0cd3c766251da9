package import NATSProtocol
import NIOCore

/// How storing a message ended, by what may be concluded from it.
package enum StoreOutcome: Hashable, Sendable {
    /// Enough replicas have it.
    case stored(PublishAcknowledgement)
    /// A condition does not hold: someone else was first. It is not stored.
    case conflict(JetStreamError)
    /// It is not stored.
    case refused(JetStreamError)
    /// No stream takes the subject, or has no leader at this moment. It is not stored.
    case noResponders
    case notSent(NotSentReason)
    /// No answer came: it may be stored. Storing it again with the same `messageID` stores it once.
    case unknown(LostAnswer)

    init(_ outcome: RequestOutcome) {
        switch outcome {
        case .answer(let message): self = StoreOutcome.parse(message)
        case .noResponders: self = .noResponders
        case .notSent(let reason): self = .notSent(reason)
        case .unknown(let answer): self = .unknown(answer)
        }
    }

    private static func parse(_ message: NATSMessage) -> StoreOutcome {
        if let acknowledgement = PublishAcknowledgement(json: message.payload) { return .stored(acknowledgement) }
        switch NATSConnection.decode(Answer.self, from: message.payload) {
        case .failure(.conflict(let error)): return .conflict(error)
        case .failure(.refused(let error)): return .refused(error)
        // Nobody but JetStream answers on these subjects, and this is not its answer.
        case .failure, .success: return .unknown(.timedOut)
        }
    }

    private struct Answer: Decodable {}

    func get() throws(NATSError) -> PublishAcknowledgement {
        switch self {
        case .stored(let acknowledgement): return acknowledgement
        case .conflict(let error): throw .conflict(error)
        case .refused(let error): throw .refused(error)
        case .noResponders: throw .noResponders
        case .notSent(let reason): throw .notSent(reason)
        case .unknown(let answer): throw .unknown(answer)
        }
    }
}

/// What has to hold for a message to be stored, and how long it lives.
package struct StoreConditions: Hashable, Sendable {
    /// A second message with the same identifier is not stored, and is answered with the first one's sequence.
    package var messageID: String?
    /// The sequence of the last message on the same subject, 0 for none: compare-and-set.
    package var lastSubjectSequence: UInt64?
    /// The sequence of the last message of the stream.
    package var lastSequence: UInt64?
    /// In whole seconds; it needs `allowsMessageTTL`.
    package var timeToLive: Duration?

    package init(
        messageID: String? = nil, lastSubjectSequence: UInt64? = nil, lastSequence: UInt64? = nil,
        timeToLive: Duration? = nil
    ) {
        self.messageID = messageID
        self.lastSubjectSequence = lastSubjectSequence
        self.lastSequence = lastSequence
        self.timeToLive = timeToLive
    }

    /// Appends them to the headers of a message.
    ///
    /// - Throws: when the identifier has an end of a line in it.
    package func append(to headers: inout HeaderBlock) throws(HeaderBlock.InvalidField) {
        if let messageID { try headers.append("Nats-Msg-Id", messageID) }
        if let lastSubjectSequence { headers.append("Nats-Expected-Last-Subject-Sequence", lastSubjectSequence) }
        if let lastSequence { headers.append("Nats-Expected-Last-Sequence", lastSequence) }
        if let timeToLive {
            try headers.append("Nats-TTL", "\(max(1, (timeToLive.nanoseconds + 999_999_999) / 1_000_000_000))s")
        }
    }

    var isEmpty: Bool { self == StoreConditions() }
}
