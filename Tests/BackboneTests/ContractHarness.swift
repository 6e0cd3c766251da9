import Backbone
import BackboneNATS
import BackboneSQLite
import Flock
import Foundation
import MQTTModel
import NATSClient
import NATSProtocol
import NATSServerKit
import Synchronization
import Testing

/// How an engine was driven: the commands' answers in the order in which they came, each with what every shard was told
/// before it.
struct Answer: Sendable {
    let token: UInt64
    let outcome: BackboneOutcome
    let entry: LogEntry?
    let found: [LogEntry]?
    var taken: TakenSessions?
}

/// An engine under the contract: it takes commands and gives every answer.
protocol ContractEngine: AnyObject {
    /// Submits the commands at once and returns when all are answered.
    func perform(_ commands: [BackboneCommand]) async -> [Answer]
    func stop()
}

enum EngineKind: CaseIterable, CustomTestStringConvertible {
    case inMemory
    case sqlite
    /// Over a nats-server of its own.
    case nats

    var testDescription: String {
        switch self {
        case .inMemory: "InMemoryBackbone"
        case .sqlite: "SQLiteBackbone"
        case .nats: "NATSBackbone"
        }
    }

    func make() async throws -> any ContractEngine {
        switch self {
        case .inMemory: InMemoryEngine()
        case .sqlite: try SQLiteEngine()
        case .nats: try await NATSEngine.started(on: NATSServer())
        }
    }
}

final class InMemoryEngine: ContractEngine {
    private var backbone = InMemoryBackbone()
    private var nextToken: UInt64 = 0

    func perform(_ commands: [BackboneCommand]) -> [Answer] {
        commands.map { command in
            let execution = backbone.execute(command)
            defer { nextToken += 1 }
            return Answer(token: nextToken, outcome: execution.outcome, entry: execution.entry, found: execution.found)
        }
    }

    func stop() {}
}

final class SQLiteEngine: ContractEngine {
    private let directory = NSTemporaryDirectory() + "dunlin-contract-\(UUID().uuidString)"
    private let backbone: SQLiteBackbone
    private let answers = AnswerBox()
    private var nextToken: UInt64 = 0

    init() throws {
        var options = StoreOptions(directory: directory)
        options.durability = .os
        backbone = try SQLiteBackbone(options: options) { 1_000_000 }
        try backbone.start(onCommit: { [answers] in answers.add($0) })
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func perform(_ commands: [BackboneCommand]) -> [Answer] {
        for command in commands {
            backbone.submit(command, submitter: 0, token: BackboneToken(rawValue: nextToken))
            nextToken += 1
        }
        return answers.take(commands.count)
    }

    func stop() { backbone.stop() }
}

final class NATSEngine: ContractEngine, @unchecked Sendable {
    private let server: NATSServer
    let backbone: NATSBackbone
    private let answers = AnswerBox()
    private var nextToken: UInt64 = 0
    private var isStopped = false
    /// What the engine has told that it dropped.
    let dropped = Mutex<LogSequence>(0)

    /// - Parameter node: one of those that share the server's log.
    init(
        _ server: NATSServer, node: String = "n", incarnation: UInt64 = 1,
        _ configure: (inout FlockOptions) -> Void = { _ in }
    ) async throws {
        self.server = server
        var nats = NATSOptions(servers: [try #require(ServerAddress(server.url))])
        nats.isServerOrderRandom = false
        var options = FlockOptions(node: node, nats: nats)
        configure(&options)
        backbone = NATSBackbone(
            options: options, shardCount: 1, incarnation: incarnation, wallClock: { 1_000_000 },
            onFault: { Issue.record($0) })
    }

    static func started(on server: NATSServer) async throws -> NATSEngine {
        let engine = try await NATSEngine(server)
        try await engine.start()
        return engine
    }

    /// - Returns: what the engine has of earlier starts.
    @discardableResult
    func start() async throws -> Restored {
        let start: Result<Restored, any Error> = await offPool { [self] in
            Result {
                var restored = Restored()
                try backbone.restore {
                    restored.sessions.append($0)
                } retained: { message, _ in
                    restored.retained.append(message)
                } entry: { entry, _ in
                    restored.entries.append(entry)
                }
                try backbone.start(
                    onCommit: { [answers] in answers.add($0) },
                    // The engine would hold itself, and its server would never end.
                    onDropped: { [weak self] through in self?.dropped.withLock { $0 = through } }
                )
                return restored
            }
        }
        return try start.get()
    }

    struct Restored: Sendable {
        var sessions: [RestoredSession] = []
        var retained: [ApplicationMessage] = []
        var entries: [LogEntry] = []
    }

    func perform(_ commands: [BackboneCommand]) async -> [Answer] {
        for command in commands {
            backbone.submit(command, submitter: 0, token: BackboneToken(rawValue: nextToken))
            nextToken += 1
        }
        return await offPool { [answers] in answers.take(commands.count) }
    }

    /// Waits for something that nobody here has asked for.
    func told(_ isWanted: @escaping @Sendable (Settled) -> Bool) async -> Settled {
        await offPool { [answers] in answers.told(isWanted) }
    }

    func stop() {
        if !isStopped { backbone.stop() }
        isStopped = true
    }
}

/// Runs what waits for something that itself needs a thread of those that tasks run on.
private func offPool<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}

private final class AnswerBox: @unchecked Sendable {
    private let condition = NSCondition()
    private var answers: [Answer] = []
    private var told: [Settled] = []

    func add(_ settled: [Settled]) {
        condition.lock()
        answers += settled.filter { !$0.isTold }.map {
            Answer(
                token: $0.token.rawValue, outcome: $0.outcome, entry: $0.entry, found: $0.found, taken: $0.taken)
        }
        told += settled.filter(\.isTold)
        condition.broadcast()
        condition.unlock()
    }

    func told(_ isWanted: (Settled) -> Bool) -> Settled {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let index = told.firstIndex(where: isWanted) { return told.remove(at: index) }
            condition.wait()
        }
    }

    func take(_ count: Int) -> [Answer] {
        condition.lock()
        defer { condition.unlock() }
        while answers.count < count { condition.wait() }
        defer { answers.removeFirst(count) }
        return Array(answers.prefix(count))
    }
}
