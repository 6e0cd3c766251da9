import Backbone
import BrokerCore
import BrokerRuntime
import Logging
import NIOCore

/// Looks twice a second whether the engine of a flock answers, and has the shards send their clients away when it has not
/// for too long.
struct IsolationWatch {
    static let interval = Duration.milliseconds(500)

    private var gauge: IsolationGauge
    private let backbone: SharedBackbone
    private let shards: [Shard]
    private let logger: Logger

    init(_ limits: Limits, _ backbone: SharedBackbone, _ shards: [Shard], logger: Logger) {
        gauge = IsolationGauge(timeout: limits.isolationTimeout, interval: Self.interval)
        self.backbone = backbone
        self.shards = shards
        self.logger = logger
    }

    /// Until the task is cancelled.
    mutating func run() async {
        while !Task.isCancelled {
            if gauge.observe(silence: backbone.report?.silence ?? .zero) { tell(gauge.isIsolated) }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func tell(_ isIsolated: Bool) {
        if isIsolated {
            logger.error("the flock does not answer: clients are sent away")
        } else {
            logger.notice("the flock answers again: clients are taken")
        }
        for shard in shards { shard.loop.execute { shard.isolationChanged(to: isIsolated) } }
    }
}

/// Decides from looks at an engine's silence whether the node is cut off. It counts its own looks: a process that was
/// itself stopped for a while has not been waiting.
struct IsolationGauge {
    /// Silence from which a look counts.
    static let leastSilence = Duration.seconds(1)

    private let timeout: Duration
    private let interval: Duration
    /// As far as it was looked.
    private var silence = Duration.zero
    private(set) var isIsolated = false

    init(timeout: Duration, interval: Duration) {
        self.timeout = timeout
        self.interval = interval
    }

    /// - Returns: whether it is otherwise now.
    mutating func observe(silence length: Duration) -> Bool {
        silence = length < Self.leastSilence ? .zero : min(length, max(silence, Self.leastSilence) + interval)
        let before = isIsolated
        isIsolated = silence >= timeout || isIsolated && silence > .zero
        return isIsolated != before
    }
}
