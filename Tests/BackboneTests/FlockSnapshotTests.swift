import Backbone
import BackboneNATS
import Flock
import MQTTModel
import NATSClient
import NATSProtocol
import NATSServerKit
import NIOCore
import Synchronization
import Testing

/// The log of a flock is shortened, and a start begins with a snapshot: over a real server.
@Suite("Snapshots over NATS", .timeLimit(.minutes(3)))
struct FlockSnapshotTests {
    private static func frequent(_ options: inout FlockOptions) {
        options.snapshotInterval = 100_000
        options.snapshotChunkBytes = 1_000
        options.purgeDelay = .zero
        options.snapshotRetryDelay = .zero
        options.beatInterval = .milliseconds(20)
    }

    private static func append(
        _ topic: String, bytes: Int = 1_000, isRetained: Bool = false, isKept: Bool = true
    ) -> BackboneCommand {
        let message = ApplicationMessage(
            topic: topic, payload: [UInt8](repeating: 7, count: bytes), qos: .atLeastOnce, isRetained: isRetained)
        var append = LogAppend(message: message, publisher: .none)
        append.isKept = isKept
        return .append(append)
    }

    private static func began(_ client: String, filter: String = "t/#") -> BackboneCommand {
        .store([
            .began(clientIdentifier: client), .connected(clientIdentifier: client, expiryInterval: .max, will: nil),
            .subscribed(
                clientIdentifier: client, filter: filter, options: SubscriptionOptions(maximumQoS: .atLeastOnce),
                identifier: 0, since: 0, messagesWait: false),
        ])
    }

    /// A second client of the server, to look at the streams.
    private static func client(_ server: NATSServer) async throws -> NATSClient {
        let client = await NATSClient(NATSOptions(servers: [try #require(ServerAddress(server.url))]))
        try await client.connect()
        return client
    }

    /// Waits until a stream is as it should be.
    private static func wait(
        _ client: NATSClient, for name: String, _ isThere: (StreamInfo.State) -> Bool
    ) async throws {
        while true {
            if isThere(try await client.streamInfo(name).state) { return }
            await Task.yield()
        }
    }

    /// Messages until the log has been shortened, a few at a time.
    private static func publish(
        _ engine: NATSEngine, _ client: NATSClient, until isEnough: (StreamInfo.State) -> Bool,
        _ commands: () -> [BackboneCommand], onAnswer: (Answer) -> Void = { _ in }
    ) async throws {
        while !isEnough(try await client.streamInfo("DUNLIN").state) {
            for answer in await engine.perform(commands()) { onAnswer(answer) }
        }
    }

    @Test("P1, P4: a start has everything from a snapshot and what came after it")
    func aStartReadsASnapshotAndTheRest() async throws {
        let server = try await NATSServer()
        let engine = try await NATSEngine(server, Self.frequent)
        try await engine.start()
        let client = try await Self.client(server)
        _ = await engine.perform([Self.began("x"), Self.append("r/1", isRetained: true), Self.append("t/first")])
        var position: LogSequence = 0
        try await Self.publish(engine, client, until: { $0.firstSequence > 2 }) {
            [Self.append("other"), Self.append("r/2", isRetained: true), .trim(shard: 0, through: .max)]
                + (position == 0 ? [] : [.store([.advanced(clientIdentifier: "x", through: position)])])
        } onAnswer: {
            position = max(position, $0.entry?.sequence ?? 0)
        }
        let last = await engine.perform([Self.append("t/last"), Self.append("r/3", isRetained: true)])
        #expect(last.map(\.outcome) == [.done, .done])
        engine.stop()

        let again = try await NATSEngine(server, incarnation: 2, Self.frequent)
        let restored = try await again.start()
        #expect(restored.sessions.map(\.clientIdentifier) == ["x"])
        #expect(restored.sessions.first?.subscriptions.map(\.filter) == ["t/#"])
        #expect(restored.retained.map(\.topicString).sorted() == ["r/1", "r/2", "r/3"])
        #expect(restored.entries.map { $0.message.topicString }.contains("t/last"))
        #expect(!restored.entries.map { $0.message.topicString }.contains("t/first"))
        again.stop()
        await client.close()
    }

    /// P1: what an absent session has not had stays in the log.
    @Test func aSessionThatIsAwayHoldsTheLog() async throws {
        let server = try await NATSServer()
        let engine = try await NATSEngine(server, Self.frequent)
        try await engine.start()
        let client = try await Self.client(server)
        // The log goes up to the first message that it wants.
        _ = await engine.perform([Self.append("other"), Self.append("other"), Self.began("x")])
        let wanted = await engine.perform([Self.append("t/wanted")])
        let sequence = try #require(wanted.first?.entry?.sequence)
        let before = sequence.stream
        try await Self.publish(engine, client, until: { $0.firstSequence == before }) {
            [Self.append("other"), .trim(shard: 0, through: .max)]
        }
        for _ in 0..<300 { _ = await engine.perform([Self.append("other"), .trim(shard: 0, through: .max)]) }
        #expect(try await client.streamInfo("DUNLIN").state.firstSequence == before)
        let found = await engine.perform([.fetch([sequence])])
        #expect(found.first?.found?.map { $0.message.topicString } == ["t/wanted"])
        engine.stop()
        await client.close()
    }

    /// A writer was killed while it wrote.
    @Test func aSnapshotThatIsNotCompleteIsNotUsedAndGoesAway() async throws {
        let server = try await NATSServer()
        let first = try await NATSEngine(server, Self.frequent)
        try await first.start()
        _ = await first.perform([Self.began("x")])
        first.stop()
        let client = try await Self.client(server)
        for number in 0..<5 {
            try await client.store(ByteBuffer(bytes: [1, 2, 3, UInt8(number)]), to: "dunlin.state.chunk.dead-7")
        }
        let engine = try await NATSEngine(server, incarnation: 2, Self.frequent)
        #expect(try await engine.start().sessions.count == 1)
        try await Self.publish(engine, client, until: { $0.firstSequence > 1 }) {
            [Self.append("other"), .trim(shard: 0, through: .max)]
        }
        try await Self.wait(client, for: "DUNLIN_STATE") { $0.firstSequence > 5 }
        engine.stop()
        await client.close()
    }

    /// A hole would be a message that was acknowledged and reaches nobody.
    @Test func aStartWithAHoleInTheLogFails() async throws {
        let server = try await NATSServer()
        let first = try await NATSEngine(server)
        try await first.start()
        _ = await first.perform([Self.began("x")])
        first.stop()
        let client = try await Self.client(server)
        try await client.purgeStream("DUNLIN", below: 3)
        let engine = try await NATSEngine(server, incarnation: 2) { $0.startTimeout = .milliseconds(300) }
        await #expect(throws: FlockError.self) { try await engine.start() }
        engine.stop()
        await client.close()
    }

    // MARK: Bounds

    @Test("P7: a full log makes room by what nobody needs")
    func aFullLogForgetsWhatNobodyNeeds() async throws {
        let server = try await NATSServer()
        let engine = try await NATSEngine(server) { options in
            Self.frequent(&options)
            options.maximumLogBytes = 300_000
        }
        try await engine.start()
        var stored = 0
        while stored < 1_000 {
            let answers = await engine.perform([Self.append("t", isKept: false), .trim(shard: 0, through: .max)])
            #expect(answers[0].outcome == .done || answers[0].outcome == .full)
            if answers[0].outcome == .done { stored += 1 }
        }
        #expect(engine.dropped.withLock { $0 } == 0)
        engine.stop()
    }

    @Test("P7: a full log that is held by an absent session drops its oldest messages, and says so")
    func aFullLogDropsTheOldest() async throws {
        let server = try await NATSServer()
        let engine = try await NATSEngine(server) { options in
            Self.frequent(&options)
            options.maximumLogBytes = 300_000
        }
        try await engine.start()
        _ = await engine.perform([Self.began("x")])
        var stored = 0
        while stored < 1_000 {
            let answers = await engine.perform([Self.append("t/1"), .trim(shard: 0, through: .max)])
            if answers[0].outcome == .done { stored += 1 }
        }
        #expect(engine.dropped.withLock { $0 } > 0)
        engine.stop()
    }

    @Test("P7: what is held for absent sessions has a bound of its own")
    func whatIsHeldHasABound() async throws {
        let server = try await NATSServer()
        let engine = try await NATSEngine(server) { options in
            Self.frequent(&options)
            options.held.bytes = 300_000
        }
        try await engine.start()
        let client = try await Self.client(server)
        _ = await engine.perform([Self.began("x")])
        let first = await engine.perform([Self.append("t/first")])
        let sequence = try #require(first.first?.entry?.sequence)
        try await Self.publish(engine, client, until: { $0.firstSequence > sequence.stream }) {
            [Self.append("t/1"), .trim(shard: 0, through: .max)]
        }
        #expect(engine.dropped.withLock { $0 } >= sequence)
        let found = await engine.perform([.fetch([sequence])])
        #expect(found.map(\.outcome) == [.done])
        #expect(found.first?.found?.isEmpty == true)
        let figures = engine.backbone.report.figures
        #expect(figures.first { $0.name == "log_dropped_messages_total" }?.value ?? 0 > 0)
        engine.stop()
        await client.close()
    }
}
