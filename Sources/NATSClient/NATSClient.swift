package import NATSProtocol
package import NIOCore
import NIOPosix

/// The client for code that waits: `NATSConnection` behind an actor whose executor is the connection's event loop.
package actor NATSClient {
    package nonisolated let eventLoop: any EventLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    /// For calls from the event loop.
    package let connection: NATSConnection

    package init(
        _ options: NATSOptions, eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    ) async {
        self.eventLoop = eventLoop
        connection = NATSConnection(options, eventLoop: eventLoop)
    }

    /// Connects; the client stays connected from then on.
    ///
    /// - Throws: when no server took it in a round through all of them; the client is closed then.
    package func connect() async throws(NATSError) {
        let result: Result<Void, NATSError> = await withCheckedContinuation { continuation in
            let connection = connection
            var last = DisconnectReason.timedOut
            var observer: UInt64?
            observer = connection.addObserver { event in
                var result: Result<Void, NATSError>?
                switch event {
                case .connected: result = .success(())
                case .attemptFailed(_, let reason): last = reason
                case .waiting, .closed: result = .failure(.notConnected(last))
                case .disconnected, .lameDuck: break
                }
                guard let result, let number = observer else { return }
                connection.removeObserver(number)
                observer = nil
                continuation.resume(returning: result)
                if case .failure = result { connection.close() }
            }
            connection.start()
        }
        try result.get()
    }

    package func close() { connection.close() }

    /// Publishes to whoever listens at this moment.
    package func publish(
        _ payload: ByteBuffer, to subject: Subject, reply: Subject? = nil, headers: HeaderBlock? = nil
    ) throws(NATSError) {
        let answer = connection.publish(payload, to: subject, reply: reply, headers: headers)
        if case .refused(let reason) = answer { throw .notSent(reason) }
    }

    /// Publishes and waits for the one answer.
    package func request(
        _ payload: ByteBuffer, to subject: Subject, headers: HeaderBlock? = nil, timeout: Duration = .seconds(5)
    ) async throws(NATSError) -> NATSMessage {
        let outcome: RequestOutcome = await withCheckedContinuation { continuation in
            connection.request(payload, to: subject, headers: headers, timeout: timeout) {
                continuation.resume(returning: $0)
            }
        }
        switch outcome {
        case .answer(let message): return message
        case .noResponders: throw .noResponders
        case .notSent(let reason): throw .notSent(reason)
        case .unknown(let answer): throw .unknown(answer)
        }
    }

    /// Calls `handler` on the event loop with each message that matches.
    package func subscribe(
        _ filter: SubjectFilter, queueGroup: Subject? = nil, handler: @escaping @Sendable (NATSMessage) -> Void
    ) -> SubscriptionID? {
        connection.subscribe(filter, queueGroup: queueGroup, handler: handler)
    }

    package func unsubscribe(_ id: SubscriptionID) { connection.unsubscribe(id) }

    /// Waits until the server has seen everything before this call; false when the connection was lost before.
    @discardableResult
    package func flush() async -> Bool {
        await withCheckedContinuation { continuation in
            connection.flush { continuation.resume(returning: $0) }
        }
    }

    /// Runs `body` on the event loop.
    package func perform<Value: Sendable>(_ body: @Sendable (NATSConnection) throws -> Value) rethrows -> Value {
        try body(connection)
    }

    /// Runs `body` on the event loop and waits for what it gives to its completion.
    package func call<Value: Sendable>(
        _ body: @Sendable (NATSConnection, @escaping @Sendable (Value) -> Void) -> Void
    ) async -> Value {
        await withCheckedContinuation { continuation in
            body(connection) { continuation.resume(returning: $0) }
        }
    }
}
