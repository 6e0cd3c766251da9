package import BrokerCore

/// What a shard's I/O has counted since it started; beside the core's own `Counters`.
package struct RuntimeCounters: Sendable, Hashable {
    package var bytesReceived: UInt64 = 0
    package var bytesSent: UInt64 = 0
    /// Event-loop ticks that wrote something.
    package var flushes: UInt64 = 0
    /// Writes that the system did not take whole.
    package var blockedWrites: UInt64 = 0
    /// Connections that arrived here and went on to their home shard.
    package var connectionsMoved: UInt64 = 0
    /// Connections closed at once because the shard's table was full.
    package var connectionsCut: UInt64 = 0
    /// Connections not accepted because the system had no descriptor or memory for them.
    package var acceptFailures: UInt64 = 0
    /// Times that another shard's mailbox was found full.
    package var mailboxFull: UInt64 = 0

    package init() {}
}

/// A shard's counters at one moment.
package struct ShardMetrics: Sendable, Hashable {
    package let shard: UInt16
    package let connections: Int
    package let core: Counters
    package let runtime: RuntimeCounters
}
