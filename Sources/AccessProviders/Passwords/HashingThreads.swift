import NIOPosix

/// The threads that hash passwords: a few, beside the event loops. Have to be stopped.
package final class HashingThreads: Sendable {
    private let pool: NIOThreadPool

    package init(count: Int) {
        pool = NIOThreadPool(numberOfThreads: count)
        pool.start()
    }

    /// - Returns: nil when the threads are stopped.
    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result? {
        try? await pool.runIfActive { body() }
    }

    package func stop() async { try? await pool.shutdownGracefully() }
}
