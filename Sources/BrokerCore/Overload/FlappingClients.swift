package import MQTTModel

/// Counts how often clients connect, and bans for a time who does it too often (`Limits.maximumConnectsPerWindow`): a
/// client that crashes after each CONNECT, or two that have one client identifier and take the session from each other.
///
/// Only clients that were let in are counted, so that nobody can have another banned without being able to be it.
package struct FlappingClients: Sendable {
    /// Client identifiers that are counted and banned at the same time, and their bytes; further ones are not.
    static let maximumClients = 1 << 16
    static let maximumBytes = 1 << 23

    private var windowEnd = Instant.zero
    private var counts: [ExactText: Int] = [:]
    private var bans: [ExactText: Instant] = [:]
    private var byteCount = 0

    package init() {}

    /// Whether the client may not connect now.
    package func isBanned(_ clientIdentifier: String, at now: Instant) -> Bool {
        guard !bans.isEmpty, let end = bans[ExactText(clientIdentifier)] else { return false }
        return now < end
    }

    /// A client that may come in connects.
    ///
    /// - Returns: whether that was once too often, and it is banned from now on.
    package mutating func connected(_ clientIdentifier: String, at now: Instant, _ limits: Limits) -> Bool {
        guard limits.maximumConnectsPerWindow > 0 else { return false }
        if now >= windowEnd { beginWindow(at: now, limits) }
        let key = ExactText(clientIdentifier)
        guard let earlier = counts[key] ?? place(for: key) else { return false }
        counts[key] = earlier + 1
        guard earlier >= limits.maximumConnectsPerWindow else { return false }
        // Counted until the window's end, so its bytes are in the sum until then; and from then on as a ban.
        bans[key] = now.advanced(by: limits.banTime)
        counts[key] = 0
        return true
    }

    private mutating func beginWindow(at now: Instant, _ limits: Limits) {
        windowEnd = now.advanced(by: limits.connectsWindow)
        counts.removeAll()
        bans = bans.filter { now < $0.value }
        // Order-free: a sum.
        byteCount = bans.keys.reduce(0) { $0 + $1.string.utf8.count }
    }

    /// - Returns: 0, or nil when there is no room for another client.
    private mutating func place(for key: ExactText) -> Int? {
        let bytes = key.string.utf8.count
        guard counts.count + bans.count < Self.maximumClients, byteCount + bytes <= Self.maximumBytes else {
            return nil
        }
        byteCount += bytes
        return 0
    }
}
