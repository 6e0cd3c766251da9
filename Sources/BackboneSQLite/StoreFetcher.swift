import Backbone
import Foundation
import GRDB
import GRDBSQLite
import MQTTModel

/// Reads messages back from the log, on a connection and a thread of its own: no commit waits for a read, and no read for
/// a commit. What is asked for has been committed before, for a shard knows of a message only then.
///
/// Sendable: what is read with belongs to its thread.
final class StoreFetcher: @unchecked Sendable {
    private let database: DatabaseQueue
    private let queue: SubmissionQueue
    private let now: @Sendable () -> Int64
    private let threadEnded = DispatchGroup()

    init(options: StoreOptions, now: @escaping @Sendable () -> Int64) throws {
        var configuration = GRDB.Configuration()
        configuration.label = "dunlin.reader"
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        database = try DatabaseQueue(path: options.path, configuration: configuration)
        queue = SubmissionQueue(
            maximumCommands: options.maximumPendingCommands, maximumBytes: options.maximumPendingBytes)
        self.now = now
        try database.inDatabase { database in
            try database.execute(sql: "PRAGMA cache_size = -\(options.readerCacheBytes / 1024)")
        }
    }

    func submit(_ submission: Submission) { queue.add(submission) }

    func start(onRead: @escaping @Sendable ([Settled]) -> Void) {
        threadEnded.enter()
        let thread = Thread { [self] in
            read(onRead: onRead)
            threadEnded.leave()
        }
        thread.name = "dunlin.reader"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Answers what was submitted, and ends.
    func stop() {
        queue.stop()
        threadEnded.wait()
        try? database.close()
    }

    private func read(onRead: @Sendable ([Settled]) -> Void) {
        var rows: PreparedStatement?
        while case .submissions(let submissions) = queue.take(waiting: nil) {
            for submission in submissions {
                let settled = try? database.inDatabase { database in
                    guard let connection = database.sqliteConnection else {
                        throw StoreFault(code: SQLITE_MISUSE, description: "closed")
                    }
                    let statement = try rows ?? PreparedStatement(connection, StoreReader.messageQuery)
                    rows = statement
                    let reader = StoreReader(connection: connection, now: now())
                    return submission.settled(.done, found: try reader.read(submission.sequences, by: statement))
                }
                // One at a time: whoever waits for it goes on while the next is read.
                onRead([settled ?? submission.settled(.unknown, found: [])])
            }
        }
        rows?.finalize()
    }
}
