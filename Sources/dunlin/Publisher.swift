import MQTTClient
import Synchronization

/// Publishes one message after the other without waiting for each acknowledgement, and knows when all have come.
final class Publisher: Sendable {
    private struct State {
        var unansweredCount = 0
        var failure: (any Error)?
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let client: MQTTClient
    private let topic: String
    private let qos: QoS
    private let retain: Bool
    private let properties: Properties
    private let state = Mutex(State())

    init(client: MQTTClient, topic: String, qos: QoS, retain: Bool, properties: Properties = []) {
        self.client = client
        self.topic = topic
        self.qos = qos
        self.retain = retain
        self.properties = properties
    }

    convenience init(client: MQTTClient, command: PublishCommand, properties: Properties) {
        self.init(
            client: client, topic: command.topic, qos: command.qos, retain: command.retain, properties: properties)
    }

    func publish(_ payload: [UInt8], times: Int, delay: Duration) async throws {
        for number in 0..<times {
            if number > 0, delay > .zero { try await Task.sleep(for: delay) }
            try await publish(payload)
        }
    }

    /// Each line of standard input that is not empty.
    func publishLines() async throws {
        let input = StandardInput()
        var splitter = LineSplitter()
        while let bytes = try await input.read() {
            for line in splitter.lines(in: bytes) where !line.isEmpty { try await publish(line) }
        }
        if let line = splitter.last(), !line.isEmpty { try await publish(line) }
    }

    /// Returns when the message is on its way. A failure of one before it is thrown here.
    func publish(_ payload: [UInt8], to otherTopic: String? = nil) async throws {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        while true {
            state.withLock { $0.unansweredCount += 1 }
            do {
                return try await client.publish(
                    topic: otherTopic ?? topic, payload: payload, qos: qos, retain: retain, properties: properties
                ) { result in
                    self.answered(result)
                }
            } catch let error as MQTTClientError where error.code == .notConnected {
                // A QoS 0 message between two connections: it goes with the next one.
                answered(nil)
                try await client.waitUntilConnected()
            } catch {
                answered(nil)
                throw error
            }
        }
    }

    private func answered(_ result: Result<MQTTClient.PublishResult, any Error>?) {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            state.unansweredCount -= 1
            if case .failure(let error)? = result, state.failure == nil { state.failure = error }
            guard state.unansweredCount == 0 else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits until every message is acknowledged, and throws the first failure. One task calls it, once.
    func finish() async throws {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if state.unansweredCount == 0 || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }?.resume()
        }
        try Task.checkCancellation()
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
