import AccessControl
import Backbone
import BrokerCore
import MQTTModel
import Synchronization

/// What one shard leaves for another.
enum Mail: Sendable {
    case peer(PeerMessage)
    case entry(LogEntry)
    /// The log holds nothing any more up to here.
    case dropped(through: LogSequence)
    /// The backbone's answer to this shard.
    case answer(BackboneToken, BackboneOutcome)
    /// The authenticator's answer to this shard, and what the client has said of itself.
    case authenticated(ConnectionID, AuthenticationOutcome, clientIdentifier: String, userName: String?)
    /// What the backbone has read for this shard; nil: it could not.
    case fetched(BackboneToken, [LogEntry]?)
    /// Sessions that are this node's from here on; see `Input.sessionsTaken`.
    case taken(BackboneToken?, TakenSessions?)
    /// Messages that members here get in place of others.
    case passed([LogEntry])
    /// Another node has the client from here on.
    case lost(clientIdentifier: String)
    /// The mailbox of that shard has room again.
    case room(inShard: UInt16)

    /// An estimate for `Limits.maximumMailboxBytes`.
    var byteCount: Int {
        switch self {
        case .peer(.published(let entry, _, _)): 64 + entry.message.byteCount
        case .entry(let entry): 64 + entry.message.byteCount
        case .fetched(_, let found): (found ?? []).reduce(64) { $0 + 64 + $1.message.byteCount }
        case .taken(_, let taken):
            (taken?.entries ?? []).reduce(64) { $0 + 64 + $1.message.byteCount }
        case .passed(let entries): entries.reduce(64) { $0 + 64 + $1.message.byteCount }
        case .peer, .dropped, .answer, .authenticated, .lost, .room: 64
        }
    }
}

/// Where the other shards leave their messages for one shard. Any thread may post; the owner takes everything at once.
///
/// Bounded in messages and bytes: at the bound mail is still accepted, because it may not be lost, but the sender is
/// told, stops reading from the connections that cause it, and is sent `room` once the owner has emptied the box. So it
/// grows past its bound by what a shard posts in one go at most.
final class Mailbox: Sendable {
    private struct State {
        var mail: [Mail] = []
        var bytes = 0
        /// Shards that found the box full, in the order they did.
        var waiting: [UInt16] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let isNotEmpty = Atomic(false)
    private let maximumMessages: Int
    private let maximumBytes: Int

    init(maximumMessages: Int, maximumBytes: Int) {
        self.maximumMessages = maximumMessages
        self.maximumBytes = maximumBytes
    }

    /// Whether anything waits. Cheap: the owner asks before every packet.
    var hasMail: Bool { isNotEmpty.load(ordering: .acquiring) }

    /// Appends `mail` in order.
    ///
    /// - Returns: whether the owner has to be woken up, and whether the box is full now.
    func post(_ mail: [Mail], from sender: UInt16) -> (isFirst: Bool, isFull: Bool) {
        state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            let isFirst = state.mail.isEmpty
            state.mail.append(contentsOf: mail)
            for item in mail { state.bytes += item.byteCount }
            isNotEmpty.store(true, ordering: .releasing)
            let isFull = state.mail.count >= maximumMessages || state.bytes >= maximumBytes
            if isFull, !state.waiting.contains(sender) { state.waiting.append(sender) }
            return (isFirst, isFull)
        }
    }

    /// What is posted from now on is thrown away, and the owner is not woken up any more.
    func close() { state.withLock { $0.isClosed = true } }

    /// Moves everything to `mail`, which is empty.
    ///
    /// - Returns: the shards to be told that there is room.
    func take(into mail: inout [Mail]) -> [UInt16] {
        state.withLock { state in
            swap(&state.mail, &mail)
            state.bytes = 0
            isNotEmpty.store(false, ordering: .relaxed)
            let waiting = state.waiting
            state.waiting.removeAll(keepingCapacity: true)
            return waiting
        }
    }
}
