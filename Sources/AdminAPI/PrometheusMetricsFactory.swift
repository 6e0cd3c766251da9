package import CoreMetrics
import Foundation
import Synchronization

/// A backend of swift-metrics for what libraries count: it keeps sums, which `/metrics` shows. The broker itself
/// counts in its shards, where counting costs an addition, and is read from there.
package final class PrometheusMetricsFactory: MetricsFactory, Sendable {
    package static let shared = PrometheusMetricsFactory()

    /// Series that are kept; what is counted under further names or labels is lost.
    private static let maximumSeries = 1000

    private struct Key: Hashable {
        let name: String
        let labels: [String]
    }

    private let series = Mutex<[Key: MetricSeries]>([:])

    private func make(_ label: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind) -> MetricSeries {
        let made = MetricSeries(Self.name(label), kind, dimensions)
        let key = Key(name: made.name, labels: dimensions.flatMap { [$0.0, $0.1] })
        return series.withLock { series in
            if let existing = series[key], existing.kind == kind { return existing }
            if series.count < Self.maximumSeries { series[key] = made }
            return made
        }
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        make(label, dimensions, .counter)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        make(label, dimensions, .gauge)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        make(label, dimensions, aggregate ? .summary : .gauge)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        make(label + "_seconds", dimensions, .summary)
    }

    // A series stays: who counts on goes on where it was.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    var families: [MetricFamily] {
        let all = series.withLock { Array($0.values) }.sorted { ($0.name, $0.order) < ($1.name, $1.order) }
        var families: [MetricFamily] = []
        for one in all {
            if families.last?.name != one.name {
                families.append(MetricFamily(one.name, one.kind, "Counted by a library."))
            }
            one.add(to: &families[families.count - 1])
        }
        return families
    }

    /// Prometheus knows letters, digits and underscores.
    private static func name(_ label: String) -> String {
        let name = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return name.first?.isNumber == true ? "_" + name : name
    }
}

/// One sum, or the count and the sum of what was recorded.
private final class MetricSeries: CounterHandler, MeterHandler, RecorderHandler, TimerHandler, Sendable {
    let name: String
    let kind: MetricFamily.Kind
    private let labels: [(name: String, value: String)]
    private let state = Mutex((count: 0.0, value: 0.0))

    init(_ name: String, _ kind: MetricFamily.Kind, _ dimensions: [(String, String)]) {
        self.name = name
        self.kind = kind
        labels = dimensions.map { (name: $0.0, value: $0.1) }
    }

    var order: String { labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",") }

    func add(to family: inout MetricFamily) {
        let (count, value) = state.withLock { $0 }
        if kind == .summary {
            family.add(value, suffix: "_sum", labels: labels)
            family.add(count, suffix: "_count", labels: labels)
        } else {
            family.add(value, labels: labels)
        }
    }

    func increment(by amount: Int64) { state.withLock { $0.value += Double(amount) } }
    func increment(by amount: Double) { state.withLock { $0.value += amount } }
    func decrement(by amount: Double) { state.withLock { $0.value -= amount } }
    func reset() { state.withLock { $0 = (0, 0) } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.value = value } }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        state.withLock { state in
            state.count += 1
            state.value = kind == .summary ? state.value + value : value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
}
