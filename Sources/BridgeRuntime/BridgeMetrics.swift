import CoreMetrics
import MQTTBridge

/// What a bridge has counted, as metrics of the process.
struct BridgeMetrics {
    private let isUp: Meter
    private let counters: [(counter: Counter, value: @Sendable (BridgeCounters) -> UInt64)]
    private var told = BridgeCounters()

    /// - Parameter name: of the bridge.
    init(name: String) {
        let counter = { (label: String, more: [(String, String)]) in
            Counter(label: "dunlin_bridge_\(label)_total", dimensions: [("bridge", name)] + more)
        }
        isUp = Meter(label: "dunlin_bridge_up", dimensions: [("bridge", name)])
        counters = [
            (counter("messages", [("direction", "out")]), \.messagesOut),
            (counter("messages", [("direction", "in")]), \.messagesIn),
            (counter("messages_dropped", [("reason", "refused")]), \.messagesRefused),
            (counter("messages_dropped", [("reason", "too-large")]), \.messagesTooLarge),
            (counter("messages_dropped", [("reason", "unmatched")]), \.messagesUnmatched),
            (counter("messages_dropped", [("reason", "loop")]), \.loopsStopped),
            (counter("connections", []), \.connections),
            (counter("disconnections", []), \.disconnections),
        ]
        isUp.set(0)
    }

    mutating func tell(_ counters: BridgeCounters, isUp: Bool) {
        guard counters != told else { return }
        for (counter, value) in self.counters where value(counters) != value(told) {
            counter.increment(by: value(counters) - value(told))
        }
        told = counters
        self.isUp.set(isUp ? 1 : 0)
    }
}
