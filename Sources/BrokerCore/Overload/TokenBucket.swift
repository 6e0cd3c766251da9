package import MQTTModel

/// A token bucket as one number: `rate` tokens come in each second, and it holds those of one second.
///
/// The number is the time at which the bucket would be full again (the generic cell rate algorithm).
package struct TokenBucket: Sendable, Hashable {
    private static let second: UInt64 = 1_000_000_000

    private var fullAt = Instant.zero

    package init() {}

    /// Takes a token if there is one.
    ///
    /// - Parameter rate: at least 1.
    package mutating func take(at now: Instant, rate: Int) -> Bool {
        let next = max(fullAt, now).nanoseconds + Self.second / UInt64(rate)
        guard next - now.nanoseconds <= Self.second else { return false }
        fullAt = Instant(nanoseconds: next)
        return true
    }

    /// Takes `count` tokens, though there may be fewer: what has arrived has arrived.
    ///
    /// - Parameter rate: at least 1.
    /// - Returns: when an overdrawn bucket is an eighth full again; nil when it is not overdrawn.
    package mutating func draw(_ count: Int, at now: Instant, rate: Int) -> Instant? {
        let (product, overflow) = UInt64(max(0, count)).multipliedReportingOverflow(by: Self.second)
        let cost = overflow ? UInt64.max / 4 : product / UInt64(rate)
        let (next, wraps) = max(fullAt, now).nanoseconds.addingReportingOverflow(cost)
        fullAt = wraps ? Instant(nanoseconds: .max / 2) : Instant(nanoseconds: next)
        guard fullAt.nanoseconds - now.nanoseconds > Self.second else { return nil }
        return Instant(nanoseconds: fullAt.nanoseconds - Self.second / 8 * 7)
    }

    /// Whether it holds all its tokens, so that it can be forgotten.
    package func isFull(at now: Instant) -> Bool { fullAt <= now }
}
