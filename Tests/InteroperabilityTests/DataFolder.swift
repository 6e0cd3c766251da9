import Foundation
import ProcessKit

/// A data directory of a test's own.
final class DataFolder {
    let path: String
    var file: String { path + "/dunlin.sqlite" }

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// One that a broker has worked on: the session "keeper" is away and wants `mail/#`, of which there are messages that
    /// count from 0, and one is retained under `state/a`.
    static func filled(isKilled: Bool = false, messages: Int = 20) async throws -> DataFolder {
        let folder = try DataFolder()
        let broker = try await BrokerProcess.start(["--data", folder.path])
        try await folder.fill(broker, messages: messages)
        broker.process.signal(isKilled ? SIGKILL : SIGTERM)
        _ = try await broker.process.wait()
        return folder
    }

    func fill(_ broker: BrokerProcess, messages: Int) async throws {
        let clients = MosquittoClients(broker: broker, version: "5")
        _ = try await clients.subscriber(keeper + ["-E"]).messages()
        try await clients.publish(["-t", "state/a", "-q", "1", "-r", "-m", "kept"])
        let lines = (0..<messages).map { "\($0) " + String(repeating: ".", count: 500) }
        try await clients.publish(["-t", "mail/x", "-q", "1", "-l"], input: lines.joined(separator: "\n") + "\n")
    }

    /// The options of mosquitto_sub for the session that is away.
    var keeper: [String] { ["-i", "keeper", "-c", "-q", "1", "-t", "mail/#", "-x", "600"] }

    /// Takes the messages that wait for the session that is away; their numbers.
    func collect(from broker: BrokerProcess, count: Int) async throws -> [Int] {
        let clients = MosquittoClients(broker: broker, version: "5")
        let lines = try await clients.startSubscriber(keeper + ["-C", "\(count)"]).messages()
        return lines.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
    }

    /// Moves a part of what a killed broker left to the file, and leaves another in the write-ahead log.
    func checkpoint() async throws {
        let broker = try await BrokerProcess.start(["--data", path])
        broker.process.signal(SIGTERM)
        try await broker.process.succeed()
        let again = try await BrokerProcess.start(["--data", path])
        try await fill(again, messages: 3)
        again.process.signal(SIGKILL)
        _ = try await again.process.wait()
    }

    func read() throws -> Data { try Data(contentsOf: URL(filePath: file)) }
    func write(_ data: Data) throws { try data.write(to: URL(filePath: file)) }

    /// The store's files by name. Not SQLite's index of the write-ahead log, which is made from it, nor the lock, nor a
    /// log with nothing in it, which whoever reads leaves.
    var contents: [String: Data] {
        var contents: [String: Data] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        where name != "dunlin.lock" && !name.hasSuffix("-shm") {
            let data = FileManager.default.contents(atPath: path + "/" + name)
            if !name.hasSuffix("-wal") || data?.isEmpty == false { contents[name] = data }
        }
        return contents
    }
}
