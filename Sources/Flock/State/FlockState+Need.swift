package import Backbone
import MQTTModel

/// What of the log is still of use to anybody, and what is given up though it is.
extension FlockState {
    /// The newest snapshot that is known to be complete.
    package struct LastSnapshot: Sendable, Hashable {
        /// The place of which it is; 0: there is none.
        package var stream: UInt64 = 0
        package var byteCount: UInt64 = 0

        package init(stream: UInt64 = 0, byteCount: UInt64 = 0) {
            self.stream = stream
            self.byteCount = byteCount
        }
    }

    /// A look at all sessions, a few of them with each batch. Its result holds though sessions move on meanwhile: they need
    /// nothing earlier than when they were looked at, and those that begin after it has nothing before that.
    struct NeedSurvey: Sendable {
        var nextPart = 0
        var least = LogSequence.max
        /// Parts that one batch looks at, unless they have more sessions than that.
        static let partsAtOnce = 64
        static let sessionsAtOnce = 512
    }

    /// Bounds of what is held for sessions that have not come for it.
    package struct HeldBounds: Sendable, Hashable {
        /// Bytes of the log beyond which the oldest messages are dropped, for whoever wants them.
        package var bytes: UInt64
        /// Seconds after which a message is dropped likewise.
        package var seconds: UInt64

        package init(bytes: UInt64, seconds: UInt64) {
            self.bytes = bytes
            self.seconds = seconds
        }
    }

    /// The first place of the stream that anybody may still read; nil when nothing up to the end is needed.
    package var firstNeeded: UInt64? { kept.firstPosition?.stream }

    /// Up to here the log may go when there is a snapshot of this place: that has what went before.
    package func purgeable(through snapshot: UInt64) -> UInt64 { min(snapshot, firstNeeded.map { $0 - 1 } ?? .max) }

    /// Bytes of the log that are held for messages that somebody may still read.
    package var heldBytes: UInt64 { firstNeeded.map { size.bytes(from: $0) } ?? 0 }

    mutating func need(_ sequence: LogSequence, of node: ExactText) {
        needed[node] = max(needed[node] ?? 0, sequence)
    }

    mutating func forgetUnneeded(now: UInt64) {
        if stream % 8 == 0 { sweepRetained(at: now) }
        if survey.nextPart == 0 { survey.least = LogSequence(stream: stream, index: 0) - 1 }
        let parts = sessions.parts
        var (partCount, sessionCount) = (0, 0)
        while survey.nextPart < parts.count, partCount < NeedSurvey.partsAtOnce,
            sessionCount < NeedSurvey.sessionsAtOnce
        {
            // Order-free: the least of all.
            for session in parts[survey.nextPart].values { survey.least = min(survey.least, session.cursor) }
            sessionCount += parts[survey.nextPart].count
            partCount += 1
            survey.nextPart += 1
        }
        guard survey.nextPart == parts.count else { return }
        survey.nextPart = 0
        finishSurvey(now: now)
    }

    private mutating func finishSurvey(now: UInt64) {
        var through = survey.least
        // Order-free: the least of all.
        for sequence in needed.values { through = min(through, sequence) }
        if let first = shared.firstUnfinished { through = min(through, first - 1) }
        kept.forget(through: through)
        kept.forgetExpired(at: now)
        size.forget(before: min(firstNeeded ?? stream, lastSnapshot.stream))
    }

    /// Looks at all sessions at once.
    package mutating func forgetUnneededNow(now: UInt64) {
        survey.nextPart = 0
        repeat { forgetUnneeded(now: now) } while survey.nextPart > 0
    }

    /// Forgets what has expired of what is retained, a part of it with each call.
    package mutating func sweepRetained(at now: UInt64) { retained.sweep(at: now) }

    // MARK: Dropping

    mutating func drop(through: LogSequence, now: UInt64) {
        guard through > droppedThrough else { return }
        // So that only those are counted that somebody wanted.
        forgetUnneededNow(now: now)
        droppedThrough = through
        droppedMessages += UInt64(kept.forget(through: through))
        shared.drop(through: through)
    }

    /// What has to be dropped to keep the bounds, with an eighth more so that it is not every batch; nil: nothing.
    ///
    /// - Parameter now: milliseconds since 1970.
    package func dropDue(_ bounds: HeldBounds, now: UInt64) -> LogSequence? {
        guard let firstNeeded else { return nil }
        var place: UInt64 = 0
        if heldBytes > bounds.bytes { place = size.place(leaving: bounds.bytes - bounds.bytes / 8) ?? 0 }
        let (age, overflow) = bounds.seconds.multipliedReportingOverflow(by: 1000)
        if !overflow, now > age { place = max(place, size.place(writtenBefore: now - age) ?? 0) }
        return place >= firstNeeded ? .end(ofBatch: place) : nil
    }

    // MARK: Snapshots

    /// How many living nodes come before this one when something has to be done by one of them.
    package var rank: Int { nodes.keys.count { $0.string < node.string } }

    /// Whether it is for this node to write a snapshot: when so much has come since the last one that a start takes long, and
    /// at least as much as a snapshot is large. The others do it later, if the first one does not.
    ///
    /// - Parameter interval: bytes of the log.
    package func isSnapshotDue(interval: UInt64) -> Bool {
        guard stream > lastSnapshot.stream else { return false }
        let (due, overflow) = max(interval, lastSnapshot.byteCount).multipliedReportingOverflow(by: UInt64(rank) + 1)
        return !overflow && size.bytes(from: lastSnapshot.stream + 1) >= due
    }
}
