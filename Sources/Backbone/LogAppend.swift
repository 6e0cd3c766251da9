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
    /// The client that has published it, for an engine that several nodes share: what a node says for a client that another
    /// one has by then does not count, for the client has sent it again there (P3, P4). Nothing when `received` says it.
    package var publishedBy: ExactText?
    /// The client whose will it is: it is published, so it stands no longer.
    package var willOf: String?
    /// Which members of shared subscriptions come first, for an engine that several nodes share; set by it.
    package var preference = MemberPreference()
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

    /// That of a topic filter; nil for an ordinary one.
    package init?(filter: String) {
        guard filter.utf8.starts(with: "$share/".utf8), let parsed = TopicFilter(filter), let name = parsed.shareName
        else { return nil }
        self.init(name: name, pattern: parsed.pattern)
    }

    package static func == (left: SharedGroup, right: SharedGroup) -> Bool {
        ExactText(left.name) == ExactText(right.name) && ExactText(left.pattern) == ExactText(right.pattern)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(ExactText(name))
        hasher.combine(ExactText(pattern))
    }
}

/// Which connected members of a shared subscription come first when one is chosen for a message. Without any, each has
/// its turn.
package struct MemberPreference: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Those on the publisher's node.
    package static let local = MemberPreference(rawValue: 1)
    /// The one with the fewest messages that it is not done with.
    package static let leastBusy = MemberPreference(rawValue: 2)
}
