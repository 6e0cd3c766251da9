package import BrokerCore
package import MQTTModel

/// Something that a checker may want to know: what honest clients saw, and what the broker did to connections.
package enum Occurrence: Sendable {
    /// A client learned that it is connected.
    case connected(Attendance, isSessionPresent: Bool)
    /// A client's connection has ended, as the client sees it.
    case disconnected(Attendance, DisconnectionCause)
    /// A PUBLISH arrived, new or repeated.
    case publishReceived(Attendance, ReceivedPublish)
    /// The client's application got the message: with QoS 2 once for all repetitions of one packet identifier.
    case delivered(Attendance, ReceivedPublish)
    /// The client has sent PUBACK, PUBREC or PUBCOMP.
    case acknowledgementSent(Attendance, Acknowledgement.Kind, PacketIdentifier, isError: Bool)
    case subscribed(Attendance, SubscriptionRecord)
    /// The broker sent CONNACK with success.
    case connAckSent(connection: Int, isSessionPresent: Bool)
    /// The broker accepted the CONNECT of this client identifier; CONNACK follows once the session is noted.
    case accepted(connection: Int, Connect, isSessionPresent: Bool, willNumber: Int?)
    case disconnectArrived(connection: Int, Disconnect)
    /// The broker closed the connection, or learned that it had ended.
    case ended(connection: Int)
    case reported(BrokerEvent)
    /// The broker's process ended without a word; its connections' `ended` follow.
    case crashed
    /// The log says that this node is dead, whether it is or not: nothing of it counts any more.
    case declaredDead(node: Int)
    /// A new process is about to take up what the engine kept.
    case restarted
}

/// Whose occurrence it is: a client in one of its sessions on one of its connections.
package struct Attendance: Sendable, Hashable {
    package let client: Int
    package let session: Int
    package let connection: Int
}

/// A PUBLISH as a client received it.
package struct ReceivedPublish: Sendable {
    package let publish: Publish
    /// The topic, also where the packet named it by an alias; nil when the alias was unknown.
    package let topic: String?
    /// The message of the history; nil for an empty payload.
    package let number: Int?
    /// Bytes of the packet.
    package let packetLength: Int
}

/// Why a client's connection ended, as the client sees it.
package enum DisconnectionCause: Sendable, Hashable {
    /// The client wanted it, or the network did.
    case ownDoing
    /// The broker closed it, with this DISCONNECT or CONNACK if there was one.
    case closedByBroker(ReasonCode?)
}

/// A rule that a run can break, by the name that is printed.
package enum Rule: String, Sendable, Hashable, CaseIterable {
    case qosZeroAtMostOnce = "QoS 0: at most once"
    case qosOneAtLeastOnce = "QoS 1: at least once"
    case qosOneNotRepeatedWhileConnected = "QoS 1: not repeated while connected"
    case qosTwoExactlyOnce = "QoS 2: exactly once"
    case order = "order for a publisher, topic and QoS"
    case content = "a message arrives as it was published, to who subscribed"
    case oneConnection = "one live connection for a client identifier"
    case sessionPresent = "Session Present tells the truth"
    case packetIdentifier = "packet identifiers are unique in flight"
    case receiveMaximum = "Receive Maximum"
    case maximumPacketSize = "Maximum Packet Size"
    case topicAlias = "topic aliases"
    case duplicateFlag = "DUP only and always on a repetition"
    case retained = "the retained message is a register for each topic"
    case will = "a will is published once and when due"
    case sharedSubscription = "one member of a shared subscription for each message"
    case boundedQueue = "queues are bounded"
    case agreement = "all nodes of a flock have added up the same"
    case emptyTables = "tables are empty at quiescence"
    case invariant = "invariants of the core and the driver"
    case honestClientClosed = "no honest client is closed without a reason"
    case liveness = "everything ends in bounded time after faults have healed"

    package var isLiveness: Bool { self == .liveness }
}

/// A rule that was broken.
package struct Failure: Sendable, CustomStringConvertible {
    package let rule: Rule
    package let detail: String
    package let at: Instant

    package var description: String { "\(rule.rawValue): \(detail)" }
}
