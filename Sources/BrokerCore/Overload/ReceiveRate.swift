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
        return readAgainAt
    }
}
