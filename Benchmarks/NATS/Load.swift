import NATSClient
import NATSProtocol
import NIOCore

/// What the clients do while they are measured. Each answers with the number of messages.
enum Load {
    /// Publishes as fast as the server takes it, and waits until the subscriber has all.
    static func core(from client: NATSClient, to other: NATSClient, _ body: ByteBuffer, count: Int) async -> Int {
        _ = await other.flush()
        return await withCheckedContinuation { continuation in
            Task {
                await other.perform { connection in
                    var received = 0
                    _ = connection.subscribe("bench.core") { _ in
                        received += 1
                        if received == count { continuation.resume(returning: count) }
                    }
                }
                // The other server has told this one of the subscription when a request through both is answered.
                _ = await other.subscribe("bench.probe") { message in
                    guard let reply = message.reply else { return }
                    Task { try await other.publish(ByteBuffer(), to: reply) }
                }
                while (try? await client.request(ByteBuffer(), to: "bench.probe")) == nil {}
                await client.perform { Publishing($0, body, count: count).go() }
            }
        }
    }

    static func store(
        _ client: NATSClient, _ body: ByteBuffer, count: Int, window: Int, isUpdate: Bool
    ) async -> Int {
        await client.call { connection, done in
            Storing(connection, body, count: count, window: window, isUpdate: isUpdate) { done(count) }.go()
        }
    }

    /// Reads a stream from its beginning to its end.
    static func follow(_ client: NATSClient, stream: String) async -> Int {
        await client.call { connection, done in
            var count = 0
            var consumer: OrderedConsumer?
            consumer = OrderedConsumer(
                connection, .init(stream: stream),
                eventHandler: { event in
                    guard event == .caughtUp else { return }
                    consumer?.stop()
                    consumer = nil
                    done(count)
                },
                handler: { _, _ in count += 1 })
            consumer?.start()
        }
    }
}

/// Publishes in batches, a few of which are under way.
private final class Publishing {
    private let connection: NATSConnection
    private let body: ByteBuffer
    private var left: Int

    init(_ connection: NATSConnection, _ body: ByteBuffer, count: Int) {
        self.connection = connection
        self.body = body
        left = count
    }

    func go() {
        for _ in 0..<4 { publishBatch() }
    }

    private func publishBatch() {
        let count = min(left, 2000)
        guard count > 0 else { return }
        left -= count
        for _ in 0..<count { connection.publish(body, to: "bench.core") }
        connection.flush { _ in self.publishBatch() }
    }
}

/// Keeps a window of messages under way.
private final class Storing {
    private let body: ByteBuffer
    private let window: Int
    private let isUpdate: Bool
    private let connection: NATSConnection
    private var publisher: StreamPublisher?
    private var left: Int
    private var unanswered: Int
    private let completion: () -> Void
    private var revisions: [UInt64]
    private let keys: [Subject]

    init(
        _ connection: NATSConnection, _ body: ByteBuffer, count: Int, window: Int, isUpdate: Bool,
        completion: @escaping () -> Void
    ) {
        self.connection = connection
        self.body = body
        self.window = window
        self.isUpdate = isUpdate
        self.completion = completion
        (left, unanswered) = (count, count)
        revisions = Array(repeating: 0, count: window)
        keys = (0..<window).map { Subject(unchecked: Array("$KV.B.w\(window).k\($0)".utf8)) }
    }

    func go() {
        publisher = StreamPublisher(connection, window: window) { self.ended(Int($0), $1) }
        for slot in 0..<min(window, left) { publish(slot) }
    }

    private func publish(_ slot: Int) {
        guard left > 0 else { return }
        left -= 1
        var headers = HeaderBlock()
        if isUpdate {
            headers.append("Nats-Expected-Last-Subject-Sequence", revisions[slot])
        } else {
            headers.append("Nats-Msg-Id", UInt64(left) << 16 | UInt64(window))
        }
        let subject = isUpdate ? keys[slot] : "log.bench"
        let reason = publisher?.publish(body, to: subject, headers: headers, tag: UInt64(slot))
        precondition(reason == nil, "the connection has to take what the window allows")
    }

    private func ended(_ slot: Int, _ outcome: StoreOutcome) {
        if case .conflict(let error) = outcome, error.isInFlight {
            left += 1
            return publish(slot)
        }
        guard case .stored(let acknowledgement) = outcome, !acknowledgement.isDuplicate else {
            preconditionFailure("has to be stored: \(outcome)")
        }
        revisions[slot] = acknowledgement.sequence
        unanswered -= 1
        if unanswered == 0 {
            publisher = nil
            completion()
        } else {
            publish(slot)
        }
    }
}
