import NIOPosix
import Synchronization

/// The threads that hash passwords: a few, beside the event loops. Have to be stopped.
///
/// As many passwords may wait as `maximumWaiting` says; and one that has waited for longer than its client does is not
/// hashed any more, so that a flood of wrong ones does not keep the threads busy after it has ended.
package final class HashingThreads: Sendable {
    private let pool: NIOThreadPool
    private let maximumWaiting: Int
    private let patience: Duration
    private let waitingCount = Atomic(0)

    package init(count: Int, maximumWaiting: Int = 10_000, patience: Duration = .seconds(10)) {
        self.maximumWaiting = maximumWaiting
        self.patience = patience
        pool = NIOThreadPool(numberOfThreads: count)
        pool.start()
    }

    /// - Returns: nil when too many wait, when it has waited for too long, or when the threads are stopped.
    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result? {
        let count = waitingCount.add(1, ordering: .relaxed).newValue
        defer { waitingCount.subtract(1, ordering: .relaxed) }
        guard count <= maximumWaiting else { return nil }
        let deadline = ContinuousClock.now + patience
        let patient: @Sendable () -> Result? = { ContinuousClock.now < deadline ? body() : nil }
        return (try? await pool.runIfActive(patient)) ?? nil
    }

    package func stop() async { try? await pool.shutdownGracefully() }
}
