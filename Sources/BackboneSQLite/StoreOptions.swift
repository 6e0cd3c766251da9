/// Where a store is and what bounds it.
package struct StoreOptions: Sendable {
    /// The data directory; made when it is not there.
    package var directory: String
    package var durability = Durability.commit
    /// Shards that `trim`: what one of them has not given up is kept.
    package var shardCount = 1

    /// Bytes of topics, properties and payloads in the log, beyond which the oldest messages are deleted though sessions
    /// may still want them.
    package var maximumLogBytes = 1 << 30
    /// Time after which a logged message is deleted though sessions may still want it; in whole milliseconds.
    package var maximumLogAge = Duration.seconds(30 * 24 * 3600)
    /// Bytes of the file, beyond which commands are answered with `full`; nil: until the disk is full.
    package var maximumFileBytes: Int?

    /// Commands that wait for the disk, beyond which more are answered with `full`.
    package var maximumPendingCommands = 1_000_000
    /// Bytes of messages that wait for the disk, beyond which more are answered with `full`.
    package var maximumPendingBytes = 256 << 20
    /// Commands in one transaction.
    package var maximumCommandsPerCommit = 8192
    /// Bytes of messages in one transaction.
    package var maximumBytesPerCommit = 16 << 20
    /// Time for which the writer gathers commands when there are few for a transaction. It adds to the time of every
    /// acknowledgement and saves processor time where messages arrive one by one.
    package var gatherTime = Duration.zero
    /// Time that deleting what nobody needs may add to a commit.
    package var maximumTrimTime = Duration.milliseconds(5)

    /// Bytes of the write-ahead log from which it is moved to the file when nothing else is to do.
    package var idleCheckpointBytes = 1 << 20
    /// Bytes of the write-ahead log from which it is moved to the file though the writer is busy. Small, since a log that
    /// begins anew is written over itself: one that grows costs the disk a note of its length with every sync.
    package var busyCheckpointBytes = 4 << 20
    /// Bytes of the write-ahead log from which the writer waits until it has been moved. Only a reader, such as a backup,
    /// lets it grow further, for as long as it reads.
    package var maximumWalBytes = 256 << 20
    /// Time without a command after which the writer counts as idle.
    package var idleTime = Duration.milliseconds(100)

    /// Bytes of SQLite's page cache.
    package var pageCacheBytes = 8 << 20
    /// Bytes of the page cache of the connection that reads messages back.
    package var readerCacheBytes = 4 << 20
    /// Sessions whose key the writer remembers; the others cost a look-up each.
    package var sessionKeyCacheCount = 65_536
    /// Bytes up to which a file is checked whole when it is opened. A larger one is checked by `dunlin inspect`, and as
    /// far as a restart reads it.
    package var checkedFileBytes = 64 << 20

    package init(directory: String) { self.directory = directory }

    package static let fileName = "dunlin.sqlite"
    package static let lockName = "dunlin.lock"
    package var path: String { directory + "/" + StoreOptions.fileName }
}
