import Backbone
import DequeModule
import MQTTModel

/// The publishes of one connection that wait for the backbone, in the order they came. Whatever comes behind one that
/// waits, waits too: messages of one publisher are routed in the order published (P3).
struct PublishPipeline {
    struct Held {
        let message: ApplicationMessage
        let publisher: PublisherReference
        /// What the publisher is answered after `done`.
        let acknowledgement: PublishAcknowledgement
        /// The client whose will it is.
        let willOf: String?
        let token: BackboneToken
        /// nil while the backbone has not answered.
        var outcome: BackboneOutcome?
    }

    var held: Deque<Held> = []

    mutating func settle(_ token: BackboneToken, _ outcome: BackboneOutcome) {
        guard let index = held.firstIndex(where: { $0.token == token }) else { return }
        held[index].outcome = outcome
    }

    /// The first publish, if it is settled: taken out.
    mutating func popSettled() -> Held? {
        guard let first = held.first, first.outcome != nil else { return nil }
        return held.removeFirst()
    }
}

/// What ends a publisher's side of an exchange.
enum PublishAcknowledgement {
    case none
    case pubAck(ConnectionID, PacketIdentifier)
    case pubRec(ConnectionID, PacketIdentifier)
}
