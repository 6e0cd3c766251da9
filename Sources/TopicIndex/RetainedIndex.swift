package import MQTTModel

/// The retained messages of one shard (section 3.3.1.3), by topic.
package struct RetainedIndex: ~Copyable {
    package private(set) var count = 0
    /// Bytes of topics, properties and payloads.
    package private(set) var byteCount = 0

    /// - Parameter hashSeed: as for `SubscriptionIndex`.
    package init(hashSeed: UInt64 = 0) {}

    /// - Returns: the message it replaced.
    package mutating func set(_ message: ApplicationMessage) -> ApplicationMessage? { nil }
    package mutating func remove(topic: UnsafeRawBufferPointer) -> ApplicationMessage? { nil }
    package func message(topic: UnsafeRawBufferPointer) -> ApplicationMessage? { nil }
    package func forEachMatch(of pattern: String, _ body: (ApplicationMessage) -> Void) {}
    package mutating func removeExpired(at now: Instant, visiting limit: Int) -> Int { 0 }
}
