import Backbone
import BrokerRuntime
import Synchronization

/// What an operator's requests need of a server while it serves. From any thread.
final class OperatorState: Sendable {
    struct Serving: Sendable {
        let shards: [Shard]
        let backbone: SharedBackbone
    }

    private struct State {
        var serving: Serving?
        var drains = Drains()
        var isShuttingDown = false
        var isBeginningAnew = false
        var stall = EngineStall()
    }

    private let state = Mutex(State())

    var serving: Serving? { state.withLock { $0.serving } }
    var isDraining: Bool { redirection != nil }
    var isShuttingDown: Bool { state.withLock { $0.isShuttingDown } }
    var isBeginningAnew: Bool { state.withLock { $0.isBeginningAnew } }

    func began(_ serving: Serving) {
        state.withLock { state in
            state.serving = serving
            state.isBeginningAnew = false
            state.stall = EngineStall()
        }
    }

    /// Its engine can go on no longer, and another takes its place.
    func beginAnew() { state.withLock { $0.isBeginningAnew = true } }

    func beginShutdown() { state.withLock { $0.isShuttingDown = true } }

    /// There is nobody to ask any more.
    func ended() { state.withLock { $0.serving = nil } }

    /// What clients that connect are told while the broker is being drained.
    var redirection: Redirection? { state.withLock { $0.drains.redirection } }

    /// - Returns: the number of the drain that has begun; nil when one is on already.
    func beginDraining(_ redirection: Redirection) -> Int? { state.withLock { $0.drains.begin(redirection) } }

    /// - Returns: whether there was one to end.
    func endDraining() -> Bool { state.withLock { $0.drains.end() } }

    /// Whether this drain is on, and not ended, and not another one since.
    func isDraining(_ number: Int) -> Bool { state.withLock { $0.drains.isOn(number) } }

    /// Whether the engine has been busy with the same command for too long.
    func isStalled(_ report: EngineReport, at now: ContinuousClock.Instant) -> Bool {
        let isStuck = state.withLock { $0.stall.note(report.pendingCommands, report.answeredCommands, at: now) }
        return isStuck || report.silence >= EngineStall.patience
    }
}

/// Finds out from two looks at an engine whether it moves.
struct EngineStall {
    static let patience = Duration.seconds(2)

    private var answeredCommands: UInt64 = 0
    /// Since when it has had something to do without answering anything, as far as was looked.
    private var since: ContinuousClock.Instant?

    /// - Returns: whether it has been stuck for `patience`.
    mutating func note(_ pendingCommands: Int, _ answeredCommands: UInt64, at now: ContinuousClock.Instant) -> Bool {
        guard pendingCommands > 0, let since, answeredCommands == self.answeredCommands else {
            self.answeredCommands = answeredCommands
            since = pendingCommands > 0 ? now : nil
            return false
        }
        return now - since >= Self.patience
    }
}
