package import Backbone

/// What whoever looks after the broker should hear of a store. Each is told when it begins and when it is over, not again
/// with every transaction.
package enum StoreEvent: Sendable, Hashable {
    /// The broker before this one had not been stopped: what it had committed lay in so many bytes of write-ahead log. A
    /// commit that was under way, and what a power cut took from the end, is not there.
    case notClosed(walBytes: Int)
    /// There is no room: messages are refused from now on. What SQLite said.
    case full(String)
    /// The disk failed: what was under way is not acknowledged. What SQLite said.
    case failed(String)
    /// Transactions succeed again.
    case recovered
    /// Another program holds SQLite's lock on the file: nothing is acknowledged until it lets go.
    case lockedOut
    /// It has let go, after so many milliseconds.
    case letIn(afterMilliseconds: Int64)
    /// So many messages were dropped since this was last told, at most once a minute, because the log has reached its
    /// bounds; nothing is left up to a sequence.
    case dropped(count: UInt64, through: LogSequence)
}

/// Tells events once, by what the writer's figures were before.
struct StoreEventReporter {
    private enum Condition { case sound, full, failed }

    /// Milliseconds between two reports of dropped messages.
    private static let dropInterval: Int64 = 60_000

    let report: @Sendable (StoreEvent) -> Void
    private var condition = Condition.sound
    private var failures: UInt64 = 0
    private var commits: UInt64 = 0
    private var appended: UInt64 = 0
    private var dropped: UInt64 = 0
    private var nextDropReport = Int64.min
    private var lockedOutSince: Int64?

    /// Why nothing is acknowledged at the moment; nil while messages are.
    var refusal: String? {
        if lockedOutSince != nil { return "another program has locked the store" }
        return switch condition {
        case .sound: nil
        case .full: "the disk is full"
        case .failed: "the disk failed"
        }
    }

    init(_ report: @escaping @Sendable (StoreEvent) -> Void) { self.report = report }

    /// After a transaction. `fault` is why the last one failed that did.
    mutating func update(_ statistics: StoreStatistics, _ fault: StoreFault?, through: LogSequence, at now: Int64) {
        if statistics.failures > failures, let fault {
            failures = statistics.failures
            enter(fault.isOutOfSpace ? .full : .failed, fault.description)
        } else if condition == .full ? statistics.appended > appended : statistics.commits > commits,
            condition != .sound
        {
            // A full disk takes what makes room for a long time before it takes a message.
            condition = .sound
            report(.recovered)
        }
        commits = statistics.commits
        appended = statistics.appended
        if statistics.droppedByRetention > dropped, now >= nextDropReport {
            report(.dropped(count: statistics.droppedByRetention - dropped, through: through))
            dropped = statistics.droppedByRetention
            nextDropReport = now + Self.dropInterval
        }
        if let since = lockedOutSince {
            lockedOutSince = nil
            report(.letIn(afterMilliseconds: now - since))
        }
    }

    /// The writer waits for another program.
    mutating func lockedOut(at now: Int64) {
        guard lockedOutSince == nil else { return }
        lockedOutSince = now
        report(.lockedOut)
    }

    private mutating func enter(_ next: Condition, _ text: String) {
        guard condition != next else { return }
        condition = next
        report(next == .full ? .full(text) : .failed(text))
    }
}
