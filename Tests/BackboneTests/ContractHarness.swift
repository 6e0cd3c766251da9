import Backbone
import BackboneSQLite
import Foundation
import MQTTModel
import Testing

/// How an engine was driven: the commands' answers in the order in which they came, each with what every shard was told
/// before it.
struct Answer {
    let token: UInt64
    let outcome: BackboneOutcome
    let entry: LogEntry?
    let found: [LogEntry]?
}

/// An engine under the contract: it takes commands and gives every answer.
protocol ContractEngine: AnyObject {
    /// Submits the commands at once and returns when all are answered.
    func perform(_ commands: [BackboneCommand]) -> [Answer]
    func stop()
}

enum EngineKind: CaseIterable, CustomTestStringConvertible {
    case inMemory
    case sqlite

    var testDescription: String { self == .inMemory ? "InMemoryBackbone" : "SQLiteBackbone" }

    func make() throws -> any ContractEngine {
        switch self {
        case .inMemory: InMemoryEngine()
        case .sqlite: try SQLiteEngine()
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

private final class AnswerBox: @unchecked Sendable {
    private let condition = NSCondition()
    private var answers: [Answer] = []

    func add(_ settled: [Settled]) {
        condition.lock()
        answers += settled.map {
            Answer(token: $0.token.rawValue, outcome: $0.outcome, entry: $0.entry, found: $0.found)
        }
        condition.broadcast()
        condition.unlock()
    }

    func take(_ count: Int) -> [Answer] {
        condition.lock()
        defer { condition.unlock() }
        while answers.count < count { condition.wait() }
        defer { answers.removeFirst(count) }
        return Array(answers.prefix(count))
    }
}
