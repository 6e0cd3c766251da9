import Backbone
import MQTTModel

extension StoreWriter {
    /// Rows that are deleted between two looks at the time: fewer of large messages, of which every page is visited.
    private var span: LogSequence {
        let average = max(1, state.logBytes / max(1, state.logMessages))
        return LogSequence(min(64, max(1, (256 << 10) / average)))
    }

    /// What every shard has given up.
    private var trimTarget: LogSequence { min(trims.min() ?? 0, state.lastSequence) }

    /// Whether there is something to delete that is not waited for, or over the bounds.
    var isTrimDue: Bool { state.trimmedThrough < trimTarget || isOverBounds }

    /// Whether a transaction without commands has something to do.
    var isTidyingDue: Bool {
        now = clock.read()
        return isTrimDue
    }

    private var isOverBounds: Bool {
        guard state.logMessages > 0 else { return false }
        if state.logBytes > options.maximumLogBytes { return true }
        guard let oldest else { return false }
        return oldest.storedAt < oldestAllowed
    }

    /// Deletes at most about `rows` messages that nobody needs any more, or that the log's bounds give up, for as long as
    /// a commit may take longer for it. The rest is for the next transaction.
    func trim(rows: Int) throws(StoreFault) {
        if oldest == nil, state.logMessages > 0 { try findOldest() }
        guard isTrimDue else { return }
        try begin()
        let start = ContinuousClock.now
        let deadline = start + options.maximumTrimTime
        var left = rows
        while left > 0, isTrimDue, ContinuousClock.now < deadline {
            left -= state.trimmedThrough < trimTarget ? try trimSpan() : try dropSpan()
        }
        let microseconds = (ContinuousClock.now - start).wholeNanoseconds / 1000
        statistics.longestTrimMicroseconds = max(statistics.longestTrimMicroseconds, microseconds)
    }

    private func trimSpan() throws(StoreFault) -> Int {
        guard let first = try firstLogged(after: state.trimmedThrough), first.sequence <= trimTarget else {
            state.trimmedThrough = trimTarget
            return 1
        }
        let last = min(first.sequence + span - 1, trimTarget)
        let deleted = try delete(
            first.sequence, last, measure: statements.trim.measureUnneededSpan,
            delete: statements.trim.deleteUnneededSpan)
        statistics.trimmed += UInt64(deleted)
        state.trimmedThrough = last
        return Int(span)
    }

    /// Over the bounds: the oldest go, whoever wants them.
    private func dropSpan() throws(StoreFault) -> Int {
        guard let first = try firstLogged(after: state.retentionThrough) else {
            oldest = nil
            return 1
        }
        let last =
            state.logBytes > options.maximumLogBytes
            ? min(first.sequence + dropCount - 1, state.lastSequence) : try lastTooOld(from: first.sequence)
        let deleted = try delete(
            first.sequence, last, measure: statements.trim.measureSpan, delete: statements.trim.deleteSpan)
        try statements.trim.deletePendingSpan.bind(1, first.sequence).bind(2, last).run()
        statistics.droppedByRetention += UInt64(deleted)
        state.retentionThrough = last
        state.trimmedThrough = max(state.trimmedThrough, last)
        try findOldest()
        return Int(span)
    }

    private func lastTooOld(from first: LogSequence) throws(StoreFault) -> LogSequence {
        let statement = statements.trim.lastStoredBefore.bind(1, first).bind(2, first + span - 1).bind(
            3, oldestAllowed)
        guard try statement.step() else { return first }
        defer { statement.reset() }
        return statement.optionalInteger(0).map { LogSequence($0) } ?? first
    }

    private var oldestAllowed: Int64 { now - options.maximumLogAge.wholeMilliseconds }

    /// About as many messages as are over the bound, so that not more than needed are given up.
    private var dropCount: LogSequence {
        let average = max(1, state.logBytes / max(1, state.logMessages))
        let excess = (state.logBytes - options.maximumLogBytes + average - 1) / average
        return min(span, LogSequence(max(1, excess)))
    }

    private func delete(
        _ first: LogSequence, _ last: LogSequence, measure: PreparedStatement, delete: PreparedStatement
    ) throws(StoreFault) -> Int {
        guard try measure.bind(1, first).bind(2, last).step() else { return 0 }
        let count = Int(measure.integer(0))
        let bytes = Int(measure.integer(1))
        measure.reset()
        if count == 0 { return 0 }
        try delete.bind(1, first).bind(2, last).run()
        state.logMessages -= count
        state.logBytes -= bytes
        if let oldest, oldest.sequence <= last { self.oldest = nil }
        if last >= state.lastSequence { state.mustNoteSequence = true }
        return count
    }

    /// A group is done with a message. If the shards have given it up already, it goes with the last group.
    func finish(_ group: SharedGroup, sequence: LogSequence) throws(StoreFault) {
        try group.name.withBytes { name throws(StoreFault) in
            try group.pattern.withBytes { pattern throws(StoreFault) in
                try statements.trim.deletePending.bind(1, sequence).bind(2, bytes: name).bind(3, bytes: pattern).run()
            }
        }
        guard sequence <= state.trimmedThrough, sequence > state.retentionThrough else { return }
        let isWaitedFor = try statements.trim.hasPending.bind(1, sequence).step()
        statements.trim.hasPending.reset()
        if isWaitedFor { return }
        statistics.trimmed += UInt64(
            try delete(sequence, sequence, measure: statements.trim.measureSpan, delete: statements.trim.deleteSpan))
    }

    private func findOldest() throws(StoreFault) {
        oldest = try firstLogged(after: state.retentionThrough)
    }

    private func firstLogged(after sequence: LogSequence) throws(StoreFault)
        -> (sequence: LogSequence, storedAt: Int64)?
    {
        let statement = statements.trim.nextLogged
        guard try statement.bind(1, sequence).step() else { return nil }
        defer { statement.reset() }
        return (LogSequence(bitPattern: statement.integer(0)), statement.integer(1))
    }
}
