package import Backbone
import Foundation
import GRDB
import GRDBSQLite
package import MQTTModel
import Synchronization

/// The embedded engine: what must survive lies in one SQLite file, written by one thread.
///
/// The driver's duties: (1) `restore` once, before anything else; (2) `start` with what takes the answers; (3) `submit`,
/// from any thread; (4) hand the entry of every answer to every shard before the answer itself; (5) `stop`, after the
/// last `submit`.
///
/// Group commit: what is submitted while a transaction is being written joins the next one, so that the disk's delay is
/// shared by all that waits for it.
///
/// Sendable: the writer's state is touched by `restore` and then by its thread alone.
package final class SQLiteBackbone: BackboneEngine, @unchecked Sendable {
    package let options: StoreOptions
    private let lock: DirectoryLock
    private let database: DatabaseQueue
    private let queue: SubmissionQueue
    private let writer: StoreWriter
    private let checkpoint: CheckpointThread
    private let fetcher: StoreFetcher
    private let walSize: WalSize
    private let latestStatistics = Mutex(StoreStatistics())
    private let latestRefusal = Mutex<(reason: String, at: ContinuousClock.Instant)?>(nil)
    /// Touched by the writer's thread alone.
    private var reporter: StoreEventReporter
    private var freeSpace: FreeSpace
    private var nextTruncation = ContinuousClock.now
    private enum Phase { case opened, restored, running, stopped }
    private let phase = Mutex(Phase.opened)
    private let threadEnded = DispatchGroup()

    /// Opens the store of a directory, or makes it. `report` is called here and on the writer's thread. `now` gives wall
    /// clock milliseconds since 1970.
    package init(
        options: StoreOptions, report: @escaping @Sendable (StoreEvent) -> Void = { _ in },
        now: @escaping @Sendable () -> Int64
    ) throws(BackboneError) {
        self.options = options
        reporter = StoreEventReporter(report)
        freeSpace = FreeSpace(directory: options.directory)
        do {
            try FileManager.default.createDirectory(atPath: options.directory, withIntermediateDirectories: true)
        } catch {
            throw BackboneError(
                .directoryUnusable,
                "the data directory \(options.directory) cannot be made; make it for the user that runs the broker, or "
                    + "name another")
        }
        lock = try DirectoryLock(options)
        let walBytes = StoreFile.walBytes(options)
        database = try StoreFile.open(options)
        queue = SubmissionQueue(
            maximumCommands: options.maximumPendingCommands, maximumBytes: options.maximumPendingBytes)
        do {
            (writer, walSize) = try database.writeWithoutTransaction { database in
                guard let connection = database.sqliteConnection else {
                    throw BackboneError(.engine, "\(options.path) was closed")
                }
                let writer = try StoreWriter(connection: connection, options: options, now: now)
                return (writer, WalSize(connection))
            }
            checkpoint = try CheckpointThread(options: options)
            fetcher = try StoreFetcher(options: options, now: now)
            try database.writeWithoutTransaction { _ in try writer.load() }
        } catch {
            throw StoreFile.explain(error, path: options.path)
        }
        if walBytes > 0 { report(.notClosed(walBytes: walBytes)) }
    }

    /// The same with the machine's clock.
    package convenience init(
        options: StoreOptions, report: @escaping @Sendable (StoreEvent) -> Void = { _ in }
    ) throws(BackboneError) {
        try self.init(options: options, report: report) { Int64(Date().timeIntervalSince1970 * 1000) }
    }

    /// Gives everything that survived: the sessions, then the retained messages, then the log in order, each message of
    /// it with the shared subscriptions that are not done with it. Once, before `start`.
    package func restore(
        session: (RestoredSession) -> Void, retained: (ApplicationMessage, RetainedPosition) -> Void,
        entry: (LogEntry, [SharedGroup]) -> Void
    ) throws(BackboneError) {
        do {
            try database.writeWithoutTransaction { _ in
                try writer.restore(session: session, retained: retained, entry: entry)
            }
        } catch {
            throw StoreFile.explain(error, path: options.path)
        }
        phase.withLock { if $0 == .opened { $0 = .restored } }
        publishStatistics()
    }

    /// Starts the writer and the reader. `onCommit` is called on the writer's thread after each transaction with all that it
    /// settled, in order of submission, and on the reader's with each answer to a `fetch`; `onDropped` after transactions
    /// that cost messages which sessions may want. Restores into nothing when nobody has restored.
    package func start(
        onCommit: @escaping @Sendable ([Settled]) -> Void,
        onDropped: @escaping @Sendable (LogSequence) -> Void = { _ in }
    ) throws(BackboneError) {
        if phase.withLock({ $0 == .opened }) {
            try restore(session: { _ in }, retained: { _, _ in }, entry: { _, _ in })
        }
        let isFirst = phase.withLock { phase in
            guard phase == .restored else { return false }
            phase = .running
            return true
        }
        guard isFirst else { return }
        fetcher.start(onRead: onCommit)
        threadEnded.enter()
        let thread = Thread { [self] in
            write(Listener(onCommit: onCommit, onDropped: onDropped))
            threadEnded.leave()
        }
        thread.name = "dunlin.store"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Takes a command, from any thread; never waits for the disk. The answer comes by `onCommit`, with `submitter` and
    /// `token`; after `stop` there is none.
    package func submit(_ command: BackboneCommand, submitter: UInt16, token: BackboneToken) {
        let submission = Submission(command, submitter: submitter, token: token)
        if case .fetch = command { fetcher.submit(submission) } else { queue.add(submission) }
    }

    /// Time after which a failure that was not followed by another says nothing any more: with nobody sent here, nothing
    /// would be tried, and a broker that is well again would be avoided for ever.
    private static let refusalMemory = Duration.seconds(30)

    /// Why messages are not acknowledged at the moment; nil while they are.
    var refusal: String? {
        guard let latest = latestRefusal.withLock({ $0 }) else { return nil }
        return ContinuousClock.now - latest.at < Self.refusalMemory ? latest.reason : nil
    }

    private func noteRefusal(isNew: Bool) {
        let reason = reporter.refusal
        latestRefusal.withLock { latest in
            guard let reason else { return latest = nil }
            if isNew || latest == nil { latest = (reason, .now) }
        }
    }

    package var statistics: StoreStatistics {
        var statistics = latestStatistics.withLock { $0 }
        statistics.pendingCommands = queue.count
        return statistics
    }

    /// Commits and answers what was submitted, moves the write-ahead log to the file and closes it.
    package func stop() {
        let previous = phase.withLock { phase in
            defer { phase = .stopped }
            return phase
        }
        guard previous != .stopped else { return }
        queue.stop()
        threadEnded.wait()
        fetcher.stop()
        checkpoint.stop()
        database.writeWithoutTransaction { _ in
            writer.noteEnd()
            _ = checkpoint.run(on: writer.connection, SQLITE_CHECKPOINT_TRUNCATE)
            writer.statements.finalize()
        }
        publishStatistics()
        if checkpoint.hasFailed {
            // The last connection that closes would move the log to the file. This one stays open until the process ends.
            _ = Unmanaged.passRetained(database)
        } else {
            try? database.close()
        }
        lock.release()
    }

    /// What SQLite says that one of the writer's settings is.
    package func pragma(_ name: String) throws -> String? {
        try database.writeWithoutTransaction { try String.fetchOne($0, sql: "PRAGMA \(name)") }
    }

    // MARK: The writer's thread

    private struct Listener {
        let onCommit: @Sendable ([Settled]) -> Void
        let onDropped: @Sendable (LogSequence) -> Void
    }

    private func write(_ listener: Listener) {
        var patience = options.idleTime
        while true {
            switch queue.take(waiting: patience) {
            case .submissions(let submissions):
                commit(submissions + gathered(after: submissions.count), listener)
                patience = options.idleTime
            case .nothing: patience = tidyUp(listener) ? options.idleTime : .seconds(60)
            case .stopped: return
            }
        }
    }

    /// What comes within the time for gathering, when there were few.
    private func gathered(after count: Int) -> [Submission] {
        guard options.gatherTime > .zero, count < Self.plenty else { return [] }
        Thread.sleep(forTimeInterval: Double(options.gatherTime.wholeNanoseconds) / 1e9)
        guard case .submissions(let more) = queue.take(waiting: .zero) else { return [] }
        return more
    }

    /// Commands among which the cost of a transaction is shared well enough.
    private static let plenty = 64

    /// In transactions of bounded size.
    private func commit(_ submissions: [Submission], _ listener: Listener) {
        var start = 0
        while start < submissions.count {
            var end = start
            var bytes = 0
            while end < submissions.count, end - start < options.maximumCommandsPerCommit,
                end == start || bytes < options.maximumBytesPerCommit
            {
                bytes += submissions[end].byteCount
                end += 1
            }
            transact(submissions[start..<end], listener)
            start = end
            if walSize.bytes > options.maximumWalBytes { checkpoint.wait() }
            let isDue = walSize.bytes > options.idleCheckpointBytes && freeSpace.isScarce(walBytes: walSize.bytes)
            if isDue || walSize.bytes > options.busyCheckpointBytes { checkpointBeside() }
        }
    }

    private func transact(_ batch: ArraySlice<Submission>, _ listener: Listener) {
        let begin = ContinuousClock.now
        let dropped = writer.statistics.droppedByRetention
        let failures = writer.statistics.failures
        let settled = database.writeWithoutTransaction { _ in
            let settled = checkpoint.hasFailed ? [] : writer.run(batch, mayWait: waitsForLock)
            // Also one that failed meanwhile: its sync may have been told what this transaction's was not.
            return checkpoint.hasFailed ? writer.giveUp(batch) : settled
        }
        writer.statistics.commands += UInt64(settled.count)
        for answer in settled where answer.outcome == .full { writer.statistics.refused += 1 }
        writer.statistics.lastCommitMicroseconds =
            (ContinuousClock.now - begin).wholeNanoseconds / 1000
        writer.statistics.commitMicroseconds += writer.statistics.lastCommitMicroseconds
        publishStatistics()
        let through = writer.state.retentionThrough
        // Before the answers: who is refused finds the reason in the log.
        reporter.update(writer.statistics, writer.lastFault, through: through, at: writer.clock.read())
        noteRefusal(isNew: writer.statistics.failures > failures)
        if !settled.isEmpty { listener.onCommit(settled) }
        if writer.statistics.droppedByRetention > dropped { listener.onDropped(through) }
        if writer.statistics.failures > failures, writer.lastFault?.isOutOfSpace == true { makeRoom() }
    }

    /// Another program holds the lock: whether to try again, which the end of the broker alone denies. What waits
    /// meanwhile is bounded, and refused beyond that.
    private func waitsForLock() -> Bool {
        writer.statistics.lockedOut += 1
        publishStatistics()
        reporter.lockedOut(at: writer.clock.read())
        noteRefusal(isNew: true)
        return !queue.isStopping
    }

    /// While nothing else is to do. Returns whether there is more of it.
    private func tidyUp(_ listener: Listener) -> Bool {
        guard !checkpoint.hasFailed else { return false }
        if writer.isTidyingDue {
            let failures = writer.statistics.failures
            transact([], listener)
            // On a full disk it is tried again later.
            return writer.statistics.failures == failures && writer.isTidyingDue
                || walSize.bytes > options.idleCheckpointBytes
        }
        guard walSize.bytes > options.idleCheckpointBytes else { return false }
        database.writeWithoutTransaction { _ in writer.noteClock() }
        checkpointBeside()
        publishStatistics()
        return walSize.bytes > options.idleCheckpointBytes
    }

    /// The long part beside the writer, then the short rest here, after which the write-ahead log begins anew.
    private func checkpointBeside() {
        guard checkpoint.takeFinished() else {
            checkpoint.start()
            return
        }
        _ = database.writeWithoutTransaction {
            checkpoint.run(on: $0.sqliteConnection, SQLITE_CHECKPOINT_PASSIVE)
        }
        walSize.reset()
        writer.statistics.checkpoints += 1
    }

    /// On a full disk, where the write-ahead log may hold much room that the file does not need. A few times a second.
    private func makeRoom() {
        guard walSize.bytes > 0, ContinuousClock.now >= nextTruncation else { return }
        if checkpoint.truncate() {
            walSize.reset()
            writer.statistics.checkpoints += 1
        }
        nextTruncation = ContinuousClock.now.advanced(by: .milliseconds(250))
    }

    private func publishStatistics() {
        var statistics = writer.statistics
        statistics.logMessages = writer.state.logMessages
        statistics.logBytes = writer.state.logBytes
        statistics.lastSequence = writer.state.lastSequence
        statistics.retentionThrough = statistics.droppedByRetention > 0 ? writer.state.retentionThrough : 0
        statistics.walBytes = walSize.bytes
        latestStatistics.withLock { $0 = statistics }
    }
}

/// Follows the size of the write-ahead log: SQLite tells after every commit.
final class WalSize {
    private let frames: UnsafeMutablePointer<Int32>

    init(_ connection: OpaquePointer) {
        frames = .allocate(capacity: 1)
        frames.pointee = 0
        sqlite3_wal_hook(
            connection,
            { context, _, _, count in
                context?.assumingMemoryBound(to: Int32.self).pointee = count
                return SQLITE_OK
            }, frames)
    }

    deinit { frames.deallocate() }

    /// Bytes, of frames of one page each.
    var bytes: Int { Int(frames.pointee) * 4120 }

    /// It has been moved to the file; the next commit tells how much is left if it could not be.
    func reset() { frames.pointee = 0 }
}
