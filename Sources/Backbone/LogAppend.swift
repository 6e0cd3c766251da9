package import MQTTModel

/// A message for the backbone, and what has to become durable in the same transaction.
package struct LogAppend: Sendable {
    /// Its RETAIN flag makes it the retained message of its topic, or deletes that one when its payload is empty
    /// [MQTT-3.3.1-6].
    package let message: ApplicationMessage
    package let publisher: PublisherReference
    /// Sessions that outlive their connection want it: it is kept in the log until they have had it.
    package var isKept = false
    /// Shared subscriptions that want it for one of their lasting members: it is kept for each until that one is done
    /// with it (`SessionChange.groupFinished`).
    package var groups: [SharedGroup] = []
    /// The QoS 2 exchange it came by, for a publisher whose session lasts: a repeat of the identifier is recognised, also
    /// after a restart, until `SessionChange.released`.
    package var received: ReceivedExchange?
    /// The client whose will it is: it is published, so it stands no longer.
    package var willOf: String?
    /// The last append of the same shard that it knows was not taken (`RefusedPublishers`).
    package var knownRefusal = BackboneToken(rawValue: 0)

    package init(message: ApplicationMessage, publisher: PublisherReference) {
        self.message = message
        self.publisher = publisher
    }
}

/// A QoS 2 exchange of a publisher: its session and the packet identifier that it chose.
package struct ReceivedExchange: Sendable, Hashable {
    package let clientIdentifier: ExactText
    package let packetIdentifier: PacketIdentifier

    package init(clientIdentifier: String, packetIdentifier: PacketIdentifier) {
        self.clientIdentifier = ExactText(clientIdentifier)
        self.packetIdentifier = packetIdentifier
    }
}

/// A shared subscription: its name and the filter below it (5.0 section 4.8.2).
package struct SharedGroup: Sendable, Hashable {
    package let name: String
    package let pattern: String

    package init(name: String, pattern: String) {
        self.name = name
        self.pattern = pattern
    }

    package static func == (left: SharedGroup, right: SharedGroup) -> Bool {
        ExactText(left.name) == ExactText(right.name) && ExactText(left.pattern) == ExactText(right.pattern)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(ExactText(name))
        hasher.combine(ExactText(pattern))
    }
}
