package import MQTTModel

/// Counts how often the sessions of clients are taken over from a connection that is there, and says how long a CONNECT
/// has to wait for that: two clients with one client identifier that take the session from each other at once, again and
/// again, would keep the broker, and in a flock its log, busy with nothing else. A client that moves now and then does
/// not wait.
///
/// Clients that are banned for connecting too often (`FlappingClients`) are refused before; one that waits has connected
/// only when it has waited.
package struct TakeoverContests: Sendable {
    private struct Contest {
        /// Takeovers, each within the window of the one before.
        var count: Int
        var last: Instant
    }

    /// Client identifiers that are counted at the same time, and their bytes; further ones do not wait.
    static let maximumClients = 1 << 16
    static let maximumBytes = 1 << 23
    /// The first wait; each further one is twice as long.
    static let firstDelay: Duration = .milliseconds(100)

    private var contests: [ExactText: Contest] = [:]
    private var byteCount = 0
    private var nextSweep = Instant.zero

    package init() {}

    /// The session was taken from its connection, by another one here or on another node.
    package mutating func sessionTakenOver(_ clientIdentifier: String, at now: Instant, _ limits: Limits) {
        guard limits.maximumTakeoverDelay > .zero else { return }
        if now >= nextSweep { sweep(at: now, limits) }
        let key = ExactText(clientIdentifier)
        if let contest = contests[key], now < contest.last.advanced(by: limits.takeoverWindow) {
            contests[key] = Contest(count: contest.count + 1, last: now)
            return
        }
        let bytes = clientIdentifier.utf8.count
        if contests[key] == nil {
            guard contests.count < Self.maximumClients, byteCount + bytes <= Self.maximumBytes else { return }
            byteCount += bytes
        }
        contests[key] = Contest(count: 1, last: now)
    }

    /// How long a CONNECT that would take the session over again has to wait.
    package func delay(of clientIdentifier: String, at now: Instant, _ limits: Limits) -> Duration {
        guard !contests.isEmpty, let contest = contests[ExactText(clientIdentifier)],
            now < contest.last.advanced(by: limits.takeoverWindow), contest.count >= limits.maximumQuickTakeovers
        else { return .zero }
        let doublings = min(contest.count - limits.maximumQuickTakeovers, 20)
        return min(Self.firstDelay * (1 << doublings), limits.maximumTakeoverDelay)
    }

    private mutating func sweep(at now: Instant, _ limits: Limits) {
        nextSweep = now.advanced(by: limits.takeoverWindow)
        contests = contests.filter { now < $0.value.last.advanced(by: limits.takeoverWindow) }
        // Order-free: a sum.
        byteCount = contests.keys.reduce(0) { $0 + $1.string.utf8.count }
    }
}
