/// A counter as metrics show it: `dunlin_NAME{LABEL="VALUE"}`.
package struct CounterName: Sendable {
    package typealias Path = any KeyPath<Counters, UInt64> & Sendable

    /// The property of `Counters`.
    package let property: String
    /// Without the prefix; ends in `_total`.
    package let name: String
    /// A label and its value, where several counters are kinds of one thing.
    package let label: (name: String, value: String)?
    /// A sentence.
    package let meaning: String
    package let path: Path

    init(
        _ property: String, _ path: Path, _ name: String, _ meaning: String,
        label: (name: String, value: String)? = nil
    ) {
        self.property = property
        self.path = path
        self.name = name
        self.label = label
        self.meaning = meaning
    }

    /// As a query names it.
    package var metric: String {
        "dunlin_\(name)" + (label.map { "{\($0.name)=\"\($0.value)\"}" } ?? "")
    }
}

extension Counters {
    /// A line for every counter; those of one name lie together. The metrics, `docs/limits.md` and
    /// `docs/operations.md` come from it.
    package static let names: [CounterName] = connections + access + messages + drops + refusals + log

    private static let connections = [
        CounterName(
            "connectionsAccepted", \.connectionsAccepted, "loop_connections_total",
            "Connections that began on an event loop; one that moves to another begins twice."),
        CounterName(
            "connectionsRefused", \.connectionsRefused, "connections_refused_total",
            "Connections that were refused before their session began: bounds, CONNECT packets that cannot be accepted."
        ),
        CounterName(
            "connectTimeouts", \.connectTimeouts, "connect_timeouts_total",
            "Connections closed because no CONNECT came in time."),
        CounterName(
            "keepAliveTimeouts", \.keepAliveTimeouts, "keep_alive_timeouts_total",
            "Clients disconnected because nothing came for one and a half times their keep alive."),
        CounterName(
            "protocolViolations", \.protocolViolations, "protocol_violations_total",
            "Connections closed because the client broke the standard or a limit that it was told."),
        CounterName("takeovers", \.takeovers, "session_takeovers_total", "Sessions taken over by another connection."),
        CounterName(
            "sessionsTaken", \.sessionsTaken, "sessions_from_nodes_total", "Sessions that came from other nodes."),
        CounterName(
            "claimTimeouts", \.claimTimeouts, "session_claim_timeouts_total",
            "CONNECT packets whose session did not come from its node in time."),
        CounterName("sessionsExpired", \.sessionsExpired, "sessions_expired_total", "Sessions that expired."),
        CounterName("willsPublished", \.willsPublished, "wills_published_total", "Wills that were published."),
        CounterName(
            "readingPaused", \.readingPaused, "reading_paused_total",
            "Times that a client was not read from because its publishes waited."),
        CounterName(
            "readingThrottled", \.readingThrottled, "reading_throttled_total",
            "Times that a client was not read from because it had sent too fast or memory was short."),
        CounterName(
            "clientsBanned", \.clientsBanned, "clients_banned_total",
            "Clients that were banned for a time because they connected too often."),
        CounterName(
            "connectsDelayed", \.connectsDelayed, "connects_delayed_total",
            "CONNECT packets that had to wait because clients fight over their client identifier."),
    ]

    private static let access = [
        CounterName(
            "authenticationTimeouts", \.authenticationTimeouts, "authentication_timeouts_total",
            "Clients whose authentication took too long."),
        CounterName(
            "authenticationsRefused", \.authenticationsRefused, "authentications_refused_total",
            "CONNECT packets that came while as many clients were checked as may be."),
        CounterName(
            "authenticationsDenied", \.authenticationsDenied, "authentications_denied_total",
            "Clients that were checked and not let in, or not any longer."),
        notAuthorized("publishesDenied", \.publishesDenied, "publish"),
        notAuthorized("subscriptionsDenied", \.subscriptionsDenied, "subscribe"),
        notAuthorized("subscriptionsRevoked", \.subscriptionsRevoked, "subscription-revoked"),
        notAuthorized("deliveriesDenied", \.deliveriesDenied, "receive"),
    ]

    private static func notAuthorized(_ property: String, _ path: CounterName.Path, _ action: String) -> CounterName {
        CounterName(
            property, path, "not_authorized_total",
            "Things that a client wanted and may not do, 0x87 (Not authorized).",
            label: ("action", action))
    }

    private static let messages = [
        CounterName(
            "messagesReceived", \.messagesReceived, "publish_packets_received_total",
            "PUBLISH packets received, repeated ones included."),
        CounterName(
            "messagesSent", \.messagesSent, "publish_packets_sent_total",
            "PUBLISH packets sent, repeated ones included."),
    ]

    private static let drops = [
        dropped("droppedNotWritable", \.droppedNotWritable, "not-writable"),
        dropped("droppedQueueFull", \.droppedQueueFull, "queue-full"),
        dropped("droppedTooLarge", \.droppedTooLarge, "packet-too-large"),
        dropped("droppedExpired", \.droppedExpired, "expired"),
        dropped("droppedNoMember", \.droppedNoMember, "no-shared-subscriber"),
        dropped("droppedByRetention", \.droppedByRetention, "log-retention"),
    ]

    private static let refusals = [
        refused("refusedFull", \.refusedFull, "message"),
        refused("retainedRefused", \.retainedRefused, "retained-message"),
        refused("subscriptionsRefused", \.subscriptionsRefused, "subscription"),
        refused("sessionsRefused", \.sessionsRefused, "session"),
        refused("refusedForMemory", \.refusedForMemory, "memory"),
    ]

    private static let log = [
        CounterName(
            "logCacheHits", \.logCacheHits, "log_cache_hits_total",
            "Messages of the log that were in the cache when a session needed them."),
        CounterName(
            "logCacheMisses", \.logCacheMisses, "log_fetches_total",
            "Messages that the log was asked for, because they were not in the cache."),
        CounterName(
            "fetchesFailed", \.fetchesFailed, "log_failed_fetches_total",
            "Reads of the log that failed and are tried again."),
    ]

    private static func dropped(_ property: String, _ path: CounterName.Path, _ reason: String) -> CounterName {
        CounterName(
            property, path, "messages_dropped_total",
            """
            Messages not delivered to a session: its client does not read (QoS 0, not-writable), its queue is full, the \
            packet is above its Maximum Packet Size, the message expired, a shared subscription has nobody who takes it, \
            or the log has given it up.
            """, label: ("reason", reason))
    }

    private static func refused(_ property: String, _ path: CounterName.Path, _ what: String) -> CounterName {
        CounterName(
            property, path, "quota_exceeded_total",
            "Times that a client was answered with 0x97 (Quota exceeded) or its like.", label: ("what", what))
    }
}
