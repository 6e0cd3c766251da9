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
        var statements: Statements?
        while true {
            switch queue.take(waiting: .seconds(60)) {
            case .submissions(let submissions):
                // One at a time: whoever waits for it goes on while the next is read.
                for submission in submissions { onRead([answer(to: submission, &statements)]) }
            case .nothing: continue
            case .stopped:
                statements?.finalize()
                return
            }
        }
    }

    private func answer(to submission: Submission, _ statements: inout Statements?) -> Settled {
        let settled = try? database.inDatabase { database in
            guard let connection = database.sqliteConnection else {
                throw StoreFault(code: SQLITE_MISUSE, description: "the connection was closed")
            }
            let prepared = try statements ?? Statements(connection)
            statements = prepared
            let reader = StoreReader(connection: connection, now: now())
            try prepared.begin.run()
            defer { try? prepared.end.run() }
            return submission.settled(.done, found: try reader.read(submission.sequences, by: prepared.message))
        }
        return settled ?? submission.settled(.unknown, found: [])
    }

    private struct Statements {
        /// One transaction for a batch, for each takes and gives back locks.
        let begin: PreparedStatement
        let message: PreparedStatement
        let end: PreparedStatement

        init(_ connection: OpaquePointer) throws(StoreFault) {
            begin = try PreparedStatement(connection, "BEGIN")
            message = try PreparedStatement(connection, StoreReader.messageQuery)
            end = try PreparedStatement(connection, "COMMIT")
        }

        func finalize() {
            for statement in [begin, message, end] { statement.finalize() }
        }
    }
}
