import BrokerRuntime
import Synchronization

/// What an operator's requests need of a server while it serves. From any thread.
final class OperatorState: Sendable {
    struct Serving: Sendable {
        let shards: [Shard]
        let backbone: SharedBackbone
        let closeListeners: @Sendable () async -> Void
    }

    private struct State {
        var serving: Serving?
        var isDraining = false
        var isShuttingDown = false
        var stall = EngineStall()
    }

    private let state = Mutex(State())

    var serving: Serving? { state.withLock { $0.serving } }
    var isDraining: Bool { state.withLock { $0.isDraining } }
    var isShuttingDown: Bool { state.withLock { $0.isShuttingDown } }

    func began(_ serving: Serving) { state.withLock { $0.serving = serving } }

    func beginShutdown() { state.withLock { $0.isShuttingDown = true } }

    /// There is nobody to ask any more.
    func ended() { state.withLock { $0.serving = nil } }

    /// - Returns: whether it is the first.
    func beginDraining() -> Bool {
        state.withLock { state in
            defer { state.isDraining = true }
            return !state.isDraining
        }
    }

    /// Whether the engine has been busy with the same command for too long.
    func isStalled(pendingCommands: Int, answeredCommands: UInt64, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.stall.note(pendingCommands, answeredCommands, at: now) }
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
