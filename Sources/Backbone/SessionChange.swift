package import MQTTModel

/// A change of what must survive of a session. Only sessions that outlive their connection are noted, and those that have
/// a will.
package enum SessionChange: Sendable {
    /// A new session; whatever was noted under its client identifier before is gone.
    case began(clientIdentifier: String)
    /// Its client has connected: the session outlives the connection by `expiryInterval` seconds (`UInt32.max`: for
    /// ever; 0: it ends with it, noted for its will alone).
    case connected(clientIdentifier: String, expiryInterval: UInt32, will: Will?)
    /// Its connection has ended: it ends in `expiryInterval` seconds, and its will is due in `willDelay` seconds, nil
    /// when it has none any more.
    case disconnected(clientIdentifier: String, expiryInterval: UInt32, willDelay: UInt32?)
    case ended(clientIdentifier: String)
    /// A new subscription or new options of one; it wants what is appended from now on.
    case subscribed(clientIdentifier: String, filter: String, options: SubscriptionOptions, identifier: UInt32)
    case unsubscribed(clientIdentifier: String, filter: String)
    /// A QoS 2 exchange of the client as publisher is over.
    case released(ReceivedExchange)
    /// A QoS 2 message of the log, or a copy of a retained one (`LogSequence.firstCopy`), is about to be sent to the client
    /// under this packet identifier.
    case sending(clientIdentifier: String, sequence: LogSequence, packetIdentifier: PacketIdentifier)
    /// The client has it: only its PUBREL and PUBCOMP are left.
    case handedOver(clientIdentifier: String, sequence: LogSequence)
    /// The client is done with a QoS 2 message, though perhaps not with earlier ones.
    case finished(clientIdentifier: String, sequence: LogSequence)
    /// The client is done with everything it wanted up to and including this sequence.
    case advanced(clientIdentifier: String, through: LogSequence)
    /// The member that the group chose for a message is done with it.
    case groupFinished(SharedGroup, sequence: LogSequence)
}
