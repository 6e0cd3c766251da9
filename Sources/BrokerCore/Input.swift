package import AccessControl
package import Backbone
package import MQTTModel

/// A network connection of one shard. The driver hands out slots, densely from 0, and uses a slot again with another
/// generation; an effect for a connection that is gone is ignored by its generation.
package struct ConnectionID: Sendable, Hashable {
    package let slot: UInt32
    package let generation: UInt32

    package init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

/// What happened, told to a shard's core.
package enum Input: Sendable {
    /// A network connection was accepted. Its CONNECT has to arrive within `Limits.connectTimeout`.
    case connectionOpened(ConnectionID)
    /// A packet was decoded. A CONNECT comes to the shard that `HomeShard` names for its client identifier, or to any
    /// when that is empty.
    case packetReceived(ConnectionID, Packet)
    /// The bytes that arrived were no packet the server accepts; nothing after them was decoded.
    case violationReceived(ConnectionID, ProtocolViolation, version: ProtocolVersion?)
    /// The answer to `authenticate`. One for a connection that is gone meanwhile is not missed.
    case authenticated(ConnectionID, AuthenticationOutcome)
    /// Other rules hold from now on. Subscriptions that they do not allow end.
    case accessChanged(AccessPolicy)
    /// The network connection ended from the other side or by a fault.
    case connectionClosed(ConnectionID)
    /// The connection's outbound buffer passed its high watermark, or fell below its low one. Starts writable.
    case writabilityChanged(ConnectionID, isWritable: Bool)
    /// The instant of the last `setDeadline` has come. Too early does no harm.
    case deadlineReached
    case backboneAnswered(BackboneToken, BackboneOutcome)
    case logAppended(LogEntry)
    /// The answer to a `fetch`, in place of `backboneAnswered`: what the log has of what was asked for, in any order, as
    /// objects of this shard alone, with what is left of their expiry interval. nil: it could not be read.
    case messagesFetched(BackboneToken, [LogEntry]?)
    /// The answer to a `claim`, in place of `backboneAnswered`: nil if it failed. Without a token: sessions that are this
    /// node's because the one that had them has died. All entries of the log that the shard was told before are in it, as
    /// far as the sessions may want them, and none that it will be told after.
    case sessionsTaken(BackboneToken?, TakenSessions?)
    /// Shared subscriptions have given messages of the log to members here, in place of others. Their content is to be
    /// read; the choices name the members.
    case messagesPassed([LogEntry])
    /// Another node has claimed the session: what is here of it goes, and nothing is noted of it.
    case sessionLost(clientIdentifier: String)
    /// The log has reached its bounds and holds nothing any more up to and including this sequence.
    case logDropped(through: LogSequence)
    case peerMessageReceived(PeerMessage)
    /// A CONNECT was decoded of a client that the operator does not want, or wants to be elsewhere.
    case connectForbidden(ConnectionID, Packet, ReasonCode, serverReference: String? = nil)
    /// The operator wants the client gone: 0x98 (Administrative action), or 0x9C and 0x9D with the server to go to.
    case disconnectRequested(ConnectionID, ReasonCode, serverReference: String?)
    /// What the broker says under `$SYS` is this now.
    case statusChanged([ApplicationMessage])
    /// The process is short of memory, or no longer.
    case memoryLevelChanged(MemoryLevel)
    /// The node has been without its flock for too long, or has it again. As long as it has not, clients are sent away, with
    /// 0x8B (Server shutting down: DISCONNECT has no Server unavailable) and 0x88 for CONNECTs; their sessions go on.
    case isolationChanged(Bool)
    /// Say goodbye to every client and take no more. Wills are not published: the sessions have not ended.
    case shutdownRequested
}
