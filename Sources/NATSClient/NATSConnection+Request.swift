package import NATSProtocol
package import NIOCore

extension NATSConnection {
    /// Publishes with a subject for the answer, which goes to `responder` with `tag`.
    ///
    /// - Parameter timeout: until the answer, or the last one when there are several.
    /// - Returns: why it was not sent, and the responder is not called; nil when it was.
    package func request(
        _ payload: ByteBuffer, to subject: Subject, headers: HeaderBlock? = nil, timeout: Duration,
        responder: Responder, tag: UInt64
    ) -> NotSentReason? {
        eventLoop.assertInEventLoop()
        guard requests.count < options.maximumRequests else { return .tooManyRequests }
        let number = requests.insert(.init(responder: responder, tag: tag, deadline: now + timeout))
        let answer = publish(payload, to: subject, replyBytes: requests.replySubject(number), headers: headers)
        if case .refused(let reason) = answer {
            _ = requests.remove(number)
            return reason
        }
        scheduleRequestDeadline()
        return nil
    }

    /// Publishes with a subject for the answer. `completion` is called once, possibly before this returns.
    package func request(
        _ payload: ByteBuffer, to subject: Subject, headers: HeaderBlock? = nil, timeout: Duration,
        completion: @escaping (RequestOutcome) -> Void
    ) {
        let responder = Responder { _, outcome in
            completion(outcome)
            return .done
        }
        let reason = request(
            payload, to: subject, headers: headers, timeout: timeout, responder: responder, tag: 0)
        if let reason { completion(.notSent(reason)) }
    }

    func subscribeToAnswers() {
        let filter = SubjectFilter(unchecked: requests.inbox.bytes + Array(".*".utf8))
        let handler: (NATSMessage) -> Void = { [weak self] in self?.answered($0) }
        _ = subscriptions.insert(Subscription(filter: filter, queueGroup: nil, handler: handler))
    }

    private func answered(_ message: NATSMessage) {
        guard let number = message.withSubject({ RequestTable.number(in: $0) }), let request = requests[number]
        else { return }
        let outcome: RequestOutcome = message.status == 503 ? .noResponders : .answer(message)
        switch request.responder.receive(request.tag, outcome) {
        case .done: _ = requests.remove(number)
        case .more: break
        }
    }

    /// The answers under way are lost with the connection.
    func endRequests() {
        for request in requests.removeAll() {
            _ = request.responder.receive(request.tag, .unknown(.connectionLost))
        }
    }

    private func scheduleRequestDeadline() {
        guard let due = requests.earliestDeadline else { return }
        if let requestTask, requestTask.due <= due { return }
        requestTask?.task.cancel()
        let delay = TimeAmount.nanoseconds(max(due - now, .zero).nanoseconds)
        let task = eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            self.requestTask = nil
            for request in self.requests.removeDue(at: self.now) {
                _ = request.responder.receive(request.tag, .unknown(.timedOut))
            }
            self.scheduleRequestDeadline()
        }
        requestTask = (task, due)
    }
}
