import NATSClient
import NATSProtocol
import NATSServerKit
import NIOCore
import Testing

@Suite("NATS client: keys and values", .timeLimit(.minutes(1)))
struct KeyValueTests {
    /// A connected client and a bucket B with markers.
    private func bucket(_ server: NATSServer) async throws -> NATSClient {
        let client = try await NATSClient.connected(.of(server.url))
        var options = KeyValueBucket.Options(name: "B")
        options.markerTTL = .seconds(60)
        try await client.createStream(options.stream)
        return client
    }

    @Test func anUpdateNamesTheRevisionItReplaces() async throws {
        let server = try await NATSServer()
        let client = try await bucket(server)
        let first = try await client.update("k", "1", revision: 0).get()
        #expect(await client.update("k", "2", revision: 0).isConflict)
        let second = try await client.update("k", "2", revision: first.sequence).get()
        #expect(await client.update("k", "3", revision: first.sequence).isConflict)
        let entry = try #require(try await client.entry("k"))
        #expect(entry.revision == second.sequence)
        #expect(entry.value == ByteBuffer("2"))
        #expect(entry.key == "k")
        #expect(try await client.entry("other") == nil)
        await client.close()
    }

    @Test func aMarkerIsNoValueAndCanBeReplaced() async throws {
        let server = try await NATSServer()
        let client = try await bucket(server)
        _ = try await client.create("k", "1").get()
        #expect(await client.create("k", "2").isConflict)
        _ = try await client.call { connection, done in
            KeyValueBucket(connection, name: "B").delete("k") { done($0) }
        }.get()
        let marker = try #require(try await client.entry("k"))
        #expect(marker.operation == .delete)
        #expect(marker.isMarker)
        _ = try await client.create("k", "3").get()
        _ = try await client.call { connection, done in
            KeyValueBucket(connection, name: "B").purge("k", markerTTL: .seconds(5)) { done($0) }
        }.get()
        #expect(try await client.entry("k")?.operation == .purge)
        await client.close()
    }

    @Test func aTimeToLiveEndsInAMarkerThatCanBeClaimed() async throws {
        let server = try await NATSServer()
        let client = try await bucket(server)
        let (entries, continuation) = AsyncStream.makeStream(of: KeyValueEntry.self)
        await client.watch { continuation.yield($0) }
        _ = try await client.call { connection, done in
            KeyValueBucket(connection, name: "B").update(
                ByteBuffer("1"), for: "k", revision: 0, timeToLive: .seconds(1)
            ) { done($0) }
        }.get()
        let seen = await entries.first(2)
        #expect(seen.map(\.operation) == [.put, .expired])
        #expect(await client.update("k", "2", revision: seen[0].revision).isConflict)
        _ = try await client.update("k", "2", revision: seen[1].revision).get()
        await client.close()
    }

    @Test func aWatchBeginsWithWhatIsThere() async throws {
        let server = try await NATSServer()
        let client = try await bucket(server)
        for number in 0..<30 { _ = try await client.update("a.\(number % 10)", "\(number)").get() }
        let (entries, continuation) = AsyncStream.makeStream(of: KeyValueEntry?.self)
        await client.watch("a.*", eventHandler: { if $0 == .caughtUp { continuation.yield(nil) } }) {
            continuation.yield($0)
        }
        let there = await entries.first(11)
        #expect(there.last == .some(nil))
        #expect(there.compactMap { $0.map { String(buffer: $0.value) } } == (20..<30).map { "\($0)" })
        _ = try await client.update("a.x", "new").get()
        #expect(await entries.first(1).map { $0?.key } == ["a.x"])
        await client.close()
    }
}

extension StoreOutcome {
    var isConflict: Bool {
        if case .conflict = self { true } else { false }
    }

    func get() throws -> PublishAcknowledgement {
        guard case .stored(let acknowledgement) = self else { throw NotStored(outcome: self) }
        return acknowledgement
    }

    struct NotStored: Error {
        var outcome: StoreOutcome
    }
}

/// The bucket B, for code that waits.
extension NATSClient {
    func update(_ key: String, _ value: String, revision: UInt64? = nil) async -> StoreOutcome {
        await call { connection, done in
            let bucket = KeyValueBucket(connection, name: "B")
            let key = Subject(unchecked: Array(key.utf8))
            if let revision {
                bucket.update(ByteBuffer(value), for: key, revision: revision) { done($0) }
            } else {
                bucket.put(ByteBuffer(value), for: key) { done($0) }
            }
        }
    }

    func create(_ key: Subject, _ value: String) async -> StoreOutcome {
        await call { connection, done in
            KeyValueBucket(connection, name: "B").create(ByteBuffer(value), for: key) { done($0) }
        }
    }

    func entry(_ key: Subject) async throws -> KeyValueEntry? {
        let result: Result<KeyValueEntry?, NATSError> = await call { connection, done in
            KeyValueBucket(connection, name: "B").get(key) { done($0) }
        }
        return try result.get()
    }

    /// Watches until the client goes.
    func watch(
        _ filter: SubjectFilter = ">",
        eventHandler: @escaping @Sendable (OrderedConsumerMachine.Event) -> Void = { _ in },
        handler: @escaping @Sendable (KeyValueEntry) -> Void
    ) {
        let consumer = KeyValueBucket(connection, name: "B").watch(
            filter, eventHandler: eventHandler, handler: handler)
        _ = connection.addObserver { _ in withExtendedLifetime(consumer) {} }
    }
}
