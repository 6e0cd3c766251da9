/// Follows a stream in order and without a gap: pure. It counts what its consumer on the server delivers, and asks for
/// a new consumer behind the last message when one is missing, when the consumer falls silent, or when the connection
/// was lost.
///
/// The driver's duties: (1) perform the actions of a call in order; (2) pass on only what comes from the consumer of the
/// present generation; (3) call `deadlineReached` when `deadline` has come. Times are durations since any fixed point.
package struct OrderedConsumerMachine: Sendable {
    package enum Action: Hashable, Sendable {
        /// Make a consumer of this generation that starts at the sequence, and drop the one before; answered by `created`
        /// or `creationFailed`.
        case create(generation: UInt64, from: UInt64)
        case report(Event)
    }

    package enum Event: Hashable, Sendable {
        /// The stream is followed again, or for the first time; what it holds beyond the start is still to come.
        case started
        /// All that the stream held at the start has been delivered.
        case caughtUp
        /// Nothing comes until `started`.
        case interrupted(Cause)
    }

    package enum Cause: Hashable, Sendable {
        /// The consumer skipped this many deliveries.
        case gap
        case silent
        case disconnected
        case creationFailed
    }

    private enum State: Sendable {
        /// Can transition to: creating.
        case disconnected
        /// Can transition to: following, waiting, disconnected.
        case creating
        /// Can transition to: creating, disconnected.
        case following
        /// Until the next attempt. Can transition to: creating, disconnected.
        case waiting
    }

    /// The server sends a heartbeat after so much silence.
    package let heartbeat: Duration
    /// Between attempts to make a consumer.
    private static let retryDelay = Duration.milliseconds(200)

    private var state = State.disconnected
    package private(set) var generation: UInt64 = 0
    private var lastConsumerSequence: UInt64 = 0
    /// Of the last message that was delivered; 0: none yet.
    package private(set) var lastStreamSequence: UInt64
    private var lastHeard = Duration.zero
    package private(set) var isCaughtUp = false
    package private(set) var deadline: Duration?

    /// - Parameter after: the sequence behind which to start; 0 for the beginning.
    package init(after sequence: UInt64, heartbeat: Duration) {
        lastStreamSequence = sequence
        self.heartbeat = heartbeat
    }

    package var isFollowing: Bool {
        if case .following = state { true } else { false }
    }

    package mutating func connected(at now: Duration) -> [Action] {
        guard case .disconnected = state else { return [] }
        return create(at: now)
    }

    package mutating func disconnected() -> [Action] {
        if case .disconnected = state { return [] }
        state = .disconnected
        deadline = nil
        return [.report(.interrupted(.disconnected))]
    }

    /// - Parameter pending: messages that the consumer will deliver.
    package mutating func created(pending: UInt64, at now: Duration) -> [Action] {
        guard case .creating = state else { return [] }
        state = .following
        lastHeard = now
        deadline = now + silence
        return [.report(.started)] + (pending == 0 ? caughtUp() : [])
    }

    /// To be called after a message without others behind it was delivered.
    package mutating func caughtUp() -> [Action] {
        guard !isCaughtUp else { return [] }
        isCaughtUp = true
        return [.report(.caughtUp)]
    }

    package mutating func creationFailed(at now: Duration) -> [Action] {
        guard case .creating = state else { return [] }
        state = .waiting
        deadline = now + OrderedConsumerMachine.retryDelay
        return [.report(.interrupted(.creationFailed))]
    }

    /// The common case: whether to deliver the message. Anything else is told by the actions of `gapFound`.
    package mutating func accepts(_ delivery: DeliverySubject, at now: Duration) -> Bool {
        guard delivery.consumerSequence == lastConsumerSequence + 1 else { return false }
        lastConsumerSequence = delivery.consumerSequence
        lastStreamSequence = delivery.streamSequence
        lastHeard = now
        return true
    }

    /// A message came that `accepts` does not take.
    package mutating func gapFound(at now: Duration) -> [Action] { restart(.gap, at: now) }

    /// A heartbeat or a request of flow control names the last delivery. When it is not the last one that came, the
    /// ones between are lost: messages and heartbeats come in order.
    package mutating func heartbeatReceived(lastConsumerSequence last: UInt64?, at now: Duration) -> [Action] {
        switch state {
        // The first messages may come before the answer to the creation.
        case .creating, .following:
            lastHeard = now
            guard let last, last != lastConsumerSequence else { return [] }
            return restart(.gap, at: now)
        case .disconnected, .waiting: return []
        }
    }

    package mutating func deadlineReached(at now: Duration) -> [Action] {
        guard let due = deadline, due <= now else { return [] }
        switch state {
        case .following:
            guard now >= lastHeard + silence else {
                deadline = lastHeard + silence
                return []
            }
            return restart(.silent, at: now)
        case .waiting: return create(at: now)
        case .creating, .disconnected:
            deadline = nil
            return []
        }
    }

    private var silence: Duration { heartbeat * 2 + .milliseconds(100) }

    private mutating func restart(_ cause: Cause, at now: Duration) -> [Action] {
        switch state {
        case .creating, .following: [.report(.interrupted(cause))] + create(at: now)
        case .disconnected, .waiting: []
        }
    }

    private mutating func create(at now: Duration) -> [Action] {
        state = .creating
        generation += 1
        lastConsumerSequence = 0
        isCaughtUp = false
        deadline = nil
        return [.create(generation: generation, from: lastStreamSequence + 1)]
    }
}
