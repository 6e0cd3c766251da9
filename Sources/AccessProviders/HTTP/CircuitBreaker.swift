/// Keeps from asking a server that does not answer: after some failures in a row nothing is asked for a while, then one
/// request is let through, and what becomes of it decides.
struct CircuitBreaker: Sendable {
    private enum State: Sendable {
        /// Can transition to: `open`.
        case closed(failures: Int)
        /// Can transition to: `trying`.
        case open(until: ContinuousClock.Instant)
        /// One request is under way. Can transition to: `closed`, `open`.
        case trying
    }

    private let maximumFailures: Int
    private let pause: Duration
    private var state = State.closed(failures: 0)

    init(maximumFailures: Int, pause: Duration) {
        self.maximumFailures = maximumFailures
        self.pause = pause
    }

    var isOpen: Bool { if case .open = state { true } else { false } }

    /// Whether a request may be made now; then `succeeded` or `failed` has to follow.
    mutating func allowsRequest(at now: ContinuousClock.Instant) -> Bool {
        switch state {
        case .closed: return true
        case .trying: return false
        case .open(let until):
            guard now >= until else { return false }
            state = .trying
            return true
        }
    }

    mutating func succeeded() { state = .closed(failures: 0) }

    mutating func failed(at now: ContinuousClock.Instant) {
        switch state {
        case .closed(let failures) where failures + 1 < maximumFailures: state = .closed(failures: failures + 1)
        case .closed, .trying: state = .open(until: now + pause)
        case .open: break
        }
    }
}
