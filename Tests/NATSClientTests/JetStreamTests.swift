import NATSClient
import NATSProtocol
import NATSServerKit
import NIOCore
import Testing

@Suite("NATS client: JetStream on one server", .timeLimit(.minutes(1)))
struct JetStreamTests {
    @Test func aStreamIsMadeOnceAndChecked() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        var wanted = StreamConfiguration(name: "LOG", subjects: ["log.>"])
        wanted.maximumAge = .seconds(3600)
        guard case .created = try await client.checkStream(wanted) else { throw Unexpected() }
        guard case .asWanted(let info) = try await client.checkStream(wanted) else { throw Unexpected() }
        #expect(info.config == wanted)
        wanted.maximumAge = .seconds(60)
        wanted.duplicateWindow = .seconds(60)
        wanted.maximumBytes = 1 << 20
        guard case .differs(_, let settings) = try await client.checkStream(wanted) else { throw Unexpected() }
        #expect(settings == ["max_bytes", "max_age", "duplicate_window"])
        #expect(try await client.updateStream(wanted).config == wanted)
        try await client.deleteStream("LOG")
        await #expect {
            try await client.streamInfo("LOG")
        } throws: { error in
            guard case .refused(let reason) = error as? NATSError else { return false }
            return reason.errorCode == JetStreamError.streamNotFound
        }
        await client.close()
    }

    struct Unexpected: Error {}

    @Test func storingHasConditions() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        try await client.createStream(StreamConfiguration(name: "LOG", subjects: ["log.>"]))
        let first = try await client.store(ByteBuffer("1"), to: "log.a", conditions: .init(messageID: "m1"))
        #expect(first == PublishAcknowledgement(sequence: 1, isDuplicate: false))
        let again = try await client.store(ByteBuffer("1"), to: "log.a", conditions: .init(messageID: "m1"))
        #expect(again == PublishAcknowledgement(sequence: 1, isDuplicate: true))
        _ = try await client.store(ByteBuffer("2"), to: "log.a", conditions: .init(lastSubjectSequence: 1))
        for conditions in [StoreConditions(lastSubjectSequence: 1), StoreConditions(lastSequence: 1)] {
            await #expect {
                try await client.store(ByteBuffer("3"), to: "log.a", conditions: conditions)
            } throws: { error in
                guard case .conflict = error as? NATSError else { return false }
                return true
            }
        }
        await #expect(throws: NATSError.noResponders) { try await client.store(ByteBuffer(), to: "elsewhere") }
        await client.close()
    }

    @Test func messagesAreReadDirectlyAndPurged() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        try await client.createStream(StreamConfiguration(name: "LOG", subjects: ["log.>"]))
        for text in ["1", "2", "3"] { try await client.store(ByteBuffer(text), to: "log.a") }
        try await client.store(ByteBuffer("4"), to: "log.b")
        let last = try #require(try await client.directGet(stream: "LOG", .last("log.a")))
        #expect(last.sequence == 3)
        #expect(last.subject == "log.a")
        #expect(last.payload == ByteBuffer("3"))
        #expect(try await client.directGet(stream: "LOG", .sequence(2))?.payload == ByteBuffer("2"))
        #expect(try await client.directGet(stream: "LOG", .last("log.c")) == nil)
        #expect(try await client.directGet(stream: "LOG", .sequence(99)) == nil)
        #expect(try await client.purgeStream("LOG", filter: "log.a", below: 3) == 2)
        #expect(try await client.purgeStream("LOG") == 2)
        await client.close()
    }

    @Test func aWindowOfMessagesIsStoredInOrder() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        try await client.createStream(StreamConfiguration(name: "LOG", subjects: ["log.>"]))
        let (outcomes, continuation) = AsyncStream.makeStream(of: (UInt64, StoreOutcome).self)
        // The connection holds the publisher only while something is under way.
        let refusal = await client.perform { connection in
            let publisher = StreamPublisher(connection, window: 100) { continuation.yield(($0, $1)) }
            for tag in 0..<100 as Range<UInt64> {
                _ = publisher.publish(ByteBuffer(integer: tag), to: "log.a", tag: tag)
            }
            return publisher.publish(ByteBuffer(), to: "log.a", tag: 100)
        }
        #expect(refusal == .tooManyRequests)
        let all = await outcomes.first(100)
        #expect(all.allSatisfy { $0.1 == .stored(.init(sequence: $0.0 + 1, isDuplicate: false)) })
        await client.close()
    }

    @Test func anOrderedConsumerGetsWhatIsThereAndWhatComes() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        try await client.createStream(StreamConfiguration(name: "LOG", subjects: ["log.>"]))
        for number in 1...20 { try await client.store(ByteBuffer("\(number)"), to: "log.a") }
        let (all, tail) = (FollowedStream(), FollowedStream())
        await all.start(client, .init(stream: "LOG"))
        var options = OrderedConsumer.Options(stream: "LOG")
        options.start = .after(18)
        options.filters = ["log.a", "log.c"]
        await tail.start(client, options)
        for number in 21...40 { try await client.store(ByteBuffer("\(number)"), to: "log.a") }
        #expect(await all.messages.first(40) == (1...40).map { .init(sequence: $0, text: "\($0)") })
        #expect(await tail.messages.first(22) == (19...40).map { .init(sequence: $0, text: "\($0)") })
        await client.close()
    }

    @Test func aConsumerThatIsGoneIsMadeAgain() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        try await client.createStream(StreamConfiguration(name: "LOG", subjects: ["log.>"]))
        var options = OrderedConsumer.Options(stream: "LOG")
        options.heartbeat = .milliseconds(100)
        let followed = FollowedStream()
        await followed.start(client, options)
        try await client.store(ByteBuffer("1"), to: "log.a")
        #expect(await followed.messages.first(1).map(\.text) == ["1"])
        struct Names: Decodable {
            var consumers: [String]
        }
        struct Success: Decodable {
            var success: Bool
        }
        let name = try #require(try await client.askJetStream("CONSUMER.NAMES.LOG", for: Names.self).consumers.first)
        _ = try await client.askJetStream("CONSUMER.DELETE.LOG.\(name)", for: Success.self)
        for number in 2...5 { try await client.store(ByteBuffer("\(number)"), to: "log.a") }
        #expect(await followed.messages.first(4).map(\.text) == ["2", "3", "4", "5"])
        await client.close()
    }
}

/// An ordered consumer, and what it was given.
struct FollowedStream: Sendable {
    struct Message: Equatable, Sendable {
        var sequence: UInt64
        var text: String
    }

    let messages: AsyncStream<Message>
    let events: AsyncStream<OrderedConsumerMachine.Event>
    private let messageContinuation: AsyncStream<Message>.Continuation
    private let eventContinuation: AsyncStream<OrderedConsumerMachine.Event>.Continuation

    init() {
        (messages, messageContinuation) = AsyncStream.makeStream(of: Message.self)
        (events, eventContinuation) = AsyncStream.makeStream(of: OrderedConsumerMachine.Event.self)
    }

    /// Follows until the client goes.
    func start(_ client: NATSClient, _ options: OrderedConsumer.Options) async {
        await client.perform { connection in
            let consumer = OrderedConsumer(
                connection, options, eventHandler: { [eventContinuation] in eventContinuation.yield($0) },
                handler: { [messageContinuation] message, delivery in
                    messageContinuation.yield(
                        Message(sequence: delivery.streamSequence, text: String(buffer: message.payload)))
                })
            consumer.start()
            // Keeps the consumer as long as the connection.
            _ = connection.addObserver { _ in withExtendedLifetime(consumer) {} }
        }
    }
}
