package import Backbone

/// What one shard's core tells another's. Delivered once and in order for each pair of shards.
package enum PeerMessage: Sendable {
    /// `shard` has its first ordinary subscription to the filter, or has lost its last one: publishes that match are
    /// wanted, or no longer.
    /// `isLasting`: the same for subscriptions of sessions that outlive their connection, whose messages need the log.
    case routeAdded(shard: UInt16, pattern: String, isLasting: Bool)
    case routeRemoved(shard: UInt16, pattern: String, isLasting: Bool)
    /// How many members `shard` has in a shared subscription, and how many of them are connected.
    indirect case groupChanged(shard: UInt16, group: SharedGroup, members: UInt32, connectedMembers: UInt32)
    /// A message for the receiving shard's ordinary subscribers, if `toSubscribers`, and for one of its members of
    /// each of `groups`.
    case published(LogEntry, toSubscribers: Bool, groups: [SharedGroup])
}
