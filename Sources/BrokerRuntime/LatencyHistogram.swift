/// How long messages took, in buckets. Only ever added to.
package struct LatencyHistogram: Sendable, Hashable {
    /// The upper bounds of the buckets, nanoseconds; one more bucket holds what is longer.
    package static let bounds: [UInt64] = [
        25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000,
        100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
    ]

    /// How many fell into each bucket, which the next bucket's bound does not include.
    package private(set) var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    package private(set) var totalNanoseconds: UInt64 = 0

    package init() {}

    package mutating func add(nanoseconds: UInt64) {
        let bucket = Self.bounds.firstIndex { nanoseconds <= $0 } ?? Self.bounds.count
        counts[bucket] += 1
        totalNanoseconds &+= nanoseconds
    }

    package static func += (left: inout LatencyHistogram, right: LatencyHistogram) {
        for bucket in left.counts.indices { left.counts[bucket] += right.counts[bucket] }
        left.totalNanoseconds &+= right.totalNanoseconds
    }
}
