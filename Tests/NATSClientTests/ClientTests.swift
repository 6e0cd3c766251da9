import NATSClient
import NATSProtocol
import NATSServerKit
import NIOCore
import Testing

@Suite("NATS client", .timeLimit(.minutes(1)))
struct ClientTests {
    @Test func messagesReachTheirSubscriptions() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        let words = try await client.messages("a.*")
        let all = try await client.messages("a.>")
        var headers = HeaderBlock()
        try headers.append("Name", "value")
        try await client.publish(ByteBuffer("1"), to: "a.b", reply: "r")
        try await client.publish(ByteBuffer("2"), to: "a.b.c", headers: headers)
        try await client.publish(ByteBuffer(), to: "a.d")
        let first = await words.first(2)
        #expect(first.map { String(buffer: $0.payload) } == ["1", ""])
        #expect(first[0].subject == "a.b")
        #expect(first[0].reply == "r")
        #expect(first[0].headers == nil)
        let second = await all.first(2)[1]
        #expect(second.headers?["Name"] == "value")
        #expect(second.reply == nil)
        await client.close()
    }

    @Test func longSubjectsAndLargePayloadsPass() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        let subject = try #require(Subject(String(repeating: "x", count: Subject.maximumLength)))
        let messages = try await client.messages(SubjectFilter(subject))
        let payload = ByteBuffer(repeating: 7, count: 3 << 20)
        try await client.publish(payload, to: subject)
        #expect(await messages.first(1)[0].payload == payload)
        let maximum = try #require(await client.perform { $0.info?.maximumPayload })
        await #expect(throws: NATSError.notSent(.payloadTooLarge)) {
            try await client.publish(ByteBuffer(repeating: 7, count: maximum + 1), to: "a")
        }
        await client.close()
    }

    @Test func aRequestHasOneAnswer() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        _ = await client.subscribe("echo") { [eventLoop = client.eventLoop] message in
            eventLoop.preconditionInEventLoop()
            guard let reply = message.reply else { return }
            Task { try await client.publish(message.payload, to: reply) }
        }
        let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<50 {
                group.addTask {
                    let answer = try await client.request(ByteBuffer("\(number)"), to: "echo")
                    return (number, String(buffer: answer.payload))
                }
            }
            return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
        }
        #expect(answers.count == 50)
        #expect(answers.allSatisfy { "\($0.key)" == $0.value })
        await client.close()
    }

    @Test func aRequestWithoutAnAnswerIsToldApart() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        await #expect(throws: NATSError.noResponders) { try await client.request(ByteBuffer(), to: "nobody") }
        _ = await client.subscribe("silent") { _ in }
        await #expect(throws: NATSError.unknown(.timedOut)) {
            try await client.request(ByteBuffer(), to: "silent", timeout: .milliseconds(20))
        }
        async let lost: NATSError? = {
            do throws(NATSError) { _ = try await client.request(ByteBuffer(), to: "silent") } catch { return error }
            return nil
        }()
        _ = await client.flush()
        try await server.stop()
        #expect(await lost == .unknown(.connectionLost))
        await #expect(throws: NATSError.notSent(.notConnected)) { try await client.request(ByteBuffer(), to: "silent") }
        await client.close()
    }

    @Test func aQueueGroupSharesMessages() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
        for member in 0..<3 { _ = await client.subscribe("q", queueGroup: "g") { _ in continuation.yield(member) } }
        for _ in 0..<100 { try await client.publish(ByteBuffer(), to: "q") }
        try #require(await client.flush())
        continuation.finish()
        #expect(await stream.first(101).count == 100)
        await client.close()
    }

    @Test func nothingComesAfterUnsubscribe() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        let id = try #require(await client.subscribe("a") { continuation.yield(String(buffer: $0.payload)) })
        try await client.publish(ByteBuffer("1"), to: "a")
        await client.flush()
        await client.unsubscribe(id)
        try await client.publish(ByteBuffer("2"), to: "a")
        await client.flush()
        continuation.finish()
        #expect(await stream.first(2) == ["1"])
        await client.close()
    }

    @Test func whatDoesNotLeaveIsBounded() async throws {
        let server = try await NATSServer()
        var options = NATSOptions.of(server.url)
        options.maximumPendingBytes = 1000
        let client = try await NATSClient.connected(options)
        let answers = await client.perform { connection in
            (0..<3).map { _ in connection.publish(ByteBuffer(repeating: 1, count: 400), to: "a") }
        }
        #expect(answers == [.accepted, .accepted, .refused(.bufferFull)])
        try #require(await client.flush())
        #expect(await client.perform { $0.publish(ByteBuffer(repeating: 1, count: 400), to: "a") } == .accepted)
        #expect(await client.perform { $0.counters.bufferFull } == 1)
        await client.close()
    }
}
