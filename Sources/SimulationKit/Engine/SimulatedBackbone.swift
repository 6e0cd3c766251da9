import Backbone
import MQTTModel

/// A lasting engine in virtual time: it keeps what it has committed, and nothing else, when the broker crashes.
///
/// Commands wait in a queue until the next commit takes a prefix of it, as group commit does; only then are they answered.
struct SimulatedBackbone {
    /// What an engine may do within its contract, and how often.
    struct Faults: Sendable {
        var maximumCommitDelayMilliseconds = 0
        /// How often it cannot read.
        var failedReadPercent = 0
        /// How often a commit fails: nobody knows then whether it was made, until another one succeeds or the process ends.
        var failedCommitPercent = 0
        /// How often there is no room for a message.
        var fullPercent = 0
        /// It answers before it commits: not within its contract, a crash then has to be noticed.
        var answersBeforeCommit = false
        /// It forgets by which QoS 2 exchange a message came, likewise.
        var forgetsExchanges = false

        init() {}
    }

    private(set) var faults: Faults
    private(set) var store: SimulatedStore
    /// What is on the disk, with the fault that lets it lag behind.
    private var saved: SimulatedStore
    /// What a crash may leave of a commit that failed.
    private var doubtful: SimulatedStore?
    private var queue: [(command: BackboneCommand, submitter: UInt16, token: BackboneToken)] = []
    /// When it commits next; nil while it has nothing to do.
    private(set) var nextCommit: Instant?
    private struct Read {
        let sequences: [LogSequence]
        let submitter: UInt16
        let token: BackboneToken
        let due: Instant
    }
    /// What it was asked to read.
    private var reads: [Read] = []
    private var refusedPublishers = RefusedPublishers()
    private var random: SplitMix64
    /// Of its own, so that reads do not change when commits happen.
    private var readRandom: SplitMix64
    private var faultRandom: SplitMix64

    init(shardCount: Int, faults: Faults, random: SplitMix64) {
        self.faults = faults
        self.random = random
        readRandom = random.split(1)
        faultRandom = random.split(2)
        store = SimulatedStore(shardCount: shardCount)
        saved = store
    }

    var isIdle: Bool { queue.isEmpty && reads.isEmpty }

    /// When it has something to do next.
    var nextDue: Instant? {
        let dues = reads.map(\.due) + (nextCommit.map { [$0] } ?? [])
        return dues.min()
    }

    mutating func submit(_ command: BackboneCommand, submitter: UInt16, token: BackboneToken, at now: Instant) {
        if case .fetch(let sequences) = command {
            let delay = Duration.microseconds(
                readRandom.integer(in: 0...faults.maximumCommitDelayMilliseconds * 1000))
            reads.append(
                Read(sequences: sequences, submitter: submitter, token: token, due: now.advanced(by: delay)))
            return
        }
        queue.append((command, submitter, token))
        if nextCommit == nil { scheduleCommit(at: now) }
    }

    /// Answers what is not on the disk yet, for the fault of that name.
    mutating func takePremature(at now: Instant) -> [Settled] {
        faults.answersBeforeCommit ? settle(first: queue.count, at: now) : []
    }

    /// Answers what it was asked to read and is due, from what is committed by now.
    mutating func read(at now: Instant) -> [Settled] {
        let due = reads.filter { $0.due <= now }
        reads.removeAll { $0.due <= now }
        return due.map { read in
            let fails = faults.failedReadPercent > 0 && readRandom.chance(faults.failedReadPercent)
            return Settled(
                submitter: read.submitter, token: read.token, outcome: fails ? .unknown : .done, entry: nil,
                found: fails ? [] : store.fetched(read.sequences, at: now))
        }
    }

    /// From now on it can read and write.
    mutating func heal() {
        faults.failedReadPercent = 0
        faults.failedCommitPercent = 0
        faults.fullPercent = 0
    }

    /// The log's bounds take everything up to `sequence`.
    mutating func dropLog(through sequence: LogSequence) { store.dropLog(through: sequence) }

    /// Commits a part of what waits, from the front.
    /// - Returns: what is settled by it, in order.
    mutating func commit(at now: Instant) -> [Settled] {
        nextCommit = nil
        if faults.answersBeforeCommit { saved = store }
        guard !queue.isEmpty else { return [] }
        // All of it most of the time; else it is a commit that took what was there when it began.
        let count = random.chance(70) ? queue.count : random.integer(in: 1...queue.count)
        let fails = faults.failedCommitPercent > 0 && faultRandom.chance(faults.failedCommitPercent)
        let settled = fails ? fail(first: count, at: now) : settle(first: count, at: now)
        if !queue.isEmpty { scheduleCommit(at: now) }
        return settled
    }

    /// The commit has failed, and a crash decides whether it was made. Its sequences are not used again.
    private mutating func fail(first count: Int, at now: Instant) -> [Settled] {
        var made = store
        var settled: [Settled] = []
        for one in queue.prefix(count) {
            var outcome = BackboneOutcome.unknown
            if case .trim = one.command { outcome = .done }
            if case .append(let append) = one.command {
                if refusedPublishers.mustRefuse(append, submitter: one.submitter) {
                    settled.append(Settled(submitter: one.submitter, token: one.token, outcome: .full, entry: nil))
                    continue
                }
                refusedPublishers.refused(append, submitter: one.submitter, token: one.token)
            }
            _ = made.execute(one.command, at: now)
            settled.append(Settled(submitter: one.submitter, token: one.token, outcome: outcome, entry: nil))
        }
        queue.removeFirst(count)
        store.skipSequences(of: made)
        doubtful = made
        return settled
    }

    /// The broker's process is gone. The commit that was under way may have taken what nobody was told.
    mutating func crash(at now: Instant) {
        if faults.answersBeforeCommit {
            store = saved
        } else if let made = doubtful, faultRandom.chance(50) {
            store = made
        } else if random.chance(50) {
            _ = settle(first: random.integer(in: 0...queue.count), at: now)
        }
        queue = []
        reads = []
        doubtful = nil
        nextCommit = nil
        refusedPublishers = RefusedPublishers()
    }

    mutating func restart(at now: Instant) { store.restart(at: now) }

    private mutating func settle(first count: Int, at now: Instant) -> [Settled] {
        let batch = queue.prefix(count)
        queue.removeFirst(count)
        doubtful = nil
        var settled: [Settled] = []
        for one in batch {
            if case .append(let append) = one.command {
                let follows = refusedPublishers.mustRefuse(append, submitter: one.submitter)
                let isFull = !follows && faults.fullPercent > 0 && faultRandom.chance(faults.fullPercent)
                if isFull { refusedPublishers.refused(append, submitter: one.submitter, token: one.token) }
                if follows || isFull {
                    settled.append(Settled(submitter: one.submitter, token: one.token, outcome: .full, entry: nil))
                    continue
                }
            }
            let entry = store.execute(spoiled(one.command), at: now)
            settled.append(Settled(submitter: one.submitter, token: one.token, outcome: .done, entry: entry))
        }
        return settled
    }

    private func spoiled(_ command: BackboneCommand) -> BackboneCommand {
        guard faults.forgetsExchanges, case .append(var append) = command else { return command }
        append.received = nil
        return .append(append)
    }

    private mutating func scheduleCommit(at now: Instant) {
        nextCommit = now.advanced(
            by: .microseconds(random.integer(in: 0...faults.maximumCommitDelayMilliseconds * 1000)))
    }
}
