package import BrokerCore
package import MQTTModel

/// What a shard's I/O has counted since it started; beside the core's own `Counters`.
package struct RuntimeCounters: Sendable, Hashable {
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    /// Control packets of every type.
    package var packetsReceived: UInt64 = 0
    package var packetsSent: UInt64 = 0
    /// Event-loop ticks that wrote something.
    package var flushes: UInt64 = 0
    /// Writes that the system did not take whole.
    package var blockedWrites: UInt64 = 0
    /// Connections that were accepted.
    package var connectionsOpened: UInt64 = 0
    /// Connections that arrived here and went on to their home shard.
    package var connectionsMoved: UInt64 = 0
    /// Connections closed at once because the shard's table was full.
    package var connectionsCut: UInt64 = 0
    /// Connections closed because memory was critical and they held much of it.
    package var connectionsCutForMemory: UInt64 = 0
    /// Connections not accepted because the system had no descriptor or memory for them.
    package var acceptFailures: UInt64 = 0
    /// Times that another shard's mailbox was found full.
    package var mailboxFull: UInt64 = 0
    /// CONNECT packets refused because the client, its user or its address is banned.
    package var bannedRefused: UInt64 = 0
    /// Connections that ended because a user, a password or a certificate was taken away.
    package var credentialsRevoked: UInt64 = 0

    package init() {}
}

/// A shard at one moment.
package struct ShardMetrics: Sendable, Hashable {
    package let shard: UInt16
    package let connections: Int
    /// Connected clients, by the version they speak.
    package let clients: ClientCounts
    package let core: Counters
    package let runtime: RuntimeCounters
    /// PUBLISH packets from clients, and to them.
    package let received: MessageCounts
    package let sent: MessageCounts
    package let census: ShardCensus
    /// From the arrival of a PUBLISH to the writing of what it causes; of some messages, not of all.
    package let latency: LatencyHistogram
}

/// Connected clients, by the version they speak.
package struct ClientCounts: Sendable, Hashable {
    private var v3_1 = 0
    private var v3_1_1 = 0
    private var v5_0 = 0

    package init() {}

    package subscript(version: ProtocolVersion) -> Int {
        get {
            switch version {
            case .v3_1: v3_1
            case .v3_1_1: v3_1_1
            case .v5_0: v5_0
            }
        }
        set {
            switch version {
            case .v3_1: v3_1 = newValue
            case .v3_1_1: v3_1_1 = newValue
            case .v5_0: v5_0 = newValue
            }
        }
    }

    package var total: Int { v3_1 + v3_1_1 + v5_0 }
}

extension RuntimeCounters {
    package typealias Path = any WritableKeyPath<RuntimeCounters, UInt64> & Sendable

    /// A line for every counter: its metric without the prefix, a sentence, and where it is.
    package static let names: [(name: String, meaning: String, path: Path)] = [
        ("bytes_received_total", "Bytes received from clients.", \.bytesReceived),
        ("bytes_sent_total", "Bytes sent to clients.", \.bytesSent),
        ("packets_received_total", "Control packets received, of every type.", \.packetsReceived),
        ("packets_sent_total", "Control packets sent, of every type.", \.packetsSent),
        ("flushes_total", "Event-loop ticks that wrote something.", \.flushes),
        ("blocked_writes_total", "Writes that the system did not take whole.", \.blockedWrites),
        ("connections_accepted_total", "Network connections that were accepted.", \.connectionsOpened),
        (
            "connections_moved_total", "Connections that arrived on one event loop and went on to another.",
            \.connectionsMoved
        ),
        ("connections_cut_total", "Connections closed at once because there were too many.", \.connectionsCut),
        (
            "accept_failures_total", "Connections not accepted for want of descriptors or memory.", \.acceptFailures
        ),
        (
            "connections_cut_for_memory_total",
            "Connections closed because memory was critical and they held much of it.", \.connectionsCutForMemory
        ),
        ("mailbox_full_total", "Times that the mailbox between two event loops was full.", \.mailboxFull),
        ("banned_connections_total", "CONNECT packets refused because of a ban.", \.bannedRefused),
        (
            "revoked_connections_total",
            "Connections that ended because a user, a password or a certificate was taken away.", \.credentialsRevoked
        ),
    ]

    package static func += (left: inout RuntimeCounters, right: RuntimeCounters) {
        for name in names { left[keyPath: name.path] += right[keyPath: name.path] }
    }
}
