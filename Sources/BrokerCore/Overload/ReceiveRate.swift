package import MQTTModel

/// How fast one client sends, and how long it is not read from when that is too fast: nothing is lost, the sender's own
/// network connection fills up (`Limits.maximumMessageRate`, `Limits.maximumByteRate`).
package struct ReceiveRate: Sendable, Hashable {
    private var messages = TokenBucket()
    private var bytes = TokenBucket()

    package init() {}

    /// A packet was received that costs others something: a message, or a change of subscriptions.
    ///
    /// - Returns: until when nothing more is to be read from the client; nil when it may go on.
    package mutating func received(byteCount: Int, at now: Instant, _ limits: Limits) -> Instant? {
        var readAgainAt: Instant?
        if limits.maximumMessageRate > 0 { readAgainAt = messages.draw(1, at: now, rate: limits.maximumMessageRate) }
        if limits.maximumByteRate > 0, let instant = bytes.draw(byteCount, at: now, rate: limits.maximumByteRate) {
            readAgainAt = max(readAgainAt ?? instant, instant)
        }
        return readAgainAt.map { min($0, now.advanced(by: Self.longestPause)) }
    }

    /// A keep alive should not run out meanwhile.
    private static let longestPause = Duration.seconds(10)
}

extension Limits {
    /// With the rates that hold while memory is short, where they are lower. Whoever sends little notices nothing.
    package func tightened(for level: MemoryLevel) -> Limits {
        let rates: (messages: Int, bytes: Int)? =
            switch level {
            case .normal: nil
            case .high: (100, 1 << 17)
            case .critical: (20, 1 << 14)
            }
        guard let rates else { return self }
        var limits = self
        limits.maximumMessageRate = maximumMessageRate == 0 ? rates.messages : min(maximumMessageRate, rates.messages)
        limits.maximumByteRate = maximumByteRate == 0 ? rates.bytes : min(maximumByteRate, rates.bytes)
        return limits
    }
}
