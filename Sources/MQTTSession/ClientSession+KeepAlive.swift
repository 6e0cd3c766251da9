package import MQTTModel

// What happens because time passes (section 3.1.2.10).
extension ClientSession {
    /// When `deadlineReached` has to be called; `distantFuture` when nothing is due.
    package var deadline: Instant {
        switch connection {
        case .none: .distantFuture
        case .awaitingConnAck(let attempt): attempt.deadline
        case .accepted(let link): min(pingDeadline(link), pingTimeoutDeadline(link))
        }
    }

    package mutating func deadlineReached(at now: Instant, into actions: inout [ClientAction]) {
        switch connection {
        case .none:
            return
        case .awaitingConnAck(let attempt):
            guard now >= attempt.deadline else { return }
            actions.append(.close)
            endConnection(.connectTimedOut, into: &actions)
        case .accepted(var link):
            if now >= pingTimeoutDeadline(link) {
                actions.append(.close)
                endConnection(.pingTimedOut, into: &actions)
            } else if now >= pingDeadline(link) {
                if link.pingSentAt == nil { link.pingSentAt = now }
                connection = .accepted(link)
                send(.pingReq, at: now, into: &actions)
            }
        }
    }

    /// The driver no longer reads from the connection. Pings go on, for the server's sake; their answers cannot be seen.
    package mutating func readingPaused() {
        guard case .accepted(var link) = connection else { return }
        link.isReadingPaused = true
        connection = .accepted(link)
    }

    /// The driver reads again: an answer to a ping has its full time from now on.
    package mutating func readingResumed(at now: Instant) {
        guard case .accepted(var link) = connection, link.isReadingPaused else { return }
        link.isReadingPaused = false
        link.lastReceivedAt = now
        if link.pingSentAt != nil { link.pingSentAt = now }
        connection = .accepted(link)
    }

    mutating func pingRespReceived() {
        guard case .accepted(var link) = connection else { return }
        link.pingSentAt = nil
        connection = .accepted(link)
    }

    /// A PINGREQ is due when nothing was sent for the keep alive [MQTT-3.1.2-20]; and, so that a connection which is dead
    /// in the other direction is found, when nothing was received for as long.
    private func pingDeadline(_ link: Link) -> Instant {
        guard link.limits.keepAlive > 0 else { return .distantFuture }
        let isAnswerDue = link.pingSentAt != nil || link.isReadingPaused
        let quietSince = isAnswerDue ? link.lastSentAt : min(link.lastSentAt, link.lastReceivedAt)
        return quietSince.advanced(seconds: link.limits.keepAlive)
    }

    private func pingTimeoutDeadline(_ link: Link) -> Instant {
        guard let pingSentAt = link.pingSentAt, !link.isReadingPaused else { return .distantFuture }
        return pingSentAt.advanced(by: limits.pingTimeout)
    }
}
