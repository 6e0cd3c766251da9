import BrokerCore
package import MQTTModel

/// Nothing is dropped for a full queue unless the run has short ones.
package struct QueueChecker: Checker {
    private let hasShortQueue: Bool

    package init(swarm: Swarm) { hasShortQueue = swarm.hasShortQueue }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        guard case .reported(.queueOverflowed(let identifier)) = occurrence, !hasShortQueue else { return }
        verdict.fail(.boundedQueue, "the queue of \(identifier) overflowed far below its limit", at: now)
    }
}
