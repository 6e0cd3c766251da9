package import MQTTModel

/// What a broker asks of the part of it that is durable or shared between shards and nodes. The engine answers every
/// command exactly once with a `BackboneOutcome`.
package enum BackboneCommand: Sendable {
    /// Keep the message for the durable sessions that want it. The publisher is acknowledged only after `done` (P1).
    case append(ApplicationMessage)
    /// Make the message the retained one of its topic, or delete that one when its payload is empty [MQTT-3.3.1-6],
    /// and tell every shard, in one order for all of them, with a `RetainedChange` (P4). Answered `done` when every
    /// shard that exists is certain to see the change before whatever a client causes after the answer.
    case retain(ApplicationMessage, publisher: PublisherReference)
}

/// How a command ended.
package enum BackboneOutcome: Sendable, Hashable {
    case done
    /// Somebody else changed what the command was conditional on; nothing was done.
    case conflict
    /// No answer came: it may or may not have been done. Never acknowledged to a client.
    case unknown
}

/// Pairs a command with its answer; unique within a shard's lifetime.
package struct BackboneToken: Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What every shard is told, in the same order, when a retained message is set or deleted. The shard stores it and
/// routes the message to its subscribers in the same step, so nobody who subscribes meanwhile gets neither or both.
package struct RetainedChange: Sendable {
    package let message: ApplicationMessage
    package let publisher: PublisherReference

    package init(message: ApplicationMessage, publisher: PublisherReference) {
        self.message = message
        self.publisher = publisher
    }
}

/// Who published a message, for No Local [MQTT-3.8.3-3]: a session of one shard. A slot is used again, the generation
/// tells its sessions apart.
package struct PublisherReference: Sendable, Hashable {
    package let shard: UInt16
    package let session: UInt32
    package let generation: UInt32

    package init(shard: UInt16, session: UInt32, generation: UInt32) {
        self.shard = shard
        self.session = session
        self.generation = generation
    }

    /// The broker itself, or a session that has ended.
    package static let none = PublisherReference(shard: .max, session: .max, generation: .max)
}
