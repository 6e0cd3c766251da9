import DequeModule
import MQTTModel
import MQTTSession
import NIOCore
import NIOPosix

// Connecting, and coming back.
extension ClientEngine {
    func connect() async throws -> MQTTClient.ConnectionInfo {
        let info = try await wait(
            begin: { key, continuation in
                do {
                    try begin(retriesAttempts: false)
                    connectWaiters.add(key, continuation)
                } catch {
                    continuation.resume(throwing: error)
                }
            },
            forget: { engine, key in
                guard let continuation = engine.connectWaiters.take(key) else { return nil }
                engine.abandon()
                engine.finish(nil)
                return continuation
            })
        guard let info else { throw MQTTClientError(.notConnected, "the connection was not made") }
        return info
    }

    /// Waits until a connection is accepted, if need be for one that is being made anew.
    func waitUntilConnected() async throws {
        _ = try await wait(
            begin: { key, continuation in
                do {
                    try checkIsOpen()
                } catch {
                    return continuation.resume(throwing: error)
                }
                if session.isConnected { return continuation.resume(returning: nil) }
                connectWaiters.add(key, continuation)
            },
            forget: { $0.connectWaiters.take($1) })
    }

    /// Connects in the background, as often as it takes.
    func start() throws { try begin(retriesAttempts: true) }

    private func begin(retriesAttempts: Bool) throws {
        switch phase {
        case .idle, .closed: break
        case .opening, .open, .waiting:
            throw MQTTClientError(.alreadyConnected, "the client is connected, or about to be")
        }
        try checkConfiguration()
        self.retriesAttempts = retriesAttempts
        wasAccepted = false
        failedAttempts = 0
        open()
    }

    func disconnect(reasonCode: ReasonCode, properties: Properties) async {
        switch phase {
        case .closed:
            return
        case .idle, .opening, .waiting:
            abandon()
            finish(nil)
        case .open(let link):
            var packet = Disconnect(reasonCode: reasonCode, properties: properties)
            if configuration.version.hasProperties, configuration.cleanStart, sessionExpirySeconds > 0,
                properties.sessionExpiryInterval == nil
            {
                packet.properties.append(.sessionExpiryInterval(0))
            }
            step { $0.disconnect(packet, at: $1, into: &$2) }
            try? await link.channel.closeFuture.get()
        }
    }

    /// Nobody holds the client any more.
    nonisolated func release() {
        eventLoop.execute {
            self.assumeIsolated { engine in
                if case .open = engine.phase {
                    engine.step { $0.disconnect(at: $1, into: &$2) }
                } else {
                    engine.abandon()
                    engine.finish(nil)
                }
            }
        }
    }

    /// Lets go of an attempt or a connection without a word.
    private func abandon() {
        attemptNumber += 1
        let abandoned = phase
        // Before the close, which reports its end at once.
        phase = .closed(nil)
        switch abandoned {
        case .waiting(let scheduled): scheduled.cancel()
        case .open(let link): link.channel.close(promise: nil)
        case .idle, .opening, .closed: break
        }
        step { $0.connectionLost(into: &$2) }
    }

    // MARK: An attempt

    private func open() {
        attemptNumber += 1
        let number = attemptNumber
        phase = .opening
        let timeout = TimeAmount.nanoseconds(Int64(clamping: configuration.connectTimeout.wholeNanoseconds))
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                // TLS: its handler goes here, before the client's own.
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ClientChannelHandler(engine: self, number: number))
                }
            }
            .connect(host: configuration.host, port: configuration.port)
            .whenComplete { result in
                self.assumeIsolated { $0.opened(result, number) }
            }
    }

    private func opened(_ result: Result<any Channel, any Error>, _ number: UInt64) {
        guard number == attemptNumber, case .opening = phase else {
            if case .success(let channel) = result { channel.close(promise: nil) }
            return
        }
        switch result {
        case .failure(let error):
            attemptFailed(.unreachable(configuration, error))
        case .success(let channel):
            phase = .open(
                ClientLink(
                    channel: channel, number: number, version: configuration.version,
                    maximumPacketSize: configuration.properties.maximumPacketSize ?? configuration.maximumPacketSize))
            let packet = makeConnect()
            step { $0.connect(packet, at: $1, into: &$2) }
            if !channel.isActive { connectionClosed(number) }
        }
    }

    /// The channel is closed, by the other side unless the session closed it.
    func connectionClosed(_ number: UInt64) {
        guard let link, link.number == number else { return }
        step { $0.connectionLost(into: &$2) }
    }

    // MARK: What came of it

    func accepted(_ connAck: ConnAck, _ limits: ServerLimits) {
        failedAttempts = 0
        wasAccepted = true
        serverLimits = limits
        let info = MQTTClient.ConnectionInfo(connAck, limits, clientIdentifier: session.clientIdentifier)
        events.send(.connected(info))
        for waiter in connectWaiters.takeAll() { waiter.resume(returning: info) }
    }

    func ended(_ end: ClientConnectionEnd) {
        waitingRequests.prepend(contentsOf: unansweredRequests)
        unansweredRequests.removeAll()
        // Without a link the connection was abandoned, and whoever did that goes on from there.
        guard let link else { return }
        let error: MQTTClientError? =
            switch end {
            case .requested: nil
            case .refused(let reasonCode): lastRefusal ?? .refused(ConnAck(reasonCode: reasonCode))
            case .lost: .lost(configuration)
            case .disconnectedByServer(let packet): .disconnected(packet)
            case .violation(let violation): .violation(violation)
            case .connectTimedOut: .connectTimedOut(configuration)
            case .pingTimedOut: .pingTimedOut(configuration)
            }
        phase = .opening
        attemptNumber += 1
        for waiter in writableWaiters.takeAll() { waiter.resume() }
        if case .lost = end { link.channel.close(promise: nil) }
        guard let error else { return finish(nil) }
        attemptFailed(error)
    }

    /// An attempt or an accepted connection ended with `error`: another attempt, or the end.
    private func attemptFailed(_ error: MQTTClientError) {
        failedAttempts += 1
        if wasAccepted, failedAttempts == 1 { events.send(.connectionLost(error)) }
        var random = SystemRandomNumberGenerator()
        guard wasAccepted || retriesAttempts, error.isWorthAnotherAttempt,
            let delay = configuration.reconnect.delay(beforeAttempt: failedAttempts, using: &random)
        else { return finish(error) }
        let amount = TimeAmount.nanoseconds(Int64(clamping: delay.wholeNanoseconds))
        let scheduled = eventLoop.scheduleTask(in: amount) { self.assumeIsolated { $0.attemptAgain() } }
        phase = .waiting(scheduled)
        events.send(.reconnecting(attempt: failedAttempts, delay: delay, after: error))
    }

    private func attemptAgain() {
        if case .waiting = phase { open() }
    }

    /// The client is closed: every call that waits ends.
    private func finish(_ error: MQTTClientError?) {
        phase = .closed(error)
        let closed = error ?? MQTTClientError(.closed, "the client was disconnected")
        for waiter in connectWaiters.takeAll() { waiter.resume(throwing: closed) }
        for waiter in publishWaiters.takeAll() { waiter.resume(throwing: closed) }
        for waiter in roomWaiters.takeAll() { waiter.resume(throwing: closed) }
        for waiter in writableWaiters.takeAll() { waiter.resume() }
        for waiter in requestWaiters.takeAll() { waiter.resume(throwing: closed) }
        for waiter in messageWaiters.takeAll() {
            if let error { waiter.resume(throwing: error) } else { waiter.resume(returning: nil) }
        }
        let unanswered = publishAnswers.sorted { $0.key.number < $1.key.number }
        publishAnswers.removeAll()
        for case (_, .callback(let callback)) in unanswered { callback(.failure(closed)) }
        waitingRequests.removeAll()
        // With a clean start nothing is resumed, so nothing that was given up here may be sent later.
        if configuration.cleanStart { forgetSession() }
        events.send(.closed(error))
    }

    private func forgetSession() {
        session = ClientSession(limits: ClientEngine.sessionLimits(configuration))
        subscriptions = RememberedSubscriptions()
        // Its receipts mean nothing to another session.
        buffer = Deque(buffer.map { BufferedMessage(message: $0.message, receipt: nil) })
    }
}
