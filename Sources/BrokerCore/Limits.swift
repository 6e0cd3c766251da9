/// Every bound of a broker: name, default, and what happens when it is reached. `docs/limits.md` lists them with their
/// counters in `Counters`. Bounds are for one shard where they say so, and the node's is the sum.
package struct Limits: Sendable, Hashable {
    // MARK: Connections

    /// Connections of one shard. A further one is closed at once.
    package var maximumConnections = 1_000_000
    /// Time from accepting a connection to its CONNECT; then it is closed.
    package var connectTimeout: Duration = .seconds(10)
    /// Clients of one shard that are being checked. A further CONNECT is refused with 0x89.
    package var maximumPendingAuthentications = 2_000
    /// Time for checking a client, from its CONNECT; then it is refused with 0x88. The same for proving itself again.
    package var authenticationTimeout: Duration = .seconds(10)
    /// Time for what was sent before a close to leave; then the connection is cut.
    package var closeTimeout: Duration = .seconds(5)
    /// Time for all clients to be told and closed at shutdown; then the rest is cut.
    package var shutdownTimeout: Duration = .seconds(5)
    /// Time that a node of a flock goes without an answer from what the flock shares; then its clients are sent away with
    /// 0x8B, and further ones refused with 0x88, until it answers again.
    package var isolationTimeout: Duration = .seconds(10)
    /// Longest keep alive, seconds: a 5.0 client that asks for more, or for none, is told this one (Server Keep Alive)
    /// and held to it. A 3.x client cannot be told and keeps its own. nil lets each client choose.
    package var maximumKeepAlive: UInt16?
    /// Longest client identifier, bytes; a longer one is refused with 0x85.
    package var maximumClientIdentifierLength = 65_535
    /// CONNECTs of one client identifier within `connectsWindow`; with a further one it is banned for `banTime`, and
    /// refused with 0x8A. 0: no bound.
    package var maximumConnectsPerWindow = 0
    package var connectsWindow: Duration = .seconds(60)
    package var banTime: Duration = .seconds(300)

    /// Takeovers of one session, each within `takeoverWindow` of the one before, after which a further CONNECT waits:
    /// 100 ms, and each time twice as long, up to `maximumTakeoverDelay`; zero: none waits.
    package var maximumQuickTakeovers = 10
    package var takeoverWindow: Duration = .seconds(10)
    package var maximumTakeoverDelay: Duration = .seconds(5)

    // MARK: Overload

    /// Messages and changes of subscriptions a second from one client, with a burst of as many; then nothing is read from
    /// it until its bucket has filled up. 0: no bound.
    package var maximumMessageRate = 0
    /// Bytes of them, likewise.
    package var maximumByteRate = 0
    /// Memory of the process above which whoever publishes or subscribes much is read from slowly; nil: left to the driver.
    package var memoryWatermark: Int?
    /// Memory above which new sessions are refused with 0x89, subscriptions and retained messages with 0x97, and
    /// connections that hold much of it are cut; nil: left to the driver.
    package var maximumMemory: Int?

    // MARK: Packets

    /// Largest packet from a client, bytes with its fixed header. A larger one ends the connection with 0x95.
    package var maximumPacketSize: UInt32 = 1 << 20
    /// Outbound bytes of one connection above which the core stops sending: QoS 0 messages are dropped, QoS 1 and 2
    /// messages wait in the session, and nothing more is read from the client.
    package var outboundHighWatermark = 1 << 20
    /// Outbound bytes below which sending goes on.
    package var outboundLowWatermark = 1 << 18
    /// Messages waiting in the mailbox between two shards; the sender's clients are not read until it has room.
    package var maximumMailboxMessages = 1 << 16
    /// Bytes, likewise.
    package var maximumMailboxBytes = 1 << 26

    // MARK: Sessions

    /// Sessions of one shard, connected or not. Above it a CONNECT for a new one is refused with 0x97.
    package var maximumSessions = 1_000_000
    /// Longest session expiry interval, seconds; a longer one is cut to it and the client is told.
    package var maximumSessionExpiryInterval: UInt32 = .max
    /// QoS 1 and 2 messages from one 5.0 client that may be unacknowledged; more end the connection with 0x93.
    package var receiveMaximum: UInt16 = 1024
    /// QoS 1 and 2 messages sent to one client and not acknowledged; a client's own Receive Maximum counts if lower.
    package var maximumInflightMessages: UInt16 = 256
    /// QoS 1 and 2 messages that wait in one session. When there are as many, `QueueFullPolicy` says which is dropped and
    /// counted.
    package var maximumQueuedMessages = 10_000
    /// Bytes of the messages that wait in one session, likewise.
    package var maximumQueuedBytes = 1 << 26
    /// Bytes of the messages that wait in memory for all sessions of one shard, counted for each of them, likewise.
    package var maximumTotalQueuedBytes = 1 << 32
    /// Copies of retained messages that wait in one session after its SUBSCRIBEs. A subscription made while
    /// so many wait is refused with 0x97.
    package var maximumQueuedRetainedMessages = 1_000_000
    /// Subscriptions of one session that have ended or got other options while messages waited, which still go by what
    /// they were. Beyond it a SUBSCRIBE to a filter that the session has is refused with 0x97, and what an UNSUBSCRIBE
    /// leaves in the queue does not outlive the process.
    package var maximumEarlierSubscriptions = 1000
    /// Bytes of logged messages that a shard keeps in memory for sessions that will need them soon; the oldest go first,
    /// and are read from the log when they are needed after all.
    package var maximumCachedLogBytes = 1 << 24
    /// Messages that are read from the log for one session at a time.
    package var maximumFetchedMessages = 256
    /// Bytes, likewise; one message is always read.
    package var maximumFetchedBytes = 1 << 20
    /// Sessions of one shard for which messages are read at a time; the others wait for their turn.
    package var maximumConcurrentFetches = 4
    /// Publishes of one connection that wait for the backbone; then nothing more is read from the client.
    package var maximumPendingPublishes = 1024
    /// Topic aliases that one client may define.
    package var topicAliasMaximum: UInt16 = 64
    /// Topic aliases that the server defines towards one client, if the client allows as many.
    package var maximumOutboundTopicAliases: UInt16 = 16

    // MARK: Topics

    /// Filters in one SUBSCRIBE; further ones are refused with 0x97.
    package var maximumFiltersPerPacket = 2_000
    /// Subscriptions of one session; a further one is refused with 0x97.
    package var maximumSubscriptionsPerSession = 200_000
    /// Subscriptions of one shard, likewise.
    package var maximumSubscriptions = 5_000_000
    /// Levels of a filter or of a retained message's topic; a subscription with more is refused with 0x8F, a retained
    /// publish with 0x90.
    package var maximumTopicLevels = 128
    /// Topics whose subscribers a shard remembers from one message to the next; beyond it, older ones are looked up again.
    package var maximumCachedTopics = 16_384
    /// Bytes of what is remembered about them, likewise.
    package var maximumCachedTopicBytes = 1 << 24
    /// Retained messages. A further one is refused with 0x97 and counted; in 3.x it is acknowledged and dropped.
    package var maximumRetainedMessages = 1_000_000
    /// Bytes of the retained messages, likewise.
    package var maximumRetainedBytes = 1 << 28
    /// Retained messages that one client has published, likewise.
    package var maximumRetainedMessagesPerClient = 250_000
    /// Their bytes, likewise.
    package var maximumRetainedBytesPerClient = 1 << 26

    package init() {}
}
