import BrokerCore
import BrokerRuntime
import Logging
import NIOCore

/// Looks at the memory of the process ten times a second, and tells the shards how short it is.
struct MemoryWatch {
    private static let interval = Duration.milliseconds(100)
    /// Looks between two requests to the allocator to give back what is free.
    private static let looksBetweenTrims = 50

    private var gauge: MemoryGauge
    private let used: @Sendable () -> Int
    private let shards: [Shard]
    private let logger: Logger

    init(_ limits: Limits, used: @escaping @Sendable () -> Int, shards: [Shard], logger: Logger) {
        let available = ProcessLimits.availableMemory
        gauge = MemoryGauge(
            watermark: limits.memoryWatermark ?? available / 100 * 70,
            maximum: limits.maximumMemory ?? available / 100 * 85)
        self.used = used
        self.shards = shards
        self.logger = logger
    }

    /// Until the task is cancelled. Not on an event loop: giving memory back may take a while.
    mutating func run() async {
        var looks = 0
        while !Task.isCancelled {
            let byteCount = used()
            let isOther = gauge.observe(byteCount)
            if isOther { report(byteCount) }
            if isOther || gauge.level == .critical { tell(gauge.level) }
            // What was freed between other things stays with the process until then, and it would never recover.
            looks += 1
            if gauge.level != .normal, looks % Self.looksBetweenTrims == 0 { ProcessLimits.giveBackFreeMemory() }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func tell(_ level: MemoryLevel) {
        for shard in shards { shard.loop.execute { shard.memoryObserved(level) } }
    }

    private func report(_ byteCount: Int) {
        let metadata: Logger.Metadata = ["bytes": "\(byteCount)"]
        switch gauge.level {
        case .normal: logger.notice("there is memory again", metadata: metadata)
        case .high: logger.warning("memory is short: who publishes or subscribes much is slowed", metadata: metadata)
        case .critical: logger.error("memory is critical: nothing new is taken", metadata: metadata)
        }
    }
}
