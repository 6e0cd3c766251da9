import MQTTModel
import MQTTSession

/// Who wants to know how a publication ended.
enum PublishAnswer {
    /// One of `publishWaiters`.
    case waiter(UInt64)
    case callback(@Sendable (Result<MQTTClient.PublishResult, any Error>) -> Void)
}

extension ClientEngine {
    nonisolated func makeMessage(
        topic: String, payload: [UInt8], qos: QoS, retain: Bool, properties: Properties
    ) throws -> ApplicationMessage {
        guard TopicName(topic) != nil else {
            throw MQTTClientError(
                .invalidTopic, "\"\(topic)\" is no topic to publish to: 1 to 65,535 bytes without + and #")
        }
        return ApplicationMessage(
            topic: topic, payload: payload, qos: qos, isRetained: retain,
            properties: configuration.version.hasProperties ? properties : [])
    }

    func publish(_ message: ApplicationMessage) async throws -> MQTTClient.PublishResult {
        if message.qos == .atMostOnce {
            try publishAtMostOnce(message)
            try await waitUntilWritable()
            return MQTTClient.PublishResult(reasonCode: .success, properties: [])
        }
        while true {
            try await waitForRoom()
            do {
                if let result = try await publishIfThereIsRoom(message) { return result }
            } catch {
                // The turn that this call was woken for goes to the next, if it was not used.
                if session.hasRoom { roomWaiters.takeFirst()?.resume() }
                throw error
            }
        }
    }

    /// Returns once the message has its place in the order; the answer comes later.
    func beginPublish(
        _ message: ApplicationMessage,
        whenAnswered callback: @escaping @Sendable (Result<MQTTClient.PublishResult, any Error>) -> Void
    ) async throws {
        if message.qos == .atMostOnce {
            try publishAtMostOnce(message)
            callback(.success(MQTTClient.PublishResult(reasonCode: .success, properties: [])))
            return try await waitUntilWritable()
        }
        while true {
            try await waitForRoom()
            var actions: [ClientAction] = []
            do {
                try checkIsOpen()
                guard let token = try session.publish(message, at: now, into: &actions) else { return }
                publishAnswers[token] = .callback(callback)
                return perform(actions)
            } catch PublishRefusal.queueFull {
                continue
            } catch let refusal as PublishRefusal {
                if session.hasRoom { roomWaiters.takeFirst()?.resume() }
                throw MQTTClientError(refusal)
            }
        }
    }

    /// - Returns: nil when another call was faster.
    private func publishIfThereIsRoom(_ message: ApplicationMessage) async throws -> MQTTClient.PublishResult? {
        try await wait(
            begin: { key, continuation in
                var actions: [ClientAction] = []
                do {
                    try checkIsOpen()
                    guard let token = try session.publish(message, at: now, into: &actions) else { return }
                    publishAnswers[token] = .waiter(key)
                    publishWaiters.add(key, continuation)
                    perform(actions)
                } catch PublishRefusal.queueFull {
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(throwing: (error as? PublishRefusal).map(MQTTClientError.init) ?? error)
                }
            },
            forget: { $0.publishWaiters.take($1) })
    }

    /// In turn: whoever comes while others wait waits behind them.
    private func waitForRoom() async throws {
        try await wait(
            begin: { key, continuation in
                if session.hasRoom, roomWaiters.isEmpty {
                    continuation.resume()
                } else {
                    roomWaiters.add(key, continuation)
                }
            },
            forget: { $0.roomWaiters.take($1) })
    }

    func checkIsOpen() throws {
        switch phase {
        case .opening, .open, .waiting: return
        case .idle: throw MQTTClientError(.notConnected, "the client is not connected: call connect first")
        case .closed(let error): throw error ?? MQTTClientError(.closed, "the client was disconnected")
        }
    }

    private func publishAtMostOnce(_ message: ApplicationMessage) throws {
        try Task.checkCancellation()
        var actions: [ClientAction] = []
        do throws(PublishRefusal) {
            _ = try session.publish(message, at: now, into: &actions)
        } catch {
            throw MQTTClientError(error)
        }
        perform(actions)
    }

    /// Waits while the connection takes no more: what it has not taken is bounded by one message for each task.
    private func waitUntilWritable() async throws {
        guard let link, !link.isWritable else { return }
        try await wait(
            begin: { key, continuation in
                if self.link?.isWritable ?? true {
                    continuation.resume()
                } else {
                    writableWaiters.add(key, continuation)
                }
            },
            forget: { $0.writableWaiters.take($1) })
    }

    func writabilityChanged(on number: UInt64) {
        guard let link, link.number == number, link.isWritable else { return }
        for waiter in writableWaiters.takeAll() { waiter.resume() }
    }

    func published(_ token: PublishToken, _ outcome: PublishOutcome) {
        guard let answer = publishAnswers.removeValue(forKey: token) else { return }
        switch answer {
        case .waiter(let key): publishWaiters.take(key)?.resume(with: result(of: outcome).map(Optional.some))
        case .callback(let callback): callback(result(of: outcome))
        }
    }

    private func result(of outcome: PublishOutcome) -> Result<MQTTClient.PublishResult, any Error> {
        switch outcome {
        case .acknowledged(let reasonCode, let properties):
            if reasonCode.isError { return .failure(MQTTClientError.publishRefused(reasonCode, properties)) }
            return .success(MQTTClient.PublishResult(reasonCode: reasonCode, properties: properties))
        case .refused(let refusal):
            return .failure(MQTTClientError(refusal))
        case .sessionLost:
            return .failure(
                MQTTClientError(
                    .sessionLost,
                    "the server lost the session before it acknowledged the message, which may have been published"))
        }
    }
}
