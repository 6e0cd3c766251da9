import Synchronization

/// Hands the connection's events to every stream that was asked for and still has a reader.
final class EventBroadcast: Sendable {
    private struct State {
        var nextNumber = 0
        var continuations: [Int: AsyncStream<MQTTClient.Event>.Continuation] = [:]
    }

    private let state = Mutex(State())

    func makeStream() -> AsyncStream<MQTTClient.Event> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: MQTTClient.Event.self, bufferingPolicy: .bufferingNewest(64))
        let number = state.withLock { state in
            state.nextNumber += 1
            state.continuations[state.nextNumber] = continuation
            return state.nextNumber
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.continuations.removeValue(forKey: number) }
        }
        return stream
    }

    func send(_ event: MQTTClient.Event) {
        let continuations = state.withLock { Array($0.continuations.values) }
        for continuation in continuations { continuation.yield(event) }
    }

    deinit {
        state.withLock { state in
            for continuation in state.continuations.values { continuation.finish() }
        }
    }
}
