package import NATSProtocol
package import NIOCore

extension NATSConnection {
    /// Stores a message in the stream that takes its subject. `completion` is called once, possibly before this returns.
    ///
    /// A `conflict` is one: while the leader only knows that some write of the subject is on its way, which may be the
    /// one that this one names, it is asked again.
    package func store(
        _ payload: ByteBuffer, to subject: Subject, headers: HeaderBlock = HeaderBlock(),
        conditions: StoreConditions = .init(), timeout: Duration = .seconds(5),
        completion: @escaping (StoreOutcome) -> Void
    ) {
        var block = headers
        do {
            try conditions.append(to: &block)
        } catch {
            return completion(.refused(JetStreamError(code: 400, errorCode: 0, text: "no header: \(error.name)")))
        }
        let deadline = now + timeout
        store(payload, to: subject, headers: block, deadline: deadline, pause: .milliseconds(1), completion: completion)
    }

    /// - Parameter pause: before it is asked again; the next one is twice as long, up to a bound.
    private func store(
        _ payload: ByteBuffer, to subject: Subject, headers: HeaderBlock, deadline: Duration, pause: Duration,
        completion: @escaping (StoreOutcome) -> Void
    ) {
        request(payload, to: subject, headers: headers, timeout: deadline - now) { outcome in
            let outcome = StoreOutcome(outcome)
            guard case .conflict(let error) = outcome, error.isInFlight, self.now + pause < deadline else {
                return completion(outcome)
            }
            self.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(pause.nanoseconds)) {
                self.store(
                    payload, to: subject, headers: headers, deadline: deadline,
                    pause: min(pause * 2, .milliseconds(64)),
                    completion: completion)
            }
        }
    }
}

/// Stores many messages, of which several wait for their acknowledgement at a time. They are told apart by a tag that
/// the caller chooses; one handler gets all outcomes.
///
/// Messages that are stored go into the stream in the order of their publication. After an outcome `unknown` or
/// `noResponders` that does not hold for those after it: a new leader may have stored a later one. A caller for whom
/// the order counts publishes nothing until all that were under way are answered, and starts again with the first
/// one that is not stored, with the same `messageID`. A `conflict` whose error `isInFlight` is no verdict either: it is
/// for the caller to ask again.
package final class StreamPublisher {
    private let connection: NATSConnection
    private let timeout: Duration
    private let window: Int
    private var responder = Responder { _, _ in .done }
    package private(set) var underWay = 0

    /// On the connection's event loop.
    ///
    /// - Parameters:
    ///   - window: messages under way at a time.
    ///   - handler: called on the event loop, once for each message.
    package init(
        _ connection: NATSConnection, window: Int, timeout: Duration = .seconds(5),
        handler: @escaping (_ tag: UInt64, _ outcome: StoreOutcome) -> Void
    ) {
        self.connection = connection
        self.window = window
        self.timeout = timeout
        responder = Responder { [weak self] tag, outcome in
            self?.underWay -= 1
            handler(tag, StoreOutcome(outcome))
            return .done
        }
    }

    package var hasRoom: Bool { underWay < window }

    /// Publishes a message with all its headers.
    ///
    /// - Returns: why it was not sent, and the handler is not called; nil when it was.
    package func publish(
        _ payload: ByteBuffer, to subject: Subject, headers: HeaderBlock? = nil, tag: UInt64
    ) -> NotSentReason? {
        guard hasRoom else { return .tooManyRequests }
        let reason = connection.request(
            payload, to: subject, headers: headers, timeout: timeout, responder: responder, tag: tag)
        if reason == nil { underWay += 1 }
        return reason
    }
}
