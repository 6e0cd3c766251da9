package import AccessControl
package import Backbone
package import MQTTModel

/// One recipient of a published message: plain data, so that a fan-out to a thousand costs no reference counting.
package struct Recipient: Sendable, Hashable {
    package var connection: ConnectionID
    /// 0 with QoS 0.
    package var packetIdentifier: PacketIdentifier
    package var qos: QoS
    package var isDuplicate: Bool
    package var isRetained: Bool
    /// 0: none. Only towards 5.0 clients that allow aliases.
    package var topicAlias: UInt16
    /// With an alias that the client already knows, the packet carries an empty topic.
    package var omitsTopic: Bool
    /// The packet's subscription identifiers: a range of `Effects.subscriptionIdentifiers`.
    package var firstSubscriptionIdentifier: UInt32
    package var subscriptionIdentifierCount: UInt16
}

/// What the driver has to do. In the imperative; see `BrokerCore` for the driver's duties. The rare and large ones are
/// boxed, so that the frequent ones stay small.
package enum Effect: Sendable {
    /// Send the message to every recipient in `Effects.recipients[range]`. `remainingExpiry` replaces the message's
    /// expiry interval in 5.0 packets [MQTT-3.3.2-6]; `UInt32.max` stands for none.
    case publish(ApplicationMessage, recipients: Range<Int>, remainingExpiry: UInt32)
    /// Send PUBACK, PUBREC, PUBREL or PUBCOMP without properties.
    case acknowledge(ConnectionID, Acknowledgement.Kind, PacketIdentifier, ReasonCode)
    indirect case send(ConnectionID, Packet)
    /// Send what was sent before, then close the network connection, within `Limits.closeTimeout`. The core has already
    /// forgotten the connection: nothing more of it may be reported.
    case close(ConnectionID)
    /// Stop reading from the connection, and report no packet of it that was read already, until `resumeReading`: what it
    /// asked for is not done yet.
    case pauseReading(ConnectionID)
    case resumeReading(ConnectionID)
    /// Find out whether the client is who it says it is, and answer with `authenticated`, exactly once.
    indirect case authenticate(ConnectionID, AuthenticationRequest)
    /// Call `step(.deadlineReached)` at this instant. Replaces the instant of the last one.
    case setDeadline(Instant)
    case execute(BackboneToken, BackboneCommand)
    /// Hand the message to another shard's core as `peerMessageReceived`, in the order of the effects, before whatever
    /// any client sends after it has seen an effect of this step.
    case forward(shard: UInt16, PeerMessage)
    /// For logs and metrics; changes nothing.
    indirect case report(BrokerEvent)
}

/// The effects of a step, in the order in which the driver runs them. One buffer is used again for every step.
package struct Effects: Sendable {
    package internal(set) var all: [Effect] = []
    package internal(set) var recipients: [Recipient] = []
    package internal(set) var subscriptionIdentifiers: [UInt32] = []

    package init() {}

    package var isEmpty: Bool { all.isEmpty }

    /// Empties the buffer for the next step and keeps its capacity.
    package mutating func removeAll() {
        all.removeAll(keepingCapacity: true)
        if !recipients.isEmpty { recipients.removeAll(keepingCapacity: true) }
        if !subscriptionIdentifiers.isEmpty { subscriptionIdentifiers.removeAll(keepingCapacity: true) }
    }
}

extension Effects {
    /// Ends a group of recipients: one effect for all that were appended since `start`, none if there are none.
    mutating func publish(_ message: ApplicationMessage, toRecipientsFrom start: Int, at now: Instant) {
        let end = recipients.count
        guard end > start else { return }
        let remainingExpiry = message.expiryInterval == nil ? UInt32.max : message.remainingExpiry(at: now) ?? .max
        all.append(.publish(message, recipients: start..<end, remainingExpiry: remainingExpiry))
    }
}
