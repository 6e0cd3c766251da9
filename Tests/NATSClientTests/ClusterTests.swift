import Foundation
import NATSClient
import NATSProtocol
import NATSServerKit
import NIOCore
import ProcessKit
import Testing

/// One after the other: each has three servers.
@Suite("NATS client: three servers", .serialized, .timeLimit(.minutes(2)))
struct ClusterTests {
    private var log: StreamConfiguration {
        var stream = StreamConfiguration(name: "LOG", subjects: ["log.>"])
        stream.replicas = 3
        return stream
    }

    @Test func aKilledLeaderLosesAndDoublesNothing() async throws {
        let cluster = try await NATSCluster()
        let starter = try await NATSClient.connected(.of(cluster))
        guard case .created(let info) = try await starter.checkStream(log) else {
            Issue.record("the stream was there")
            return
        }
        let leader = try cluster.server(named: try #require(info.cluster?.leader))
        let place = try #require(cluster.servers.firstIndex { $0 === leader })
        // Connected to the leader, so that its end is also that of the connection; the reader is not.
        let client = try await NATSClient.connected(.of(cluster, first: place))
        let reader = try await NATSClient.connected(.of(cluster, first: (place + 1) % 3))
        let followed = FollowedStream()
        await followed.start(reader, .init(stream: "LOG"))
        let progress = await client.perform { PersistentStorer.start($0, count: 3000) }
        for await stored in progress where stored == 1000 {
            try await leader.stop()
        }
        let messages = await followed.messages.first(3000)
        #expect(messages.map(\.text) == (0..<3000).map { "\($0)" })
        #expect(messages.map(\.sequence) == messages.map(\.sequence).sorted())
        // Asks until there is somebody to answer: the servers elect a leader of the cluster, too.
        guard case .asWanted(let last) = try await reader.checkStream(log) else {
            Issue.record("the stream is not as it was")
            return
        }
        #expect(last.state.messages == 3000)
        for client in [starter, client, reader] { await client.close() }
    }

    @Test func ofThreeWhoNameOneRevisionOneWins() async throws {
        let cluster = try await NATSCluster()
        var clients: [NATSClient] = []
        for place in 0..<3 { clients.append(try await NATSClient.connected(.of(cluster, first: place))) }
        var options = KeyValueBucket.Options(name: "B")
        options.replicas = 3
        _ = try await clients[0].checkStream(options.stream)
        let winners = try await withThrowingTaskGroup(of: [Int: String].self) { group in
            for (number, client) in clients.enumerated() {
                group.addTask {
                    try await withThrowingTaskGroup(of: (Int, StoreOutcome).self) { updates in
                        for key in 0..<200 {
                            updates.addTask { (key, await client.update("k.\(key)", "\(number)", revision: 0)) }
                        }
                        return try await updates.reduce(into: [:]) { won, update in
                            if !update.1.isConflict {
                                _ = try update.1.get()
                                won[update.0] = "\(number)"
                            }
                        }
                    }
                }
            }
            return try await group.reduce(into: [[Int: String]]()) { $0.append($1) }
        }
        #expect(winners.map(\.count).reduce(0, +) == 200)
        let byKey = winners.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
        #expect(byKey.count == 200)
        let (entries, continuation) = AsyncStream.makeStream(of: KeyValueEntry.self)
        await clients[0].watch { continuation.yield($0) }
        for entry in await entries.first(200) {
            let key = try #require(Int(entry.key.description.dropFirst(2)))
            #expect(String(buffer: entry.value) == byKey[key])
        }
        for client in clients { await client.close() }
    }

    /// The leader has not always forgotten of a write that it acknowledged when the next one comes.
    @Test func theOnlyWriterOfAKeyNeverMeetsAConflict() async throws {
        let cluster = try await NATSCluster()
        let client = try await NATSClient.connected(.of(cluster))
        var options = KeyValueBucket.Options(name: "B")
        options.replicas = 3
        _ = try await client.checkStream(options.stream)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in 0..<20 {
                group.addTask {
                    var revision: UInt64 = 0
                    for value in 0..<50 {
                        revision = try await client.update("k.\(key)", "\(value)", revision: revision).get().sequence
                    }
                }
            }
            try await group.waitForAll()
        }
        await client.close()
    }

    @Test func aServerThatIsAskedToLeaveIsLeft() async throws {
        let cluster = try await NATSCluster()
        // Only this address: the others are learned.
        let client = try await NATSClient.connected(.of(cluster.urls[0]))
        let messages = try await client.messages("a")
        let events = await client.events()
        try cluster.servers[0].process.signal(SIGUSR2)
        let seen = await events.first(3)
        #expect(seen[0] == .lameDuck)
        #expect(seen[1] == .disconnected(.lameDuck))
        guard case .connected(let address, _) = seen[2] else {
            Issue.record("\(seen)")
            return
        }
        #expect(cluster.urls[1...].contains(address.description))
        try await client.publish(ByteBuffer("1"), to: "a")
        #expect(await messages.first(1).count == 1)
        await client.close()
    }
}

/// Stores numbers in their order, each once, through whatever happens to connection and leader: after an outcome that is
/// not `stored` it waits until all that are under way are answered, and starts again with the first that is missing.
final class PersistentStorer {
    private let connection: NATSConnection
    private let count: UInt64
    private let progress: AsyncStream<Int>.Continuation
    private var publisher: StreamPublisher?
    private var next: UInt64 = 0
    private var isStored: Set<UInt64> = []
    private var isRetrying = false

    /// The numbers that are stored so far, once for each; it ends with the last one.
    static func start(_ connection: NATSConnection, count: UInt64) -> AsyncStream<Int> {
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
        let storer = PersistentStorer(connection, count: count, progress: continuation)
        storer.publisher = StreamPublisher(connection, window: 100, timeout: .seconds(2)) { storer.ended($0, $1) }
        storer.publishMore()
        return stream
    }

    private init(_ connection: NATSConnection, count: UInt64, progress: AsyncStream<Int>.Continuation) {
        self.connection = connection
        self.count = count
        self.progress = progress
    }

    private func publishMore() {
        guard let publisher, !isRetrying else { return }
        while next < count, publisher.hasRoom {
            var headers = HeaderBlock()
            headers.append("Nats-Msg-Id", next)
            guard publisher.publish(ByteBuffer("\(next)"), to: "log.a", headers: headers, tag: next) == nil else {
                isRetrying = true
                return retryIfIdle()
            }
            next += 1
        }
    }

    private func ended(_ number: UInt64, _ outcome: StoreOutcome) {
        if case .stored = outcome {
            if isStored.insert(number).inserted { progress.yield(isStored.count) }
        } else {
            isRetrying = true
        }
        if isStored.count == Int(count) {
            progress.finish()
            publisher = nil
        } else if isRetrying {
            retryIfIdle()
        } else {
            publishMore()
        }
    }

    private func retryIfIdle() {
        guard publisher?.underWay == 0 else { return }
        connection.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(50)) {
            self.isRetrying = false
            self.next = (0..<self.count).first { !self.isStored.contains($0) } ?? self.count
            self.publishMore()
        }
    }
}
