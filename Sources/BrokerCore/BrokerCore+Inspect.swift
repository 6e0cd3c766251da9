package import MQTTModel
import MQTTSession
import TopicIndex

/// A session as an operator sees it.
package struct SessionDescription: Sendable {
    package let clientIdentifier: String
    /// The client's IP address, which the driver knows; nil while the client is away.
    package var address: String?
    /// nil while the client is away.
    package let connection: ConnectionID?
    package let version: ProtocolVersion?
    package let userName: String?
    package let connectedAt: Instant
    /// One and a half times the keep alive; nil while the client is away, or when it is off.
    package let keepAliveTimeout: Duration?
    /// Seconds that it outlives its connection; `UInt32.max` for ever.
    package let expiryInterval: UInt32
    package let subscriptions: Int
    package let queuedMessages: Int
    package let queuedBytes: Int
    package let inflightMessages: Int
}

/// A subscription as an operator sees it.
package struct SubscriptionDescription: Sendable {
    package let clientIdentifier: String
    /// As it was sent, `$share/…` included.
    package let filter: String
    package let maximumQoS: QoS
}

/// How much a shard holds.
package struct ShardCensus: Sendable, Hashable {
    package var sessions = 0
    /// Those of them that outlive their connection.
    package var lastingSessions = 0
    package var subscriptions = 0
    package var retainedMessages = 0
    package var retainedBytes = 0
    /// Messages of the log that the shard has not finished yet.
    package var unfinishedLogMessages: UInt64 = 0

    package init() {}
}

/// For operators: looks, and changes nothing. Whoever asks takes small steps, so that a shard with a million sessions
/// does not stop for the answer.
extension BrokerCore {
    package var census: ShardCensus {
        var census = ShardCensus()
        census.sessions = sessions.count
        census.lastingSessions = sessions.durableCount
        census.subscriptions = index.subscriptionCount
        census.retainedMessages = retained.count
        census.retainedBytes = retained.byteCount
        census.unfinishedLogMessages = lastSequence - min(trimmedThrough, lastSequence)
        return census
    }

    /// The connection of a client; nil when there is no such session or the client is away.
    package func connection(of clientIdentifier: String) -> ConnectionID? {
        sessions.session(for: clientIdentifier)?.online?.connection
    }

    /// The client of a connection, under the name that it has proven or, where nobody is checked, says; nil before its
    /// CONNECT is accepted.
    package func client(of connection: ConnectionID) -> (clientIdentifier: String, userName: String?)? {
        guard let slot = connections.session(of: connection), let session = sessions.slots[slot] else { return nil }
        return (session.clientIdentifier, session.userName)
    }

    package func description(of clientIdentifier: String) -> SessionDescription? {
        sessions.session(for: clientIdentifier).map { description(of: $0) }
    }

    /// Gives the sessions in at most `count` places from `place` on to `body`, which says whether it wants more.
    ///
    /// - Returns: the place to go on from; nil at the end.
    package func inspectSessions(
        from place: Int, visiting count: Int, _ body: (SessionDescription) -> Bool
    ) -> Int? {
        inspect(from: place, visiting: count) { body(description(of: $0)) }
    }

    /// The same for what the sessions have subscribed to; a session's subscriptions are given in one go.
    package func inspectSubscriptions(
        from place: Int, visiting count: Int, _ body: (SubscriptionDescription) -> Bool
    ) -> Int? {
        inspect(from: place, visiting: count) { session in
            var wantsMore = true
            for filter in session.filters.all {
                let description = SubscriptionDescription(
                    clientIdentifier: session.clientIdentifier, filter: filter,
                    maximumQoS: maximumQoS(of: filter, session.slot))
                wantsMore = body(description) && wantsMore
            }
            return wantsMore
        }
    }

    /// The same for retained messages. Every shard has all of them.
    package func inspectRetained(
        from place: Int, visiting count: Int, _ body: (ApplicationMessage) -> Bool
    ) -> Int? {
        retained.inspect(from: place, visiting: count, body)
    }

    private func inspect(from place: Int, visiting count: Int, _ body: (Session) -> Bool) -> Int? {
        var place = max(place, 0)
        let end = min(place + count, sessions.slots.count)
        while place < end {
            let session = sessions.slots[place]
            place += 1
            if let session, !body(session) { return place }
        }
        return place < sessions.slots.count ? place : nil
    }

    private func description(of session: Session) -> SessionDescription {
        SessionDescription(
            clientIdentifier: session.clientIdentifier, connection: session.online?.connection,
            version: session.online?.version, userName: session.userName, connectedAt: session.connectedAt,
            keepAliveTimeout: session.online?.keepAliveTimeout,
            expiryInterval: session.expiryInterval, subscriptions: session.filters.count,
            queuedMessages: session.queue?.count ?? 0, queuedBytes: session.queue?.byteCount ?? 0,
            inflightMessages: session.inflight.count)
    }

    private func maximumQoS(of filter: String, _ subscriber: UInt32) -> QoS {
        guard let filter = TopicFilter(filter) else { return .atMostOnce }
        return index.maximumQoS(of: subscriber, pattern: filter.pattern, group: filter.shareName) ?? .atMostOnce
    }
}

/// What waits in sessions.
package struct SessionBacklog: Sendable, Hashable {
    package var queuedMessages = 0
    package var queuedBytes = 0
    /// Sent and not acknowledged.
    package var inflightMessages = 0

    package init() {}

    package static func += (left: inout SessionBacklog, right: SessionBacklog) {
        left.queuedMessages += right.queuedMessages
        left.queuedBytes += right.queuedBytes
        left.inflightMessages += right.inflightMessages
    }
}

extension BrokerCore {
    /// What waits in the sessions in at most `count` places from `place` on, and the place to go on from; nil at the end.
    package func backlog(from place: Int, visiting count: Int) -> (backlog: SessionBacklog, next: Int?) {
        var backlog = SessionBacklog()
        let next = inspect(from: place, visiting: count) { session in
            backlog.queuedMessages += session.queue?.count ?? 0
            backlog.queuedBytes += session.queue?.byteCount ?? 0
            backlog.inflightMessages += session.inflight.count
            return true
        }
        return (backlog, next)
    }
}
