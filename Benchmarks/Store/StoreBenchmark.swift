import ArgumentParser
import Backbone
import BackboneSQLite
import Foundation
import MQTTModel

/// What a message costs the embedded engine, by how many share a transaction: CPU time of the whole process, and time on
/// the clock. `make bench-store` calls it.
@main
struct StoreBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "store-benchmark")

    @Option(help: "Messages submitted at once, each a measurement.") var batches = "1,10,100,1000"
    @Option(help: "Bytes of a payload.") var bytes = 200
    @Option(help: "Seconds for each.") var seconds = 2.0
    @Option(help: "commit, os or none.") var durability: Durability = .commit
    @Option(help: "Milliseconds for which the writer gathers.") var gather = 0
    @Option(help: "Bytes of the write-ahead log from which it begins anew; the broker's if not given.")
    var checkpointBytes: Int?
    @Option(help: "Messages that are given up at once, in batches of 100; 0 measures no such thing.") var backlog =
        500_000
    @Option(help: "Where the store is made.") var directory = NSTemporaryDirectory()

    func run() throws {
        print("  batch  messages/s  CPU us/message  us/commit")
        for batch in batches.split(separator: ",").compactMap({ Int($0) }) { try measure(batch) }
        if backlog > 0 { try measureTrim() }
    }

    private func withStore(_ body: (BusyStore) throws -> Void) throws {
        let folder = directory + "/dunlin-benchmark-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var options = StoreOptions(directory: folder)
        options.durability = durability
        options.gatherTime = .milliseconds(gather)
        if let checkpointBytes { options.busyCheckpointBytes = checkpointBytes }
        let store = try BusyStore(options: options, payloadBytes: bytes)
        try body(store)
        store.backbone.stop()
    }

    private func measure(_ batch: Int) throws {
        try withStore { measure(batch, in: $0) }
    }

    private func measure(_ batch: Int, in store: BusyStore) {
        // The write-ahead log grows to its size first; what nobody wants any more is deleted as in a broker.
        for _ in 0..<200 { store.append(batch) }
        let start = Date()
        let cpu = Self.cpuSeconds
        let (before, commits) = (store.last, store.backbone.statistics.commits)
        var nextTrim = start.addingTimeInterval(0.5)
        while Date().timeIntervalSince(start) < seconds {
            store.append(batch)
            guard Date() > nextTrim else { continue }
            nextTrim.addTimeInterval(0.5)
            store.giveUpAll()
        }
        let elapsed = Date().timeIntervalSince(start)
        let spent = Self.cpuSeconds - cpu
        let count = Double(store.last - before)
        let perCommit = elapsed / Double(max(1, store.backbone.statistics.commits - commits)) * 1e6
        print(String(format: "%7d  %10.0f  %14.2f  %9.0f", batch, count / elapsed, spent / count * 1e6, perCommit))
    }

    /// What the deletion of many messages at once adds to the answers of those that come meanwhile.
    private func measureTrim() throws {
        try withStore { store in
            for _ in 0..<(backlog / 1000) { store.append(1000) }
            let before = (0..<2000).map { _ in store.append(100) }
            let goal = store.backbone.statistics.trimmed + UInt64(store.backbone.statistics.logMessages)
            store.giveUpAll()
            var meanwhile: [Double] = []
            while store.backbone.statistics.trimmed < goal { meanwhile.append(store.append(100)) }
            print("\(backlog) messages given up at once; ms to the answers of 100 others:")
            print("  before      \(Self.shown(before))")
            print("  meanwhile   \(Self.shown(meanwhile))")
            let longest = Double(store.backbone.statistics.longestTrimMicroseconds) / 1000
            print(String(format: "  longest deletion within a transaction %.2f", longest))
        }
    }

    private static func shown(_ times: [Double]) -> String {
        let sorted = times.sorted()
        return String(
            format: "median %.2f, 99 %% %.2f, longest %.2f of %d times", sorted[sorted.count / 2],
            sorted[sorted.count * 99 / 100], sorted[sorted.count - 1], sorted.count)
    }

    private static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// A store, and who appends to it and waits.
private final class BusyStore {
    let backbone: SQLiteBackbone
    private let answers: Answers
    private var message: LogAppend
    /// The sequence of the last message.
    private(set) var last: UInt64 = 0

    init(options: StoreOptions, payloadBytes: Int) throws {
        backbone = try SQLiteBackbone(options: options)
        let answers = Answers()
        self.answers = answers
        message = LogAppend(
            message: ApplicationMessage(
                topic: "benchmark/topic", payload: [UInt8](repeating: 46, count: payloadBytes), qos: .atLeastOnce),
            publisher: .none)
        message.isKept = true
        try backbone.start(onCommit: { answers.add($0.count) })
    }

    /// Submits messages and waits until all are answered.
    /// - Returns: milliseconds that it took.
    @discardableResult
    func append(_ count: Int) -> Double {
        let begin = ContinuousClock.now
        for _ in 0..<count {
            last += 1
            backbone.submit(.append(message), submitter: 0, token: BackboneToken(rawValue: last))
        }
        answers.take(count)
        return (ContinuousClock.now - begin) / .milliseconds(1)
    }

    /// Nobody needs what has been appended any more.
    func giveUpAll() {
        backbone.submit(.trim(shard: 0, through: last), submitter: 0, token: BackboneToken(rawValue: 0))
        answers.take(1)
    }
}

/// Counts answers; wakes the waiting thread once.
private final class Answers: @unchecked Sendable {
    private let condition = NSCondition()
    private var count = 0

    func add(_ more: Int) {
        condition.lock()
        count += more
        condition.signal()
        condition.unlock()
    }

    func take(_ wanted: Int) {
        condition.lock()
        while count < wanted { condition.wait() }
        count -= wanted
        condition.unlock()
    }
}

extension Durability: ExpressibleByArgument {}
