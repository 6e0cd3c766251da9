package import Backbone

/// What a store has done since it was opened, and what it holds.
package struct StoreStatistics: Sendable, Equatable {
    /// Transactions.
    package var commits: UInt64 = 0
    /// Commands that were answered.
    package var commands: UInt64 = 0
    /// Messages that went to the log.
    package var appended: UInt64 = 0
    /// Bytes of topic, properties and payload that went to the log.
    package var appendedBytes: UInt64 = 0
    /// Transactions that failed.
    package var failures: UInt64 = 0
    /// Commands that were answered with `full`, for want of room on the disk or in the queue before it.
    package var refused: UInt64 = 0
    /// Logged messages that were deleted because of the log's bounds.
    package var droppedByRetention: UInt64 = 0
    /// Logged messages that were deleted because nobody needed them any more.
    package var trimmed: UInt64 = 0
    package var checkpoints: UInt64 = 0
    /// Of all transactions.
    package var commitMicroseconds: UInt64 = 0
    /// Of the last transaction.
    package var lastCommitMicroseconds: UInt64 = 0
    /// The longest that deleting what nobody needs has added to a transaction.
    package var longestTrimMicroseconds: UInt64 = 0
    /// Times that the writer found the file locked by another program, once for each quarter of a second.
    package var lockedOut: UInt64 = 0
    /// What went wrong last, nil when nothing has.
    package var lastError: String?

    /// What the log holds.
    package var logMessages: Int = 0
    package var logBytes: Int = 0
    package var lastSequence: LogSequence = 0
    /// Below this sequence the log's bounds have deleted messages though sessions may have wanted them; 0: none.
    package var retentionThrough: LogSequence = 0
    /// Bytes of the write-ahead log.
    package var walBytes: Int = 0
    /// Commands that wait for the disk.
    package var pendingCommands: Int = 0

    package init() {}
}
