import AccessControl
import Backbone
import DequeModule
import MQTTModel
import MQTTSession

/// The state of one client that outlives its connection (section 4.1): subscriptions, messages in flight, messages
/// that wait, QoS 2 identifiers, and the will.
///
/// A class for its identity: the shard's table, its timers and its routes mean the same one. Touched only by its core.
final class Session {
    let clientIdentifier: String
    /// Where it lies in the shard's table; with `generation`, its name in timers and as a publisher.
    let slot: UInt32
    let generation: UInt32

    /// The connection and what belongs to it; nil while the client is away.
    var online: OnlineState?

    /// What its client may do; nil: everything.
    var access: SessionAccess?
    /// The enhanced authentication of the connection; nil when its CONNECT had none.
    var authentication: SessionAuthentication?
    /// When what the client was granted ends.
    var grantEndsAt = Instant.distantFuture

    /// What its client called itself in the last CONNECT, and when that was.
    var userName: String?
    var connectedAt = Instant.zero

    /// The connection's topic aliases; made anew for each.
    var receivedAliases = ReceivedTopicAliases(maximum: 0)
    var sentAliases = SentTopicAliases(maximum: 0)

    /// Seconds that the session outlives its connection: 0 ends with it, `UInt32.max` never ends (5.0 section 3.1.2.11.2).
    var expiryInterval: UInt32 = 0
    /// When it ends, while the client is away.
    var expiresAt = Instant.distantFuture
    /// The deadline of its entry in the shard's queue, if it has one.
    var expiryArmedAt: Instant?

    /// The will of the connection, or of the last one while its delay runs.
    var will: Will?
    /// When the will is published; nil unless its delay runs.
    var willDueAt: Instant?

    /// What it subscribed to, as it was sent.
    var filters = FilterSet()
    /// The shared subscriptions among them.
    var groups: [SharedGroup] = []

    var inflight = InflightWindow()
    var received = ReceivedIdentifiers()
    /// Those of `received` that came over an earlier connection, and do not count against the Receive Maximum of this one
    /// (section 4.9).
    private(set) var resumedReceived = ReceivedIdentifiers()
    /// Those of `received` that the backbone has noted.
    var notedReceived = ReceivedIdentifiers()
    /// Under which messages were refused, oldest first: of as many as the client may not know of.
    var refusedIdentifiers: Deque<PacketIdentifier> = []
    /// Whether the backbone has a record of the session: it lasts, or it has a will.
    var isNoted = false
    /// Nobody knows whether the backbone took the note of the session's beginning, or of the end of the one before it: it is
    /// made again with the next CONNECT.
    var isNoteUncertain = false
    /// Another node of the flock has it, and it goes: nothing is noted of it any more.
    var isLost = false
    /// Everything up to here had been finished when the backbone was told last.
    var notedCursor: LogSequence = 0
    var isCursorDirty = false
    /// What another node, or an earlier process, may have sent with QoS 1, when the session was taken up here.
    var sentThrough: LogSequence = 0
    /// The groups that chose this session for messages of the log that it has not finished.
    var claims: [LogSequence: [GroupClaim]] = [:]
    /// QoS 2 exchanges that a restart interrupted and whose message has not been found yet.
    var restoredSent: [SentExchange: RestoredSession.Sent] = [:]
    /// Those whose message has been found and waits in `queue`, in the order in which it does.
    var interrupted: Deque<InterruptedExchange> = []
    /// Copies of retained messages that the client is not done with, by wish.
    var wishes: [LogSequence: Int] = [:]
    var nextWish: UInt64 = 0
    /// Up to where the log goes by options that subscriptions had before; ascending, and only above `notedCursor`.
    var earlierSubscriptions: Deque<LogSequence> = []

    /// What waits for room in the window, for the client, or for the connection to become writable; nil when nothing
    /// does.
    var queue: SessionQueue?
    /// Whether messages of the log are being read for it.
    var fetch = FetchState.none

    init(clientIdentifier: String, slot: UInt32, generation: UInt32) {
        self.clientIdentifier = clientIdentifier
        self.slot = slot
        self.generation = generation
    }

    /// QoS 2 messages that the client has sent over this connection and not released.
    var receivedCount: Int { received.count - resumedReceived.count }

    /// The client has a new connection, and with it all of its Receive Maximum again.
    func resumeReceived() { resumedReceived = received }

    /// The client has sent the message again, over this connection.
    func repeatReceived(_ identifier: PacketIdentifier) { _ = resumedReceived.remove(identifier) }

    /// The exchange is over.
    /// - Returns: false when there was none.
    func finishReceived(_ identifier: PacketIdentifier) -> Bool {
        _ = resumedReceived.remove(identifier)
        return received.remove(identifier)
    }

    /// Whether a QoS 0 message has to queue rather than go at once.
    var holdsBackQoSZero: Bool { queue.map { $0.retainedCount > 0 || $0.qosZeroCount > 0 } ?? false }

    /// Whether messages have to be looked at before they go to the client.
    var restrictsDelivery: Bool { access?.restrictsDelivery ?? false }

    /// Whether it outlives its connection.
    var isDurable: Bool { expiryInterval > 0 }

    /// An exchange that goes on is its group's, if it came by one.
    func claim(_ sent: RestoredSession.Sent) {
        guard let group = sent.exchange.group, sent.phase != .finished else { return }
        claims[sent.exchange.sequence, default: []].append(
            GroupClaim(group: group, qos: .exactlyOnce, packetIdentifier: sent.packetIdentifier))
    }
}

/// What a session has only while its client is connected. Plain data: it is copied on every delivery, and a reference in
/// it would be counted each time; so the aliases of the connection lie in the session.
struct OnlineState {
    let connection: ConnectionID
    let version: ProtocolVersion
    /// 1.5 times the keep alive; nil when it is off [MQTT-3.1.2-24 of 3.1.1, MQTT-3.1.2-22 of 5.0].
    let keepAliveTimeout: Duration?
    /// Messages with QoS > 0 that may be unacknowledged towards the client.
    let window: Int
    /// The largest packet the client takes; nil when it set none.
    let maximumPacketSize: Int?
    let wantsProblemInformation: Bool
    /// Topic aliases that the server may define towards the client.
    let aliasMaximum: UInt16
    var isWritable = true
    /// Its CONNACK waits for the backbone: nothing may be sent before it [MQTT-3.2.0-1].
    var isGated = false
    var isReadingPaused = false
    var lastReceived: Instant

    /// Whether anything may be sent.
    var isReady: Bool { isWritable && !isGated }

    /// Whether a QoS 0 message may go out without a look at the session.
    var isPlain: Bool { isReady && maximumPacketSize == nil && aliasMaximum == 0 }
}

/// Where a session stands that needs messages of the log.
enum FetchState: Hashable {
    /// It needs none, or has not asked. Can transition to: `waiting`, `asked`.
    case none
    /// Others are being served. Can transition to: `none`, when its turn comes or its connection ends.
    case waiting
    /// The backbone was asked. Can transition to: `none`, by its answer or the end of the connection; `failed`.
    case asked(BackboneToken)
    /// The backbone could not read. Can transition to: `none`, after a while or by the end of the connection.
    case failed
}

/// A shared subscription chose this session for a message of the log.
struct GroupClaim {
    let group: SharedGroup
    let qos: QoS
    /// Of the QoS 2 exchange; 0 before there is one.
    var packetIdentifier: PacketIdentifier = 0
}

/// A QoS 2 exchange that a restart interrupted: the message in the queue goes out under the identifier that it had.
struct InterruptedExchange {
    let sequence: LogSequence
    let isShared: Bool
    let packetIdentifier: PacketIdentifier
    /// The client did not wait for that: the entry in the queue stands for nothing any more.
    var isAnswered = false

    func isOf(_ entry: QueuedEntry) -> Bool {
        entry.sequence == sequence && entry.isShared == isShared && entry.qos == .exactlyOnce
    }
}
