import MQTTModel

/// Wall clock time in milliseconds since 1970 that never goes back, not by a restart either: a clock that is set back
/// makes time stand still until it has caught up, so nothing that has expired is valid again, and nothing lives longer
/// than by the jump.
struct WallClock {
    private let source: @Sendable () -> Int64
    private(set) var latest: Int64

    init(source: @escaping @Sendable () -> Int64, latest: Int64) {
        self.source = source
        self.latest = latest
    }

    mutating func read() -> Int64 {
        latest = max(latest, source())
        return latest
    }

    /// What was read before a restart.
    mutating func resume(at milliseconds: Int64) { latest = max(latest, milliseconds) }

    /// `seconds` after `milliseconds`; nil for `UInt32.max`, which is never.
    static func deadline(_ seconds: UInt32, after milliseconds: Int64) -> Int64? {
        seconds == .max ? nil : milliseconds + Int64(seconds) * 1000
    }

    /// Whole seconds from `milliseconds` to `deadline`, rounded up; 0 when it has passed.
    static func seconds(until deadline: Int64, from milliseconds: Int64) -> UInt32 {
        guard deadline > milliseconds else { return 0 }
        return UInt32(clamping: (deadline - milliseconds + 999) / 1000)
    }
}

extension Duration {
    /// Saturating; 0 when negative.
    var wholeMilliseconds: Int64 { Int64(wholeNanoseconds / 1_000_000) }
}
