import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// Moves the write-ahead log to the file beside the writer, on a connection and a thread of its own: commits go on
/// meanwhile. What they add is left to the writer, so that the log can begin anew: a short end instead of a long stall.
final class CheckpointThread: Sendable {
    private enum State { case idle, running, finished }

    private let database: DatabaseQueue
    private let state = Mutex(State.idle)
    private let isBroken = Atomic<Bool>(false)
    /// SQLITE_IOERR_FSYNC
    private static let failedSync = SQLITE_IOERR | (4 << 8)
    private let group = DispatchGroup()
    /// Of its own, so that it does not wait for a thread of a pool that is busy.
    private let thread = DispatchQueue(label: "dunlin.checkpoint")

    init(options: StoreOptions) throws {
        var configuration = GRDB.Configuration()
        configuration.label = "dunlin.checkpoint"
        database = try DatabaseQueue(path: options.path, configuration: configuration)
        try database.writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA synchronous = \(options.durability.synchronous)")
            try $0.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        }
    }

    /// Begins, unless it is under way.
    func start() {
        let isStarted = state.withLock { state in
            guard state == .idle else { return false }
            state = .running
            return true
        }
        guard isStarted else { return }
        thread.async(group: group) { [self] in
            _ = database.writeWithoutTransaction { run(on: $0.sqliteConnection, SQLITE_CHECKPOINT_PASSIVE) }
            state.withLock { $0 = .finished }
        }
    }

    /// Whether it has come to an end since this was last asked.
    func takeFinished() -> Bool {
        state.withLock { state in
            guard state == .finished else { return false }
            state = .idle
            return true
        }
    }

    /// Here and now, and gives the room of the write-ahead log back. Returns whether it has: not while somebody reads.
    func truncate() -> Bool {
        wait()
        _ = takeFinished()
        return database.writeWithoutTransaction {
            run(on: $0.sqliteConnection, SQLITE_CHECKPOINT_TRUNCATE) == SQLITE_OK
        }
    }

    /// Until it has come to an end, if it is under way.
    func wait() { group.wait() }

    func stop() {
        wait()
        try? database.close()
    }

    /// Whether the file could not be synced once. What an earlier checkpoint had written to it, and did not sync because it
    /// got only so far, may be lost by that, and SQLite would give the write-ahead log up without writing it again. Only
    /// the next process does, for it begins with the log's first frame.
    var hasFailed: Bool { isBroken.load(ordering: .acquiring) }

    /// On the connection of this thread or on the writer's; not after one that has failed.
    func run(on connection: OpaquePointer?, _ mode: Int32) -> Int32 {
        if hasFailed { return SQLITE_IOERR }
        let code = sqlite3_wal_checkpoint_v2(connection, "main", mode, nil, nil)
        // Other reasons pass (a reader), or the next commit meets them as well.
        if code != SQLITE_OK, sqlite3_extended_errcode(connection) == Self.failedSync {
            isBroken.store(true, ordering: .releasing)
        }
        return code
    }
}
