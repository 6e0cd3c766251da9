import NIOCore
import Synchronization

/// How long the servers have owed a node an answer: to the batch that is under way, and its own beat, which comes back
/// by them. Told on the link's loop, asked from any thread.
final class LinkSilence: Sendable {
    private struct State {
        /// The batch that is under way, by its number, and since when.
        var batch: (number: UInt64, since: NIODeadline)?
        /// nil until the node follows the log.
        var lastBeat: NIODeadline?
    }

    private let beatInterval: TimeAmount
    private let state = Mutex(State())

    init(beatInterval: Duration) { self.beatInterval = TimeAmount(beatInterval) }

    /// - Parameter number: nil: none is.
    func batchIsUnderWay(_ number: UInt64?, at now: NIODeadline) {
        state.withLock { state in
            guard let number else { return state.batch = nil }
            if state.batch?.number != number { state.batch = (number, now) }
        }
    }

    func heardOwnBeat(at now: NIODeadline) { state.withLock { $0.lastBeat = now } }

    func length(at now: NIODeadline) -> Duration {
        state.withLock { state in
            let batch = state.batch.map { now - $0.since } ?? .zero
            let beat = state.lastBeat.map { now - $0 - beatInterval } ?? .zero
            return .nanoseconds(max(batch, beat, .zero).nanoseconds)
        }
    }
}
