/// How short of memory the process is.
package enum MemoryLevel: Int, Sendable, Comparable, CaseIterable {
    case normal
    /// Over `Limits.memoryWatermark`: whoever publishes or subscribes much is read from slowly.
    case high
    /// Over `Limits.maximumMemory`: nothing new is taken.
    case critical

    package static func < (left: MemoryLevel, right: MemoryLevel) -> Bool { left.rawValue < right.rawValue }
}

/// From the memory that the process has to the level that it is at. `critical` begins a sixteenth below the bound, since
/// memory is looked at now and then only; and a level is left when the memory is a sixteenth below where it began, so that
/// it does not come and go with every message.
package struct MemoryGauge: Sendable, Hashable {
    /// Bytes at which `high` begins.
    package let watermark: Int
    /// Bytes at which `critical` begins.
    package let critical: Int
    package private(set) var level = MemoryLevel.normal

    package init(watermark: Int, maximum: Int) {
        self.watermark = watermark
        critical = max(watermark, maximum - maximum / 16)
    }

    /// - Parameter byteCount: of memory that the process has now.
    /// - Returns: whether the level is another now.
    package mutating func observe(_ byteCount: Int) -> Bool {
        let before = level
        let reached = level(of: byteCount, above: (watermark, critical))
        let left = level(of: byteCount, above: (watermark - watermark / 16, critical - critical / 16))
        level = max(reached, min(level, left))
        return level != before
    }

    private func level(of byteCount: Int, above bounds: (high: Int, critical: Int)) -> MemoryLevel {
        byteCount >= bounds.critical ? .critical : byteCount >= bounds.high ? .high : .normal
    }
}
