import DequeModule
import MQTTModel
import MQTTSession
import NIOCore
import NIOPosix

/// The client's one place of state: drives a `ClientSession` over one network connection after another. An actor whose
/// executor is the event loop of its connections, so that the channel's callbacks and the application's calls take
/// turns without a lock.
actor ClientEngine {
    enum Phase {
        /// Never connected. Can transition to: opening, closed.
        case idle
        /// A network connection is being made. Can transition to: open, waiting, closed.
        case opening
        /// CONNECT was sent, and perhaps accepted. Can transition to: waiting, closed.
        case open(ClientLink)
        /// The next attempt is scheduled. Can transition to: opening, closed.
        case waiting(Scheduled<Void>)
        /// Disconnected for good, by the application (nil) or by an error. Can transition to: opening.
        case closed(MQTTClientError?)
    }

    nonisolated let configuration: MQTTClient.Configuration
    nonisolated let eventLoop: any EventLoop
    nonisolated let events = EventBroadcast()
    nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    var session: ClientSession
    var phase: Phase = .idle
    /// Counts the attempts to connect; the number of the present one.
    var attemptNumber: UInt64 = 0
    /// Attempts since the last accepted connection.
    var failedAttempts = 0
    /// Whether a failed attempt is followed by another: not while `connect` waits for the first one.
    var retriesAttempts = false
    /// Whether a CONNECT of this client was accepted since `connect`.
    var wasAccepted = false
    var lastRefusal: MQTTClientError?
    var generatedClientIdentifier = ""
    var serverLimits = ServerLimits()
    var scheduledDeadline: (task: Scheduled<Void>, instant: Instant)?

    var connectWaiters = Waiters<MQTTClient.ConnectionInfo?>()
    var publishWaiters = Waiters<MQTTClient.PublishResult?>()
    /// Who wants to know how a publication ended.
    var publishAnswers: [PublishToken: PublishAnswer] = [:]
    var roomWaiters = Waiters<Void>()
    var writableWaiters = Waiters<Void>()
    var requestWaiters = Waiters<MQTTClient.SubscribeResult>()
    var messageWaiters = Waiters<MQTTClient.Message?>()
    private var lastKey: UInt64 = 0

    var buffer: Deque<BufferedMessage> = []
    var bufferedBytes = 0
    var stall = Stall()
    var sentRequests: [RequestToken: ClientEngineRequest] = [:]
    var waitingRequests: Deque<ClientEngineRequest> = []
    var unansweredRequests: [ClientEngineRequest] = []
    var isSendingRequests = false
    var subscriptions = RememberedSubscriptions()

    init(configuration: MQTTClient.Configuration) {
        self.configuration = configuration
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        session = ClientSession(limits: ClientEngine.sessionLimits(configuration))
    }

    static func sessionLimits(_ configuration: MQTTClient.Configuration) -> ClientLimits {
        var limits = ClientLimits()
        limits.maximumInflightMessages = max(configuration.maximumInflightMessages, 1)
        limits.maximumQueuedMessages = max(configuration.maximumQueuedMessages, 1)
        limits.maximumOutboundTopicAliases = configuration.maximumOutboundTopicAliases
        limits.connectTimeout = configuration.connectTimeout
        limits.pingTimeout = configuration.pingTimeout
        limits.acknowledgesAutomatically = false
        return limits
    }

    var now: Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    var link: ClientLink? {
        if case .open(let link) = phase { link } else { nil }
    }

    // MARK: Actions of the session

    /// Gives the session an input and does what it asks for.
    func step(_ input: (inout ClientSession, Instant, inout [ClientAction]) -> Void) {
        eventLoop.assertInEventLoop()
        var actions: [ClientAction] = []
        input(&session, now, &actions)
        perform(actions)
    }

    func perform(_ actions: [ClientAction]) {
        eventLoop.assertInEventLoop()
        for action in actions {
            switch action {
            case .send(let packet):
                guard let link else { continue }
                link.append(packet)
                scheduleFlush(link)
            case .close:
                link?.close()
            case .report(let event):
                handle(event)
            }
        }
        sendWaitingRequests()
        if session.hasRoom { roomWaiters.takeFirst()?.resume() }
        scheduleDeadline()
    }

    private func handle(_ event: ClientEvent) {
        switch event {
        case .connected(let connAck, let limits): accepted(connAck, limits)
        case .connectionRefused(let connAck): lastRefusal = .refused(connAck)
        case .connectionEnded(let end): ended(end)
        case .sessionDiscarded: resubscribe()
        case .messageReceived(let publish, let receipt): deliver(publish, receipt)
        case .published(let token, let outcome): published(token, outcome)
        case .subscribed(let token, let packet): answered(token, packet.reasonCodes, packet.properties)
        case .unsubscribed(let token, let packet): answered(token, packet.reasonCodes, packet.properties)
        case .requestUnanswered(let token): unanswered(token)
        case .authenticationReceived: break
        }
    }

    /// One flush for all that is appended in one turn of the event loop.
    private func scheduleFlush(_ link: ClientLink) {
        guard !link.isFlushScheduled else { return }
        link.isFlushScheduled = true
        let number = link.number
        eventLoop.execute { self.assumeIsolated { $0.flush(number) } }
    }

    private func flush(_ number: UInt64) {
        guard let link, link.number == number else { return }
        link.isFlushScheduled = false
        link.flush()
        writabilityChanged(on: number)
    }

    private func scheduleDeadline() {
        let instant = session.deadline
        guard instant != .distantFuture, instant < scheduledDeadline?.instant ?? .distantFuture else { return }
        scheduledDeadline?.task.cancel()
        let task = eventLoop.scheduleTask(deadline: .uptimeNanoseconds(instant.nanoseconds)) {
            self.assumeIsolated { $0.deadlineReached() }
        }
        scheduledDeadline = (task, instant)
    }

    private func deadlineReached() {
        scheduledDeadline = nil
        step { $0.deadlineReached(at: $1, into: &$2) }
    }

    // MARK: Waiting

    /// Suspends the caller until the continuation that `begin` is given is resumed, or its task is cancelled; `forget`
    /// takes the waiter out of its list.
    ///
    /// What a call waits for is looked at in `begin`, not before: between the two the event loop may do other things.
    func wait<Value: Sendable>(
        begin: (UInt64, CheckedContinuation<Value, any Error>) -> Void,
        forget: @escaping @Sendable (isolated ClientEngine, UInt64) -> CheckedContinuation<Value, any Error>?
    ) async throws -> Value {
        lastKey += 1
        let key = lastKey
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // Not only a check: a closure that does not use `self` is none of the actor's, and would run elsewhere.
                self.eventLoop.assertInEventLoop()
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else {
                    begin(key, continuation)
                }
            }
        } onCancel: {
            // After whatever the event loop is doing: by then the waiter is in its list, or will not come there.
            eventLoop.execute { self.assumeIsolated { forget($0, key)?.resume(throwing: CancellationError()) } }
        }
    }
}
