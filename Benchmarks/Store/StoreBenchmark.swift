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
    @Option(help: "Bytes of the write-ahead log from which it begins anew.") var checkpointBytes = 64 << 20
    @Option(help: "Where the store is made.") var directory = NSTemporaryDirectory()

    func run() throws {
        print("  batch  messages/s  CPU us/message  us/commit")
        for batch in batches.split(separator: ",").compactMap({ Int($0) }) { try measure(batch) }
    }

    private func measure(_ batch: Int) throws {
        let folder = directory + "/dunlin-benchmark-\(ProcessInfo.processInfo.processIdentifier)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var options = StoreOptions(directory: folder)
        options.durability = durability
        options.gatherTime = .milliseconds(gather)
        options.busyCheckpointBytes = checkpointBytes
        let backbone = try SQLiteBackbone(options: options)
        let answers = Answers()
        try backbone.start(onCommit: { answers.add($0.count) })
        var append = LogAppend(
            message: ApplicationMessage(
                topic: "benchmark/topic", payload: [UInt8](repeating: 46, count: bytes), qos: .atLeastOnce),
            publisher: .none)
        append.isKept = true
        var last: UInt64 = 0
        func perform() {
            for _ in 0..<batch {
                last += 1
                backbone.submit(.append(append), submitter: 0, token: BackboneToken(rawValue: last))
            }
            answers.take(batch)
        }
        // The write-ahead log grows to its size first; what nobody wants any more is deleted as in a broker.
        for _ in 0..<200 { perform() }
        let start = Date()
        let cpu = Self.cpuSeconds
        let (before, commits) = (last, backbone.statistics.commits)
        var nextTrim = start.addingTimeInterval(0.5)
        while Date().timeIntervalSince(start) < seconds {
            perform()
            guard Date() > nextTrim else { continue }
            nextTrim.addTimeInterval(0.5)
            backbone.submit(.trim(shard: 0, through: last), submitter: 0, token: BackboneToken(rawValue: 0))
            answers.take(1)
        }
        let elapsed = Date().timeIntervalSince(start)
        let spent = Self.cpuSeconds - cpu
        let count = Double(last - before)
        let perCommit = elapsed / Double(max(1, backbone.statistics.commits - commits)) * 1e6
        print(String(format: "%7d  %10.0f  %14.2f  %9.0f", batch, count / elapsed, spent / count * 1e6, perCommit))
        backbone.stop()
    }

    private static var cpuSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
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
