import Backbone
import Foundation

/// What waits for the writer. Any thread may add, and never waits for the disk: the lock is held to append to an array
/// and to swap it.
final class SubmissionQueue: @unchecked Sendable {
    enum Taken {
        case submissions([Submission])
        /// Nothing came for as long as the caller would wait.
        case nothing
        case stopped
    }

    private let maximumCommands: Int
    private let maximumBytes: Int
    // Guards all below.
    private let condition = NSCondition()
    private var items: [Submission] = []
    private var bytes = 0
    private var isTakerWaiting = false
    private var isStopped = false

    init(maximumCommands: Int, maximumBytes: Int) {
        self.maximumCommands = maximumCommands
        self.maximumBytes = maximumBytes
    }

    func add(_ submission: Submission) {
        let byteCount = submission.byteCount
        condition.lock()
        defer { condition.unlock() }
        if isStopped { return }
        if items.count >= maximumCommands || bytes + byteCount > maximumBytes {
            items.append(submission.refused)
        } else {
            bytes += byteCount
            items.append(submission)
        }
        if isTakerWaiting { condition.signal() }
    }

    /// All that waits, in order; waits for it for at most `patience`.
    func take(waiting patience: Duration) -> Taken {
        condition.lock()
        defer { condition.unlock() }
        let deadline = Date(timeIntervalSinceNow: Double(patience.wholeMilliseconds) / 1000)
        while items.isEmpty, !isStopped {
            isTakerWaiting = true
            defer { isTakerWaiting = false }
            if !condition.wait(until: deadline), items.isEmpty, !isStopped { return .nothing }
        }
        if items.isEmpty { return .stopped }
        var taken: [Submission] = []
        swap(&taken, &items)
        bytes = 0
        return .submissions(taken)
    }

    func stop() {
        condition.lock()
        defer { condition.unlock() }
        isStopped = true
        condition.broadcast()
    }

    /// No more is taken.
    var isStopping: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isStopped
    }

    var count: Int {
        condition.lock()
        defer { condition.unlock() }
        return items.count
    }
}
