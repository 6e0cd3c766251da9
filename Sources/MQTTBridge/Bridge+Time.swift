package import MQTTModel

// What happens because time passes.
extension Bridge {
    /// When `deadlineReached` has to be given; `distantFuture` when nothing is due.
    package var deadline: Instant {
        switch phase {
        case .idle, .stopped: .distantFuture
        case .waiting(let until): until
        case .opening(let side, let deadline), .greeting(let side, let deadline):
            // The remote broker may be kept waiting by the local one.
            side == .local ? min(deadline, pingDeadline(.remote)) : deadline
        case .relaying: min(pingDeadline(.local), pingDeadline(.remote))
        }
    }

    private func pingDeadline(_ side: BridgeSide) -> Instant {
        self[side].liveness.deadline(
            pingTimeout: options.pingTimeout, isReadingPaused: self[side].isReadingPaused || !isReading(side))
    }

    mutating func deadlineReached(
        at now: Instant, using random: inout some RandomNumberGenerator, into actions: inout [BridgeAction]
    ) {
        switch phase {
        case .idle, .stopped: return
        case .waiting(let until):
            if now >= until { open(.remote, at: now, into: &actions) }
            return
        case .opening(let side, let deadline), .greeting(let side, let deadline):
            if now >= deadline { return fail(side, .connectTimedOut, at: now, using: &random, into: &actions) }
            if side == .local { ping(.remote, at: now, using: &random, into: &actions) }
        case .relaying:
            ping(.local, at: now, using: &random, into: &actions)
            // The first may have ended the link.
            if case .relaying = phase { ping(.remote, at: now, using: &random, into: &actions) }
        }
    }

    private mutating func ping(
        _ side: BridgeSide, at now: Instant, using random: inout some RandomNumberGenerator,
        into actions: inout [BridgeAction]
    ) {
        guard now >= pingDeadline(side) else { return }
        if self[side].liveness.pingSentAt != nil {
            return fail(side, .pingTimedOut, at: now, using: &random, into: &actions)
        }
        self[side].liveness.pingSentAt = now
        send(.pingReq, to: side, at: now, into: &actions)
    }

    mutating func readingResumed(_ side: BridgeSide, at now: Instant) {
        self[side].isReadingPaused = false
        self[side].liveness.lastReceivedAt = now
        if self[side].liveness.pingSentAt != nil { self[side].liveness.pingSentAt = now }
    }
}
