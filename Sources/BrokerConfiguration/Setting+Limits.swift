import BrokerCore

extension Setting {
    /// A key for each property of `Limits`, in its order; `limits.` and the property's name with hyphens.
    static let limits: [Setting] = connectionLimits + overloadLimits + packetLimits + sessionLimits + topicLimits

    private static let connectionLimits: [Setting] = [
        integer(
            "limits.maximum-connections", \.options.limits.maximumConnections, in: 1...10_000_000,
            counter: "connectionsRefused",
            "Connections of one shard. A further one is closed, after a CONNACK 0x89 (Server busy) if it speaks 5.0."),
        duration(
            "limits.connect-timeout", \.options.limits.connectTimeout, in: .milliseconds(100)...(.seconds(3_600)),
            counter: "connectTimeouts",
            "Time from accepting a connection to the end of its CONNECT; then it is closed."),
        integer(
            "limits.maximum-pending-authentications", \.options.limits.maximumPendingAuthentications,
            in: 1...1_000_000, counter: "authenticationsRefused",
            "Clients of one shard that are being checked. A further CONNECT is refused with 0x89 (3.x: return code 3)."),
        duration(
            "limits.authentication-timeout", \.options.limits.authenticationTimeout,
            in: .milliseconds(100)...(.seconds(600)), counter: "authenticationTimeouts",
            """
            Time for checking a client, from its CONNECT; then it is refused with 0x88 (3.x: return code 3). A client that \
            proves itself again has as long, then it is disconnected with 0x87.
            """),
        duration(
            "limits.close-timeout", \.options.limits.closeTimeout, in: .milliseconds(100)...(.seconds(600)),
            "Time for what was sent before a close to leave; then the connection is cut."),
        duration(
            "limits.shutdown-timeout", \.options.limits.shutdownTimeout, in: .milliseconds(100)...(.seconds(600)),
            "Time for all clients to be told and closed at shutdown; then the rest is cut."),
        duration(
            "limits.isolation-timeout", \.options.limits.isolationTimeout, in: .seconds(2)...(.seconds(86_400)),
            """
            Time that a node of a flock goes on without an answer from the servers. Then its clients are disconnected with \
            0x8B (Server shutting down), to go to another node, and further ones are refused with 0x88 (3.x: return code 3) \
            until the servers answer again. `/ready` is red after 2s.
            """),
        optionalInteger(
            "limits.maximum-keep-alive", \.options.limits.maximumKeepAlive, in: 1...65_535,
            counter: "keepAliveTimeouts",
            """
            Longest keep alive, seconds. A client that asks for more, or for none, is told this one in 5.0 (Server Keep \
            Alive) and held to it in every version. Without it each client chooses.
            """),
        integer(
            "limits.maximum-client-identifier-length", \.options.limits.maximumClientIdentifierLength, in: 23...65_535,
            counter: "connectionsRefused",
            """
            Longest client identifier, bytes; a longer one is refused with 0x85 (3.x: return code 2). The standard \
            wants 23 to be allowed.
            """),
        integer(
            "limits.maximum-connects-per-window", \.options.limits.maximumConnectsPerWindow, in: 0...1_000_000,
            counter: "clientsBanned",
            """
            CONNECTs of one client identifier within connects-window. With a further one it is banned: refused with 0x8A \
            (3.x: return code 5) for ban-time. Only clients that are let in count. 0: no bound.
            """),
        duration(
            "limits.connects-window", \.options.limits.connectsWindow, in: .seconds(1)...(.seconds(86_400)),
            "Time in which they are counted."),
        duration(
            "limits.ban-time", \.options.limits.banTime, in: .seconds(1)...(.seconds(86_400)),
            "Time for which such a client is refused."),
        integer(
            "limits.maximum-quick-takeovers", \.options.limits.maximumQuickTakeovers, in: 1...1_000_000,
            counter: "connectsDelayed",
            """
            Takeovers of one session, each within takeover-window of the one before. Then a CONNECT that would take it over \
            again waits, 100ms and each time twice as long, up to maximum-takeover-delay: clients that fight over one client \
            identifier. In a flock each node counts those that its own clients have lost. As many wait on a shard as may be \
            checked (limits.maximum-pending-authentications); further ones are refused with 0x89.
            """),
        duration(
            "limits.takeover-window", \.options.limits.takeoverWindow, in: .seconds(1)...(.seconds(86_400)),
            "Time after which a takeover is forgotten. Has to be longer than maximum-takeover-delay to be of use."),
        duration(
            "limits.maximum-takeover-delay", \.options.limits.maximumTakeoverDelay, in: .zero...(.seconds(600)),
            "Longest time that such a CONNECT waits. 0s: none waits."),
    ]

    private static let packetLimits: [Setting] = [
        size(
            "limits.maximum-packet-size", \.options.limits.maximumPacketSize, in: 128...268_435_460,
            counter: "protocolViolations",
            "Largest packet from a client, with its fixed header. A larger one ends the connection with 0x95."),
        size(
            "limits.outbound-high-watermark", \.options.limits.outboundHighWatermark, in: 1_024...(1 << 30),
            counter: "droppedNotWritable",
            """
            Outbound bytes of one connection above which the broker stops sending: QoS 0 messages are dropped for it, \
            QoS 1 and 2 messages wait in the session, and nothing more is read from the client.
            """),
        size(
            "limits.outbound-low-watermark", \.options.limits.outboundLowWatermark, in: 0...(1 << 30),
            "Outbound bytes below which sending goes on. Has to be below the high watermark."),
        integer(
            "limits.maximum-mailbox-messages", \.options.limits.maximumMailboxMessages, in: 64...(1 << 24),
            "Messages that wait between two shards; the sender's clients are not read until there is room."),
        size(
            "limits.maximum-mailbox-bytes", \.options.limits.maximumMailboxBytes, in: 65_536...(1 << 34),
            "Bytes that wait between two shards, likewise."),
    ]

    private static let sessionLimits: [Setting] = [
        integer(
            "limits.maximum-sessions", \.options.limits.maximumSessions, in: 1...10_000_000,
            counter: "sessionsRefused",
            "Sessions of one shard, connected or not. Above it a CONNECT for a new one is refused with 0x97."),
        integer(
            "limits.maximum-session-expiry-interval", \.options.limits.maximumSessionExpiryInterval,
            in: 0...UInt32.max, counter: "sessionsExpired",
            """
            Longest session expiry interval, seconds; a longer one is cut to it and the 5.0 client is told. 4294967295 \
            means that a session need not expire.
            """),
        integer(
            "limits.receive-maximum", \.options.limits.receiveMaximum, in: 1...65_535, counter: "protocolViolations",
            """
            QoS 1 and 2 messages from one 5.0 client that may be unacknowledged; more end the connection with 0x93.
            """),
        integer(
            "limits.maximum-inflight-messages", \.options.limits.maximumInflightMessages, in: 1...65_535,
            """
            QoS 1 and 2 messages sent to one client and not acknowledged yet; a client's own Receive Maximum counts if \
            it is lower. Further ones wait in the session.
            """),
        integer(
            "limits.maximum-queued-messages", \.options.limits.maximumQueuedMessages, in: 0...100_000_000,
            counter: "droppedQueueFull",
            "QoS 1 and 2 messages that wait in one session. With a further one queue-full-policy says which is dropped for "
                + "it, and it is counted."),
        size(
            "limits.maximum-queued-bytes", \.options.limits.maximumQueuedBytes, in: 0...(1 << 40),
            counter: "droppedQueueFull",
            "Bytes of the messages that wait in one session, likewise."),
        size(
            "limits.maximum-total-queued-bytes", \.options.limits.maximumTotalQueuedBytes, in: 0...(1 << 44),
            counter: "droppedQueueFull",
            """
            Bytes of the messages that wait in memory for all sessions of one shard, counted for each of them, likewise. \
            What is on the disk (data.directory) does not count.
            """),
        integer(
            "limits.maximum-queued-retained-messages", \.options.limits.maximumQueuedRetainedMessages,
            in: 0...100_000_000, counter: "subscriptionsRefused",
            "Copies of retained messages that wait in one session after its SUBSCRIBEs. A subscription made while so many "
                + "wait is refused with 0x97."),
        integer(
            "limits.maximum-earlier-subscriptions", \.options.limits.maximumEarlierSubscriptions, in: 0...1_000_000,
            counter: "subscriptionsRefused",
            """
            Subscriptions of one session that have ended or got other options while messages waited, which still go by \
            what they were. Beyond it other options for a filter that the session has are refused with 0x97, and what an \
            UNSUBSCRIBE leaves in the queue does not outlive the process.
            """),
        size(
            "limits.maximum-cached-log-bytes", \.options.limits.maximumCachedLogBytes, in: 0...(1 << 40),
            counter: "logCacheMisses",
            "Bytes of logged messages that a shard keeps in memory for sessions that will need them soon. Beyond it the "
                + "oldest are read from the data directory when they are needed."),
        integer(
            "limits.maximum-fetched-messages", \.options.limits.maximumFetchedMessages, in: 1...65_536,
            "Messages that are read from the data directory for one session at a time."),
        size(
            "limits.maximum-fetched-bytes", \.options.limits.maximumFetchedBytes, in: 1...(1 << 30),
            "Bytes, likewise; one message is always read."),
        integer(
            "limits.maximum-concurrent-fetches", \.options.limits.maximumConcurrentFetches, in: 1...4096,
            "Sessions of one shard for which messages are read at a time; the others wait for their turn."),
        integer(
            "limits.maximum-pending-publishes", \.options.limits.maximumPendingPublishes, in: 1...1_000_000,
            counter: "readingPaused",
            "Publishes of one connection that wait for the backbone; then nothing more is read from the client."),
        integer(
            "limits.topic-alias-maximum", \.options.limits.topicAliasMaximum, in: 0...65_535,
            counter: "protocolViolations",
            "Topic aliases that one client may define; a higher one ends the connection with 0x94."),
        integer(
            "limits.maximum-outbound-topic-aliases", \.options.limits.maximumOutboundTopicAliases, in: 0...65_535,
            "Topic aliases that the broker defines towards one client, if the client allows as many."),
    ]

    private static let topicLimits: [Setting] = [
        integer(
            "limits.maximum-filters-per-packet", \.options.limits.maximumFiltersPerPacket, in: 1...1_000_000,
            counter: "subscriptionsRefused",
            """
            Filters in one SUBSCRIBE; further ones are refused with 0x97 (3.1.1: 0x80). All of a packet is done at a \
            stretch, some 2 ms for so many, and others wait.
            """),
        integer(
            "limits.maximum-subscriptions-per-session", \.options.limits.maximumSubscriptionsPerSession,
            in: 1...100_000_000, counter: "subscriptionsRefused",
            "Subscriptions of one session; a further one is refused with 0x97 (3.1.1: 0x80)."),
        integer(
            "limits.maximum-subscriptions", \.options.limits.maximumSubscriptions, in: 1...100_000_000,
            counter: "subscriptionsRefused",
            "Subscriptions of one shard, likewise."),
        integer(
            "limits.maximum-topic-levels", \.options.limits.maximumTopicLevels, in: 1...65_535,
            counter: "subscriptionsRefused",
            "Levels of a filter or of a retained message's topic; a subscription with more is refused with 0x8F, a retained "
                + "publish with 0x90."),
        integer(
            "limits.maximum-cached-topics", \.options.limits.maximumCachedTopics, in: 0...100_000_000,
            "Topics whose subscribers a shard remembers from one message to the next; beyond it, older ones are looked up "
                + "again."),
        size(
            "limits.maximum-cached-topic-bytes", \.options.limits.maximumCachedTopicBytes, in: 0...(1 << 40),
            "Bytes of what is remembered about them, likewise."),
        integer(
            "limits.maximum-retained-messages", \.options.limits.maximumRetainedMessages, in: 0...100_000_000,
            counter: "retainedRefused",
            "Retained messages. A further one is refused with 0x97 and counted; in 3.x it is acknowledged and dropped."),
        size(
            "limits.maximum-retained-bytes", \.options.limits.maximumRetainedBytes, in: 0...(1 << 40),
            counter: "retainedRefused",
            "Bytes of the retained messages, likewise."),
        integer(
            "limits.maximum-retained-messages-per-client", \.options.limits.maximumRetainedMessagesPerClient,
            in: 0...100_000_000, counter: "retainedRefused",
            "Retained messages that one client identifier has published, likewise."),
        size(
            "limits.maximum-retained-bytes-per-client", \.options.limits.maximumRetainedBytesPerClient,
            in: 0...(1 << 40), counter: "retainedRefused", "Their bytes, likewise."),
    ]
}
