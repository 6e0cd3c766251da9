import Backbone
import BackboneSQLite
import Foundation
import MQTTModel
import Synchronization

/// A directory for a store, a clock that is set by hand, and engines on it.
final class StoreFixture {
    let directory = NSTemporaryDirectory() + "dunlin-store-\(UUID().uuidString)"
    let clock = TestClock()
    var options: StoreOptions

    init() {
        options = StoreOptions(directory: directory)
        options.durability = .os
        options.shardCount = 2
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func open() throws -> SQLiteBackbone { try open(options) }

    /// What the engines reported.
    let events = EventBox()

    func open(_ options: StoreOptions) throws -> SQLiteBackbone {
        try SQLiteBackbone(options: options, report: { [events] in events.add($0) }) { [clock] in clock.now }
    }

    func run() throws -> RunningStore { try RunningStore(open()) }

    /// What a reopened store gives.
    func reopened() throws -> Snapshot {
        let backbone = try open()
        defer { backbone.stop() }
        return try Snapshot(restoring: backbone)
    }

    /// The files as a process that dies now would leave them.
    func copyOfFiles() throws -> StoreFixture {
        let copy = StoreFixture()
        copy.clock.advance(milliseconds: clock.now - copy.clock.now)
        try FileManager.default.createDirectory(atPath: copy.directory, withIntermediateDirectories: true)
        for name in [StoreOptions.fileName, StoreOptions.fileName + "-wal"]
        where FileManager.default.fileExists(atPath: directory + "/" + name) {
            // Read and written, for FileManager may share the blocks.
            let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))
            try data.write(to: URL(fileURLWithPath: copy.directory + "/" + name))
        }
        return copy
    }
}

final class TestClock: Sendable {
    private let milliseconds = Atomic<Int64>(1_700_000_000_000)

    var now: Int64 { milliseconds.load(ordering: .sequentiallyConsistent) }

    func advance(milliseconds delta: Int64) { milliseconds.add(delta, ordering: .sequentiallyConsistent) }
}

final class EventBox: Sendable {
    private let events = Mutex<[StoreEvent]>([])

    func add(_ event: StoreEvent) { events.withLock { $0.append(event) } }
    var all: [StoreEvent] { events.withLock { $0 } }
}

/// A started engine whose answers can be waited for.
final class RunningStore {
    let backbone: SQLiteBackbone
    private let answers = SettledBox()
    private var nextToken: UInt64 = 0
    /// What it said that nothing is left up to, in order.
    var dropped: [LogSequence] { answers.dropped }

    init(_ backbone: SQLiteBackbone) throws {
        self.backbone = backbone
        try backbone.start { [answers] in
            answers.add($0)
        } onDropped: { [answers] in
            answers.add(dropped: $0)
        }
    }

    @discardableResult
    func perform(_ commands: [BackboneCommand]) -> [Settled] {
        for command in commands {
            backbone.submit(command, submitter: 0, token: BackboneToken(rawValue: nextToken))
            nextToken += 1
        }
        return answers.take(commands.count)
    }

    func stop() { backbone.stop() }
}

private final class SettledBox: @unchecked Sendable {
    private let condition = NSCondition()
    private var settled: [Settled] = []

    func add(_ more: [Settled]) {
        condition.lock()
        settled += more
        condition.broadcast()
        condition.unlock()
    }

    private var drops: [LogSequence] = []

    func add(dropped through: LogSequence) {
        condition.lock()
        drops.append(through)
        condition.unlock()
    }

    var dropped: [LogSequence] {
        condition.lock()
        defer { condition.unlock() }
        return drops
    }

    func take(_ count: Int) -> [Settled] {
        condition.lock()
        defer { condition.unlock() }
        while settled.count < count { condition.wait() }
        defer { settled.removeFirst(count) }
        return Array(settled.prefix(count))
    }
}

extension BackboneCommand {
    /// A logged message of `bytes` bytes under the topic "t".
    static func message(_ text: String = "m", bytes: Int = 0, isRetained: Bool = false) -> BackboneCommand {
        let payload = Array(text.utf8) + Array(repeating: UInt8(ascii: "."), count: bytes)
        var append = LogAppend(
            message: ApplicationMessage(topic: "t", payload: payload, qos: .atLeastOnce, isRetained: isRetained),
            publisher: .none)
        append.isKept = true
        return .append(append)
    }
}
