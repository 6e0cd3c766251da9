import Backbone
import GRDB
import GRDBSQLite
import MQTTModel

/// Applies commands to the file: one transaction for all of a batch. Confined to the thread that calls it.
///
/// What it keeps beside the file (the last sequence, the size of the log, session keys) changes with a transaction and is
/// put back when that one fails.
final class StoreWriter {
    let options: StoreOptions
    let connection: OpaquePointer
    let statements: StoreStatements
    var clock: WallClock
    var statistics = StoreStatistics()
    /// Wall clock of the transaction.
    var now: Int64 = 0
    /// This process's.
    var life = StoreLife(previous: 0, at: 0)

    /// The state that goes with a transaction.
    struct State {
        var lastSequence: LogSequence = 0
        var nextSessionKey: Int64 = 1
        /// The next `position` of a subscription or a sent message: only its order means something.
        var nextPosition: Int64 = 1
        var logMessages = 0
        var logBytes = 0
        /// The end of the log may hold no row, so the last sequence has to be written beside it.
        var mustNoteSequence = false
        /// Up to here nothing that is not waited for by a group is left in the log.
        var trimmedThrough: LogSequence = 0
        /// Up to here nothing at all is left.
        var retentionThrough: LogSequence = 0
        /// The life of the broker before this one is not noted to be over.
        var mustNoteLife = true
    }

    var state = State()
    private var nextExpirySweep: Int64 = .min
    /// When the oldest message of the log was stored, as far as it was looked up.
    var oldest: (sequence: LogSequence, storedAt: Int64)?
    /// What each shard has given up.
    var trims: [LogSequence]
    private var sessionKeys: [ExactText: Int64] = [:]
    /// Where sessions have got to in this transaction: only the last one goes to the file.
    private(set) var cursors: [Int64: LogSequence] = [:]

    init(
        connection: OpaquePointer, options: StoreOptions, now: @escaping @Sendable () -> Int64
    ) throws(StoreFault) {
        self.connection = connection
        self.options = options
        statements = try StoreStatements(connection)
        clock = WallClock(source: now, latest: .min)
        trims = Array(repeating: 0, count: max(1, options.shardCount))
    }

    // MARK: The transaction

    /// What of a batch is tried: when there is no room, what makes room has to go through all the same.
    private enum Attempt {
        case everything
        /// Appends are refused.
        case withoutAppends
        /// Only what nobody needs any more is deleted.
        case nothingNew

        func refuses(_ command: BackboneCommand) -> Bool {
            switch command {
            case .append: self != .everything
            case .store: self == .nothingNew
            case .trim, .fetch, .claim: false
            }
        }
    }

    private var refusedPublishers = RefusedPublishers()

    /// Settles the commands in their order. While another program holds the lock it is tried again, for as long as
    /// `mayWait` says yes.
    func run(_ batch: ArraySlice<Submission>, mayWait: () -> Bool) -> [Settled] {
        var batch = batch
        if !refusedPublishers.isEmpty || batch.contains(where: \.isRefused) { refuseWhatFollows(in: &batch) }
        let settled = run(batch, .everything, mayWait: mayWait)
        if settled.contains(where: { $0.outcome != .done }) {
            for (one, answer) in zip(batch, settled) where answer.outcome != .done && !one.isRefused {
                guard case .append(let append) = one.command else { continue }
                refusedPublishers.refused(append, submitter: one.submitter, token: one.token)
            }
        }
        return settled
    }

    /// What a publisher has sent behind a message that was not taken is not taken either (P3).
    private func refuseWhatFollows(in batch: inout ArraySlice<Submission>) {
        for index in batch.indices {
            let one = batch[index]
            guard case .append(let append) = one.command else { continue }
            if refusedPublishers.mustRefuse(append, submitter: one.submitter) {
                batch[index] = one.refused
            } else if one.isRefused {
                refusedPublishers.refused(append, submitter: one.submitter, token: one.token)
            }
        }
    }

    private func run(_ batch: ArraySlice<Submission>, _ attempt: Attempt, mayWait: () -> Bool) -> [Settled] {
        while true {
            let before = (state, statistics)
            now = clock.read()
            do throws(StoreFault) {
                return try transact(batch, attempt)
            } catch {
                let isKnown = !isCommitting || error.leavesNoCommit
                rollBack()
                let last = state.lastSequence
                (state, statistics) = before
                if error.isBusy, isKnown, mayWait() { continue }
                lastFault = error
                statistics.failures += 1
                statistics.lastError = error.description
                guard isKnown, error.isFull else {
                    // Not used again: should the commit have happened after all, they are taken.
                    state.lastSequence = last
                    state.mustNoteSequence = true
                    return batch.map { $0.settledAfterFailure(.unknown) }
                }
                return retry(batch, after: attempt, mayWait: mayWait)
            }
        }
    }

    /// After a checkpoint that failed: nobody knows any more what the file has.
    func giveUp(_ batch: ArraySlice<Submission>) -> [Settled] {
        let fault = StoreFault(
            code: SQLITE_IOERR,
            description: "the file could not be synced; nothing is taken until the broker is started anew")
        lastFault = fault
        statistics.failures += 1
        statistics.lastError = fault.description
        return batch.map { $0.settledAfterFailure(.unknown) }
    }

    private func transact(_ batch: ArraySlice<Submission>, _ attempt: Attempt) throws(StoreFault) -> [Settled] {
        var settled: [Settled] = []
        settled.reserveCapacity(batch.count)
        for submission in batch {
            let isRefused = attempt.refuses(submission.command)
            settled.append(isRefused ? submission.settled(.full) : try apply(submission))
        }
        try writeCursors()
        try trim(rows: 4 * batch.count + 256)
        try dropExpired()
        try noteSequence()
        try noteLife()
        try commit()
        return settled
    }

    /// There was no room: what makes room has to go through all the same.
    private func retry(
        _ batch: ArraySlice<Submission>, after attempt: Attempt, mayWait: () -> Bool
    ) -> [Settled] {
        let hasChanges = batch.contains { if case .store = $0.command { true } else { false } }
        if attempt == .everything, hasChanges { return run(batch, .withoutAppends, mayWait: mayWait) }
        if attempt != .nothingNew, isTrimDue { return run(batch, .nothingNew, mayWait: mayWait) }
        return batch.map { $0.settledAfterFailure(.full) }
    }

    /// Why a transaction failed last.
    private(set) var lastFault: StoreFault?
    private(set) var isInTransaction = false
    private var isCommitting = false

    /// Before the first change of a transaction.
    func begin() throws(StoreFault) {
        if isInTransaction { return }
        try statements.begin.run()
        isInTransaction = true
    }

    private func commit() throws(StoreFault) {
        guard isInTransaction else { return }
        isCommitting = true
        try statements.commit.run()
        isCommitting = false
        isInTransaction = false
        statistics.commits += 1
    }

    /// Whatever state it is in.
    func endTransaction() {
        if sqlite3_get_autocommit(connection) == 0 { sqlite3_exec(connection, "ROLLBACK", nil, nil, nil) }
        isInTransaction = false
    }

    private func rollBack() {
        // SQLite has done it already for some errors; then this one fails, which is as good.
        if sqlite3_get_autocommit(connection) == 0 { sqlite3_exec(connection, "ROLLBACK", nil, nil, nil) }
        isInTransaction = false
        isCommitting = false
        cursors.removeAll(keepingCapacity: true)
        sessionKeys.removeAll()
        oldest = nil
    }

    func execute(_ sql: String) throws(StoreFault) {
        guard sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK else { throw StoreFault(connection) }
    }

    // MARK: Commands

    private func apply(_ submission: Submission) throws(StoreFault) -> Settled {
        if submission.isRefused { return submission.settled(.full) }
        switch submission.command {
        case .append(let append):
            let entry = try apply(append)
            return submission.settled(.done, entry: entry)
        case .store(let changes):
            if !changes.isEmpty { try begin() }
            for change in changes { try apply(change) }
            return submission.settled(.done)
        case .trim(let shard, let through):
            if Int(shard) < trims.count { trims[Int(shard)] = max(trims[Int(shard)], through) }
            return submission.settled(.done)
        case .fetch: return submission.settled(.unknown, found: [])
        case .claim: preconditionFailure("nobody shares this engine: every session is the node's")
        }
    }

    // MARK: Sessions' keys

    func sessionKey(_ client: String) throws(StoreFault) -> Int64? {
        let name = ExactText(client)
        if let key = sessionKeys[name] { return key }
        let statement = statements.session.findSession
        let key = try client.withBytes { bytes throws(StoreFault) -> Int64? in
            guard try statement.bind(1, bytes: bytes).step() else { return nil }
            defer { statement.reset() }
            return statement.integer(0)
        }
        if let key { remember(key, for: name) }
        return key
    }

    func insertSession(_ client: String) throws(StoreFault) -> Int64 {
        let key = state.nextSessionKey
        state.nextSessionKey += 1
        try client.withBytes { bytes throws(StoreFault) in
            try statements.session.insertSession.bind(1, key).bind(2, bytes: bytes).bind(3, life.number).run()
        }
        remember(key, for: ExactText(client))
        return key
    }

    func forgetSession(_ client: String, key: Int64) {
        sessionKeys[ExactText(client)] = nil
        cursors[key] = nil
    }

    private func remember(_ key: Int64, for name: ExactText) {
        // All at once: what is in use comes back with a look-up each.
        if sessionKeys.count >= options.sessionKeyCacheCount { sessionKeys.removeAll(keepingCapacity: true) }
        sessionKeys[name] = key
    }

    // MARK: Cursors

    func advance(_ key: Int64, through sequence: LogSequence) {
        cursors[key] = max(cursors[key] ?? 0, sequence)
    }

    private func writeCursors() throws(StoreFault) {
        if cursors.isEmpty { return }
        try begin()
        for (key, sequence) in cursors {
            try statements.session.putCursor.bind(1, key).bind(2, sequence).run()
            try statements.session.deleteSentThrough.bind(1, key).bind(2, sequence).run()
            try statements.session.deleteEarlierThrough.bind(1, key).bind(2, sequence).run()
        }
        cursors.removeAll(keepingCapacity: true)
    }

    /// Deletes retained messages that have expired, once a minute: nobody asks for them.
    private func dropExpired() throws(StoreFault) {
        guard now >= nextExpirySweep else { return }
        let isThereOne = try statements.message.findExpired.bind(1, now).step()
        statements.message.findExpired.reset()
        if isThereOne {
            try begin()
            try statements.message.deleteExpired.bind(1, now).run()
        }
        nextExpirySweep = now + 60_000
    }

    /// Sequences are never used twice, so the last one has to be known when its row is gone.
    private func noteSequence() throws(StoreFault) {
        guard state.mustNoteSequence else { return }
        try putCounter(.lastSequence, Int64(state.lastSequence))
        state.mustNoteSequence = false
    }

    /// With the first transaction: what clients are noted to be connected in must be told from what was before.
    func noteLife() throws(StoreFault) {
        guard state.mustNoteLife else { return }
        try begin()
        try put(life.previous)
        try statements.message.deleteLivesBefore.bind(1, life.oldest).run()
        state.mustNoteLife = false
    }

    func put(_ ended: StoreLife.Ended) throws(StoreFault) {
        try statements.message.putLife.bind(1, ended.number).bind(2, ended.at).run()
    }

    func putCounter(_ counter: StoreCounter, _ value: Int64) throws(StoreFault) {
        try begin()
        try counter.rawValue.withBytes { name throws(StoreFault) in
            try statements.message.putCounter.bind(1, bytes: name).bind(2, value).run()
        }
    }
}

/// The rows of the table `counters`.
enum StoreCounter: String {
    case lastSequence = "last_sequence"
    case clock
}

extension Submission {
    /// A trim is a permission, which is taken whether or not there was a transaction to use it.
    fileprivate func settledAfterFailure(_ outcome: BackboneOutcome) -> Settled {
        if case .trim = command { settled(.done) } else { settled(outcome) }
    }

    func settled(_ outcome: BackboneOutcome, entry: LogEntry? = nil, found: [LogEntry]? = nil) -> Settled {
        Settled(submitter: submitter, token: token, outcome: outcome, entry: entry, found: found)
    }
}
