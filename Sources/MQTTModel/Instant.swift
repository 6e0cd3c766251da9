/// A point of monotonic time, as nanoseconds since an origin that the driver chooses. The pure half never reads a
/// clock: whoever calls it passes `now`, which never goes back.
public struct Instant: Sendable, Hashable, Comparable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static let zero = Instant(nanoseconds: 0)
    /// Later than any instant that is reached: the deadline of what never falls due.
    public static let distantFuture = Instant(nanoseconds: .max)

    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// `duration` later, saturating at `distantFuture`; a negative duration counts as zero.
    public func advanced(by duration: Duration) -> Instant {
        advanced(nanoseconds: duration.wholeNanoseconds)
    }

    public func advanced(seconds: some BinaryInteger) -> Instant {
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .distantFuture : advanced(nanoseconds: product)
    }

    func advanced(nanoseconds delta: UInt64) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(delta)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    /// Whole seconds that have passed since `earlier`; 0 when `earlier` is later.
    public func wholeSeconds(since earlier: Instant) -> UInt64 {
        nanoseconds <= earlier.nanoseconds ? 0 : (nanoseconds - earlier.nanoseconds) / 1_000_000_000
    }
}

extension Duration {
    /// The duration in nanoseconds; 0 when negative, saturating at `UInt64.max`.
    public var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return .max }
        let (sum, wraps) = whole.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return wraps ? .max : sum
    }
}
