/// A token bucket as one number: connections are let through at `rate` a second on average, up to `rate` at once.
///
/// The number is the time at which the bucket would be full again (the generic cell rate algorithm).
struct ConnectionRate {
    private static let second: UInt64 = 1_000_000_000
    private var fullAt: UInt64 = 0

    /// Whether a connection may come now; takes a token when it may.
    ///
    /// - Parameters:
    ///   - now: nanoseconds, never going back.
    ///   - rate: tokens a second, at least 1.
    mutating func take(at now: UInt64, rate: Int) -> Bool {
        let interval = Self.second / UInt64(rate)
        let next = max(fullAt, now) + interval
        guard next - now <= Self.second else { return false }
        fullAt = next
        return true
    }

    /// Whether it holds all its tokens, so that it can be forgotten.
    func isFull(at now: UInt64) -> Bool { fullAt <= now }
}
