/// What a shard has counted since it started. Only ever added to; the driver reads them for metrics and `$SYS`.
package struct Counters: Sendable, Hashable {
    package var connectionsAccepted: UInt64 = 0
    package var connectionsRefused: UInt64 = 0
    package var connectTimeouts: UInt64 = 0
    package var authenticationTimeouts: UInt64 = 0
    /// CONNECTs that came while as many clients were checked as may be.
    package var authenticationsRefused: UInt64 = 0
    /// Clients that were checked and not let in, or not any longer.
    package var authenticationsDenied: UInt64 = 0
    /// Clients that were banned because they connected too often.
    package var clientsBanned: UInt64 = 0
    /// CONNECTs that had to wait because clients fight over their identifier.
    package var connectsDelayed: UInt64 = 0
    /// CONNECTs, subscriptions and retained messages that were refused for want of memory.
    package var refusedForMemory: UInt64 = 0
    package var keepAliveTimeouts: UInt64 = 0
    package var protocolViolations: UInt64 = 0
    package var takeovers: UInt64 = 0
    /// Sessions that came from other nodes, and CONNECTs whose session did not come in time.
    package var sessionsTaken: UInt64 = 0
    package var claimTimeouts: UInt64 = 0
    package var messagesReceived: UInt64 = 0
    package var messagesSent: UInt64 = 0
    /// QoS 0 messages for a client that does not read.
    package var droppedNotWritable: UInt64 = 0
    /// QoS 1 and 2 messages for a session whose queue is full.
    package var droppedQueueFull: UInt64 = 0
    /// QoS 1 and 2 messages that waited in a session when the log gave them up, for its bytes or their age.
    package var droppedByRetention: UInt64 = 0
    /// Messages over the client's Maximum Packet Size [MQTT-3.1.2-25].
    package var droppedTooLarge: UInt64 = 0
    package var droppedExpired: UInt64 = 0
    /// Messages for a shared subscription without a member that takes them.
    package var droppedNoMember: UInt64 = 0
    /// Messages for which the backbone had no room.
    package var refusedFull: UInt64 = 0
    package var retainedRefused: UInt64 = 0
    package var subscriptionsRefused: UInt64 = 0
    /// Messages, and wills, that their client may not publish.
    package var publishesDenied: UInt64 = 0
    /// Subscriptions that were not allowed.
    package var subscriptionsDenied: UInt64 = 0
    /// Subscriptions that ended because they are no longer allowed.
    package var subscriptionsRevoked: UInt64 = 0
    /// Messages that match a subscription of a client and that it may not receive.
    package var deliveriesDenied: UInt64 = 0
    package var sessionsRefused: UInt64 = 0
    package var sessionsExpired: UInt64 = 0
    package var willsPublished: UInt64 = 0
    package var readingPaused: UInt64 = 0
    /// Times that a client was not read from because it had sent too fast or memory was short; the driver's to tell.
    package var readingThrottled: UInt64 = 0
    /// Messages of the log that were in the shard's cache when a session needed them.
    package var logCacheHits: UInt64 = 0
    /// Messages that the log was asked for, because they were not.
    package var logCacheMisses: UInt64 = 0
    /// Reads of the log that failed and are tried again.
    package var fetchesFailed: UInt64 = 0

    package init() {}
}
