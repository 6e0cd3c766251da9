import AccessControl
import Backbone
package import MQTTModel
import MQTTSession
import TopicIndex

/// One shard of a broker as a pure state machine: connections, sessions, routing, retained messages, wills and shared
/// subscriptions. Inputs go in, effects come out; there is no socket, clock, random source, task, lock or log in it.
///
/// The driver's duties:
/// 1. Run the effects of one step in order, all of them, before the next step.
/// 2. Answer every `execute` exactly once, if need be with `unknown`.
/// 3. Never call `step` from inside an effect.
/// 4. `now` never goes back.
/// 5. Hand a shard what other shards have forwarded to it, and retained changes, before any packet that was received
///    later: that order is what makes a PUBACK mean that a later subscriber sees the message.
/// 6. After `close`, report nothing more of that connection.
/// 7. Bring a CONNECT to the client identifier's home shard.
package struct BrokerCore: ~Copyable {
    package let shard: UInt16
    package let shardCount: UInt16
    package let options: BrokerOptions
    package internal(set) var counters = Counters()
    /// PUBLISH packets from clients.
    package internal(set) var received = MessageCounts()
    /// From here on the next message is one whose way is timed.
    var nextTimedAt = Instant.zero

    var connections = ConnectionTable()
    var sessions = SessionTable()
    var index: SubscriptionIndex
    /// Of sessions that are being taken up while the shard works; empty otherwise.
    var restoringIndex: SubscriptionIndex
    var retained: RetainedIndex
    /// Who may connect and do what; first that of the options.
    var policy: AccessPolicy?
    /// Connections whose client is being checked.
    var authentications: [ConnectionID: PendingAuthentication] = [:]
    var deadlines = DeadlineQueue<TimerKey>()
    /// The earliest deadline, and the one that the driver was told last. Kept beside the queue, because every step asks.
    var earliestDeadline = Instant.distantFuture
    var announcedDeadline = Instant.distantFuture
    /// Publishes that wait for the backbone, by the connection they came from.
    var pipelines: [ConnectionID: PublishPipeline] = [:]
    /// The connection whose pipeline has the publish that a command was made for.
    var pipelineOfToken: [BackboneToken: ConnectionID] = [:]
    /// What clients are told once the backbone has answered.
    var heldAnswers: [BackboneToken: HeldAnswer] = [:]
    /// Ends of connections and sessions that the backbone is to note.
    var noting = NotedEnds()
    var nextToken: UInt64 = 1
    /// The last append that is known not to have been taken.
    var knownRefusal = BackboneToken(rawValue: 0)
    /// The last entry of the log that this shard was told.
    var lastSequence: LogSequence = 0
    /// What the backbone was told last that this shard needs no more.
    var trimmedThrough: LogSequence = 0
    /// Up to here the log has given everything up, and up to where the sessions' queues have been told.
    var droppedThrough: LogSequence = 0
    var sweptThrough: LogSequence = 0
    var isCursorTimerArmed = false
    /// When the step began that is being done.
    var stepTime = Instant.zero
    /// Slots of sessions that have finished messages of the log since the backbone was told last.
    var dirtyCursors: [UInt32] = []
    var survey = CursorSurvey()
    /// Subscriptions of lasting sessions by pattern: other shards have to know which topics need the log.
    var lastingPatterns: [ExactText: Int] = [:]
    var log: LogReading
    var restoring = Restoring()
    /// The client that is being let in: if its earlier session ends by that, it is not gone.
    var admittedClient: String?
    /// CONNECTs that wait until their session is this node's.
    var claims: [ExactText: PendingClaim] = [:]
    var claimedClients: [BackboneToken: ExactText] = [:]
    var flapping = FlappingClients()
    var contests = TakeoverContests()
    var delayedConnects: [ConnectionID: DelayedConnect] = [:]
    var memoryLevel = MemoryLevel.normal
    /// What waits in all sessions' queues.
    let queueTotal = QueueTotal()
    var startedAt: Instant?
    /// The node has been without its flock for too long.
    var isIsolated = false
    var isShuttingDown = false

    package init(shard: UInt16 = 0, shardCount: UInt16 = 1, options: BrokerOptions = BrokerOptions()) {
        precondition(shard < shardCount, "a shard's index is below the number of shards")
        self.shard = shard
        self.shardCount = shardCount
        self.options = options
        self.policy = options.access
        self.index = SubscriptionIndex(options)
        self.restoringIndex = SubscriptionIndex(options)
        self.retained = RetainedIndex(hashSeed: options.hashSeed)
        self.log = LogReading(cache: LogCache(maximumByteCount: options.limits.maximumCachedLogBytes))
    }

    var limits: Limits { options.limits }

    /// Tells the core what happened at `now`; appends to `effects` what the driver has to do.
    package mutating func step(
        _ input: consuming Input, at now: Instant, using random: inout some RandomNumberGenerator,
        into effects: inout Effects
    ) {
        if startedAt == nil { start(at: now) }
        stepTime = now
        switch consume input {
        case .packetReceived(let connection, let packet):
            handle(packet, on: connection, at: now, using: &random, into: &effects)
        case .connectionOpened(let connection):
            connectionOpened(connection, at: now, into: &effects)
        case .violationReceived(let connection, let violation, let version):
            refuse(connection, for: violation, version: version, at: now, into: &effects)
        case .authenticated(let connection, let outcome):
            authenticated(connection, outcome, at: now, using: &random, into: &effects)
        case .accessChanged(let policy):
            accessChanged(to: policy, at: now, into: &effects)
        case .connectionClosed(let connection):
            connectionClosed(connection, at: now, into: &effects)
        case .writabilityChanged(let connection, let isWritable):
            writabilityChanged(of: connection, to: isWritable, at: now, into: &effects)
        case .deadlineReached:
            deadlineReached(at: now, into: &effects)
        case .backboneAnswered(let token, let outcome):
            backboneAnswered(token, outcome, at: now, into: &effects)
        case .logAppended(let entry):
            logAppended(entry, at: now, into: &effects)
        case .messagesFetched(let token, let found):
            messagesFetched(token, found, at: now, into: &effects)
        case .sessionsTaken(let token, let taken):
            sessionsTaken(token, taken, at: now, into: &effects)
        case .messagesPassed(let entries):
            messagesPassed(entries, at: now, into: &effects)
        case .sessionLost(let clientIdentifier):
            sessionLost(clientIdentifier, at: now, into: &effects)
        case .logDropped(let through):
            droppedThrough = max(droppedThrough, through)
            armCursorTimer(at: now)
        case .peerMessageReceived(let message):
            peerMessageReceived(message, at: now, into: &effects)
        case .connectForbidden(let connection, let packet, let reasonCode, let serverReference):
            connectForbidden(packet, on: connection, reasonCode, serverReference, into: &effects)
        case .disconnectRequested(let connection, let reasonCode, let serverReference):
            disconnectRequested(connection, reasonCode, serverReference, at: now, into: &effects)
        case .statusChanged(let messages):
            statusChanged(messages, at: now, into: &effects)
        case .memoryLevelChanged(let level):
            memoryLevel = level
        case .isolationChanged(let isIsolated):
            isolationChanged(to: isIsolated, at: now, into: &effects)
        case .shutdownRequested:
            shutDown(at: now, into: &effects)
        }
        if earliestDeadline < announcedDeadline { announceDeadline(into: &effects) }
    }

    /// The same as `step(.packetReceived(connection, packet))`, for a driver to whom copying a packet into an input is not
    /// too cheap to matter.
    package mutating func packetReceived(
        _ packet: Packet, on connection: ConnectionID, at now: Instant,
        using random: inout some RandomNumberGenerator, into effects: inout Effects
    ) {
        if startedAt == nil { start(at: now) }
        stepTime = now
        handle(packet, on: connection, at: now, using: &random, into: &effects)
        announceDeadline(into: &effects)
    }

    /// The driver does not read from a client for a while, by `ReceiveRate` or the `MemoryLevel`.
    package mutating func countThrottled() { counters.readingThrottled += 1 }

    /// The publisher that `session` is to others.
    func reference(to session: Session) -> PublisherReference {
        PublisherReference(shard: shard, session: session.slot, generation: session.generation)
    }
}

extension SubscriptionIndex {
    /// An empty one, with the bounds of the options.
    init(_ options: BrokerOptions) {
        self.init(
            cacheCapacity: options.limits.maximumCachedTopics,
            cacheByteCapacity: options.limits.maximumCachedTopicBytes, hashSeed: options.hashSeed)
    }
}
