package import Backbone
import DequeModule
import MQTTModel

/// What a node writes to the log and when a command counts as done: a pure state machine.
///
/// Everything that is submitted while a batch is under way joins the next one. One batch is under way at a time, and is
/// sent with the same identity until it is stored: so what a node says keeps its order though answers are lost. A command
/// is settled when its batch comes back from the log, in its place among the batches of the other nodes.
package struct FlockLog: Sendable {
    package struct Options: Sendable {
        /// Bytes of records above which no further one joins a batch. Larger ones hardly replicate any cheaper, and whoever
        /// reads a message again reads its batch.
        package var batchBytes = 1 << 16
        /// Records of a batch.
        package var batchRecords = FlockBatch.maximumRecords
        /// Time before a batch is sent again that could not be stored, and the longest, to which it doubles.
        package var firstRetryDelay: Duration = .milliseconds(50)
        package var longestRetryDelay: Duration = .milliseconds(500)
        /// The highest version of batches that the node reads; a test may say another.
        package var version = FlockBatch.version
        /// Which members of shared subscriptions come first for what this node publishes.
        package var preference = MemberPreference()

        package init() {}
    }

    package enum Effect: Sendable {
        /// Store these bytes, once for each identity, and answer with `batchAnswered`.
        case write([UInt8], FlockBatch.Identity)
        /// Call `retryDue` after this time.
        case retry(after: Duration)
        /// To the shards, in this order.
        case settle([Settled])
        /// After what is settled before: nothing that was kept is left up to here.
        case drop(through: LogSequence)
    }

    /// How storing a batch ended.
    package enum Answer: Sendable, Hashable {
        case stored
        /// The log has no room, and does not make any by dropping what is old.
        case full
        /// It is not stored, or it is not known whether it is.
        case lost
    }

    fileprivate struct Submission {
        let content: Content
        let submitter: UInt16
        let token: BackboneToken
        /// It was sent behind a message that was not taken: it has its turn among the answers and no record.
        var isRefused = false
    }

    fileprivate enum Content {
        case command(BackboneCommand)
        /// What the node itself has to say.
        case record(FlockRecord)
    }

    private struct UnderWay {
        let identity: FlockBatch.Identity
        let bytes: [UInt8]
        let submissions: [Submission]
    }

    package let node: String
    package let incarnation: UInt64
    private let options: Options
    private var waiting: Deque<Submission> = []
    private var underWay: UnderWay?
    private var retryDelay: Duration
    private var lastNumber: UInt64 = 0
    /// What each shard's sessions have had; the least of them is what the node needs no more.
    private var trims: [LogSequence]
    private var refusedPublishers = RefusedPublishers()

    package init(node: String, incarnation: UInt64, shardCount: Int, options: Options = Options()) {
        self.node = node
        self.incarnation = incarnation
        self.options = options
        trims = Array(repeating: 0, count: shardCount)
        retryDelay = options.firstRetryDelay
    }

    /// The batch that says that the node has begun: the driver stores it before all others.
    ///
    /// - Parameter now: milliseconds since 1970.
    package func beginning(at now: UInt64) -> FlockBatch {
        let identity = FlockBatch.Identity(node: node, incarnation: incarnation, number: 0)
        return FlockBatch(identity: identity, writtenAt: now, records: [.nodeUp(reads: options.version)])
    }

    /// The batch that says that the node has ended, after which nothing of it counts; nil while another is under way.
    ///
    /// - Parameter now: milliseconds since 1970.
    package func ending(at now: UInt64) -> FlockBatch? {
        guard underWay == nil else { return nil }
        let identity = FlockBatch.Identity(node: node, incarnation: incarnation, number: lastNumber + 1)
        return FlockBatch(
            identity: identity, writtenAt: now, records: [.nodeDown(name: node, incarnation: incarnation)])
    }

    /// The batch that is not back from the log.
    package var numberUnderWay: UInt64? { underWay?.identity.number }

    package var waitingCount: Int { waiting.count + (underWay?.submissions.count ?? 0) }

    /// Takes a command for the next batch. `fetch` is the driver's own.
    package mutating func submit(
        _ command: BackboneCommand, submitter: UInt16, token: BackboneToken
    ) {
        waiting.append(Submission(content: .command(command), submitter: submitter, token: token))
    }

    /// A node is not heard of any more.
    package mutating func submitDeath(of name: String, incarnation: UInt64) {
        submit(.nodeDown(name: name, incarnation: incarnation))
    }

    /// Takes what the node itself has to say.
    package mutating func submit(_ record: FlockRecord) {
        waiting.append(Submission(content: .record(record), submitter: 0, token: BackboneToken(rawValue: 0)))
    }

    /// Sends the next batch, if none is under way. The driver calls it when it has submitted all that there is.
    ///
    /// - Parameters:
    ///   - now: milliseconds since 1970.
    ///   - version: what all nodes read, `FlockState.version`.
    package mutating func flush(at now: UInt64, version: UInt8, into effects: inout [Effect]) {
        guard underWay == nil, !waiting.isEmpty else { return }
        var writer = RecordWriter()
        var submissions: [Submission] = []
        var count = 0
        while let next = waiting.first, count < options.batchRecords,
            count == 0 || writer.bytes.count < options.batchBytes
        {
            waiting.removeFirst()
            submissions.append(next)
            if next.isRefused || mustRefuse(next) {
                submissions[submissions.count - 1].isRefused = true
            } else {
                writer.append(record(for: next.content))
                count += 1
            }
        }
        guard count > 0 else { return effects.append(.settle(submissions.compactMap { $0.settled(.full) })) }
        lastNumber += 1
        let identity = FlockBatch.Identity(node: node, incarnation: incarnation, number: lastNumber)
        let bytes = FlockBatch.encode(
            identity, writtenAt: now, version: min(version, options.version), count: count, records: writer.bytes)
        underWay = UnderWay(identity: identity, bytes: bytes, submissions: submissions)
        retryDelay = options.firstRetryDelay
        effects.append(.write(bytes, identity))
    }

    private mutating func mustRefuse(_ submission: Submission) -> Bool {
        guard !refusedPublishers.isEmpty, case .command(.append(let append)) = submission.content else { return false }
        return refusedPublishers.mustRefuse(append, submitter: submission.submitter)
    }

    private mutating func record(for content: Content) -> FlockRecord {
        switch content {
        case .record(let record): return record
        case .command(let command): return record(for: command)
        }
    }

    private mutating func record(for command: BackboneCommand) -> FlockRecord {
        switch command {
        case .append(var append):
            append.preference = options.preference
            return .append(append)
        case .store(let changes): return .changes(changes)
        case .trim(let shard, let through):
            trims[Int(shard)] = max(trims[Int(shard)], through)
            return .needed(above: trims.min() ?? 0)
        case .claim(let client): return .claim(client: client)
        case .fetch: preconditionFailure("reading is not written to the log")
        }
    }

    /// The answer to `write`. That it is stored is known for certain only when it comes back from the log.
    package mutating func batchAnswered(
        _ identity: FlockBatch.Identity, _ answer: Answer, into effects: inout [Effect]
    ) {
        guard let batch = underWay, batch.identity == identity else { return }
        switch answer {
        case .stored: break
        case .full:
            underWay = nil
            for one in batch.submissions where !one.isRefused {
                guard case .command(.append(let append)) = one.content else { continue }
                refusedPublishers.refused(append, submitter: one.submitter, token: one.token)
            }
            effects.append(.settle(batch.submissions.compactMap { $0.settled(.full) }))
        case .lost:
            effects.append(.retry(after: retryDelay))
            retryDelay = min(retryDelay * 2, options.longestRetryDelay)
        }
    }

    package mutating func retryDue(into effects: inout [Effect]) {
        if let batch = underWay { effects.append(.write(batch.bytes, batch.identity)) }
    }

    /// A batch has come from the log and was added to the state: the node's own, or another's, whose messages every shard
    /// has to be told.
    package mutating func arrived(
        _ batch: FlockBatch, stream: UInt64, _ applied: FlockState.Applied, into effects: inout [Effect]
    ) {
        var own: ArraySlice<Submission>?
        if let underWay, underWay.identity == batch.identity {
            own = underWay.submissions[...]
            self.underWay = nil
        }
        // A node has begun meanwhile that cannot read it: it is written once more, as that one can.
        if applied.isTooNew, let own { waiting.prepend(contentsOf: own) }
        guard applied.counts else { return }
        var settled: [Settled] = []
        for (index, record) in batch.records.enumerated() {
            if let adopted = applied.adopted[index] { settled.append(Settled(adopted: adopted)) }
            if let client = applied.lost[index] { settled.append(Settled(lost: client)) }
            if let passed = applied.passed[index] { settled.append(Settled(passed: passed)) }
            let choices = applied.chosen[index] ?? []
            let position = LogSequence(stream: stream, index: index)
            let isRefused = applied.refused.contains(index)
            if let submission = FlockLog.next(of: &own, into: &settled) {
                var entry: LogEntry?
                if case .command(.append(let append)) = submission.content, !isRefused {
                    entry = LogEntry(append, at: position, choices, as: record)
                }
                let outcome: BackboneOutcome = isRefused ? .conflict : .done
                let one = submission.settled(outcome, entry: entry, taken: applied.claimed[index])
                if let one { settled.append(one) }
            } else if case .append(let append) = record, !isRefused {
                settled.append(Settled(told: LogEntry(append, at: position, choices, isRemote: true)))
            }
        }
        _ = FlockLog.next(of: &own, into: &settled)
        if !settled.isEmpty { effects.append(.settle(settled)) }
        if let through = applied.droppedThrough { effects.append(.drop(through: through)) }
    }

    /// The submission that the next record of the node's own batch is for; those that were refused before it have their
    /// answers first.
    private static func next(of own: inout ArraySlice<Submission>?, into settled: inout [Settled]) -> Submission? {
        while let submission = own?.popFirst() {
            guard submission.isRefused else { return submission }
            if let one = submission.settled(.full) { settled.append(one) }
        }
        return nil
    }
}

extension FlockLog.Submission {
    /// Its answer; nil for what the node itself had to say.
    fileprivate func settled(
        _ outcome: BackboneOutcome, entry: LogEntry? = nil, taken: TakenSessions? = nil
    ) -> Settled? {
        guard case .command = content else { return nil }
        return Settled(submitter: submitter, token: token, outcome: outcome, entry: entry, taken: taken)
    }
}

extension LogEntry {
    /// - Parameter isRemote: the publisher is a session of another node, which this one does not know.
    init(_ append: LogAppend, at position: LogSequence, _ choices: [GroupChoice], isRemote: Bool = false) {
        let isKept = append.isKept || !append.groups.isEmpty
        self.init(
            sequence: isKept ? position : 0, message: append.message, publisher: isRemote ? .remote : append.publisher)
        self.choices = choices
    }

    /// The node's own, as it has come back from the log: what is retained then is one object for the state and the shards.
    init(_ append: LogAppend, at position: LogSequence, _ choices: [GroupChoice], as record: FlockRecord) {
        let own = LogEntry(append, at: position, choices)
        if append.message.isRetained, case .append(let read) = record {
            self.init(sequence: own.sequence, message: read.message, publisher: own.publisher)
            self.choices = own.choices
        } else {
            self = own
        }
    }
}
