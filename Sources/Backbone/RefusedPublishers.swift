/// The publishers of which an engine did not take a message, while they may not know it: what they have under way behind that
/// message is not taken either. Their clients send again what was not taken, and it must not come behind what was sent later
/// (P3).
///
/// Each append says what its shard had learned when it was submitted, so an entry lasts no longer than until the next append
/// after that.
package struct RefusedPublishers: Sendable {
    private struct Refusal {
        let publisher: PublisherReference
        let submitter: UInt16
        let token: BackboneToken
    }

    private var refusals: [Refusal] = []

    package init() {}

    package var isEmpty: Bool { refusals.isEmpty }

    /// The engine has not taken a message, for another reason than `mustRefuse`.
    package mutating func refused(_ append: LogAppend, submitter: UInt16, token: BackboneToken) {
        // The broker itself keeps no order.
        guard append.publisher != .none else { return }
        refusals.removeAll { $0.publisher == append.publisher && $0.submitter == submitter }
        refusals.append(Refusal(publisher: append.publisher, submitter: submitter, token: token))
    }

    /// Whether the message was sent behind one that was not taken, by a publisher who could not know. To be asked of all
    /// appends, in order.
    package mutating func mustRefuse(_ append: LogAppend, submitter: UInt16) -> Bool {
        if refusals.isEmpty { return false }
        refusals.removeAll { $0.submitter == submitter && $0.token.rawValue <= append.knownRefusal.rawValue }
        return refusals.contains { $0.publisher == append.publisher && $0.submitter == submitter }
    }
}
