import Foundation
import ProcessKit
import Testing

/// `dunlin serve` and its like as a person or a script meets them: arguments, lines, exit codes.
@Suite("Command line of the broker", .serialized)
struct ServeTests {
    private func run(_ arguments: [String]) async throws -> (status: Int32, text: String) {
        let process = try ChildProcess(try Tool.dunlin(), arguments)
        let status = try await process.wait()
        return (status, process.output.text)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalEndsItWithZeroAndTellsClients(signal: Int32) async throws {
        let broker = try await BrokerProcess.start()
        let clients = MosquittoClients(broker: broker, version: "5")
        let subscriber = try await clients.subscriber(["-t", "x"])
        broker.process.signal(signal)
        // 0x8B, Server shutting down.
        try await subscriber.line(containing: "DISCONNECT (139)")
        subscriber.signal(SIGKILL)
        #expect(try await broker.process.wait() == 0)
    }

    @Test func itSaysWhereItListensOnceForAllListeners() async throws {
        let process = try ChildProcess(
            try Tool.dunlin(), ["serve", "--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0"])
        let line = try await process.line(containing: " listening on ")
        #expect(line.contains(/^Dunlin [0-9.]+ listening on 127\.0\.0\.1:[0-9]+, 127\.0\.0\.1:[0-9]+$/))
        process.signal(SIGTERM)
        try await process.succeed()
    }

    @Test func aPortInUseIsToldWithWhatToDo() async throws {
        let broker = try await BrokerProcess.start()
        let second = try await run(["serve", "--listen", "127.0.0.1:\(broker.port)"])
        #expect(second.status == 1)
        #expect(second.text.contains("Error: cannot listen on 127.0.0.1:\(broker.port): "))
        broker.process.signal(SIGTERM)
        try await broker.process.succeed()
    }

    @Test func anAddressThatOthersReachNeedsTheWord() async throws {
        let refused = try await run(["serve", "--listen", "0.0.0.0:0"])
        #expect(refused.status == 78)
        #expect(refused.text.contains("can be reached from other machines"))
        #expect(refused.text.contains("--allow-anonymous"))
    }

    @Test(
        arguments: [
            (["serve", "--listen", "1883"], "HOST:PORT"), (["serve", "--no-such-option"], "--no-such-option"),
            (["serve", "--log-level", "loud"], "debug"), (["serve", "--shards", "0"], "within 1–256"),
        ])
    func aBadCommandLineIs64(arguments: [String], text: String) async throws {
        let answer = try await run(arguments)
        #expect(answer.status == 64)
        #expect(answer.text.contains(text), "\(answer.text)")
    }

    @Test func withoutADataDirectoryItSaysThatNothingOutlivesTheProcess() async throws {
        let process = try ChildProcess(try Tool.dunlin(), ["serve", "--listen", "127.0.0.1:0"])
        try await process.line(containing: "no data directory")
        try await process.line(containing: " listening on ")
        process.signal(SIGTERM)
        try await process.succeed()
    }

    @Test func twoBrokersOnOneDataDirectoryAreOneTooMany() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", folder.path]
        let first = try ChildProcess(try Tool.dunlin(), arguments)
        try await first.line(containing: " listening on ")
        let second = try await run(arguments)
        #expect(second.status == 1)
        #expect(second.text.contains(folder.path), "\(second.text)")
        first.signal(SIGTERM)
        try await first.succeed()
    }

    @Test func variablesAndOptionsAreOverTheFile() async throws {
        let port = ["DUNLIN_LISTENERS": "127.0.0.1:0", "DUNLIN_LOG_LEVEL": "error"]
        let process = try ChildProcess(
            try Tool.dunlin(), ["serve", "--limits-receive-maximum", "7", "--shards=1"], environment: port)
        let line = try await process.line(containing: " listening on ")
        #expect(!line.contains(":1883"))
        process.signal(SIGTERM)
        try await process.succeed()

        let wrong = try ChildProcess(try Tool.dunlin(), ["serve"], environment: ["DUNLIN_LISTENER": "127.0.0.1:0"])
        #expect(try await wrong.wait() == 78)
        #expect(
            wrong.output.text.contains("DUNLIN_LISTENER: there is no such variable; did you mean DUNLIN_LISTENERS?"))
    }

    @Test func checkAndServeJudgeAFileAlike() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "dunlin.yaml").path

        try Data("listeners: [\"127.0.0.1:0\"]\nlog-level: error\n".utf8).write(to: URL(filePath: file))
        #expect(try await run(["check", file]).status == 0)
        let process = try ChildProcess(try Tool.dunlin(), ["serve", "--config", file])
        try await process.line(containing: " listening on ")
        process.signal(SIGTERM)
        try await process.succeed()

        try Data("listeners: [\"0.0.0.0:0\"]\n".utf8).write(to: URL(filePath: file))
        #expect(try await run(["check", file]).status == 1)
        #expect(try await run(["serve", "--config", file]).status == 78)

        try Data("log-levle: error\n".utf8).write(to: URL(filePath: file))
        let checked = try await run(["check", file])
        #expect(checked.status == 1)
        #expect(checked.text.contains("\(file):1: log-levle: there is no such key; did you mean log-level?"))
        #expect(try await run(["serve", "--config", file]).status == 78)
    }
}
