import Backbone
import MQTTModel

/// What a client is told once the backbone has noted a change of its session.
struct HeldAnswer {
    enum Kind {
        /// The connection is accepted: sends CONNACK and opens the gate.
        /// - Parameter isBeginning: the note is of a new session, or of the end of one before.
        case connAck(ConnAck, isBeginning: Bool)
        /// SUBACK, then the retained messages that the new subscriptions bring.
        case subAck(SubAck, [RetainedWish])
        case unsubAck(UnsubAck)
        case pubComp(PacketIdentifier, ReasonCode)
        /// The PUBLISH or PUBREL of a QoS 2 message of the window may go out, on whatever connection the session has.
        case inflight(PacketIdentifier)
    }

    let kind: Kind
    /// The connection it is for; on another one it is not sent, unless it is the session's.
    let connection: ConnectionID
    let session: UInt32
    let generation: UInt32
}
