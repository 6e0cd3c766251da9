import Foundation
import ProcessKit
import Testing

/// `dunlin serve` on a data directory that is not as it should be: it says what is wrong and what to do, ends with 1, and
/// leaves every file as it was.
@Suite("Faults of a data directory", .enabled(if: !BrokerProcess.isPeer))
struct DataDirectoryTests {
    /// Starts a broker that has to refuse; what it said.
    private func refusal(_ folder: DataFolder, _ more: [String] = []) async throws -> String {
        let before = folder.contents
        let process = try ChildProcess(
            try Tool.dunlin(), ["serve", "--listen", "127.0.0.1:0", "--data", folder.path] + more)
        #expect(try await process.wait() == 1)
        #expect(folder.contents == before)
        return process.output.text
    }

    @Test(arguments: ["x", String(repeating: "not a store of ours\n", count: 100)])
    func aForeignFileIsLeftAlone(text: String) async throws {
        let folder = try DataFolder()
        try folder.write(Data(text.utf8))
        let said = try await refusal(folder)
        #expect(said.contains("\(folder.path)/dunlin.sqlite is not a store of this broker"), "\(said)")
        #expect(said.contains("Move it away"))
    }

    @Test func aNewerSchemaIsLeftAlone() async throws {
        let folder = try await DataFolder.filled()
        var data = try folder.read()
        // The header's user version.
        data.replaceSubrange(60..<64, with: [0, 0, 0, 99])
        try folder.write(data)
        let said = try await refusal(folder)
        #expect(said.contains("was written by a later version of the broker (schema 99"), "\(said)")
        #expect(said.contains("Run that version, or restore a backup"))
    }

    @Test(arguments: [false, true])
    func aDamagedFileIsLeftAlone(isBesideItsLog: Bool) async throws {
        let folder = try await DataFolder.filled(isKilled: isBesideItsLog, messages: 300)
        if isBesideItsLog { try await folder.checkpoint() }
        var data = try folder.read()
        for page in stride(from: 2, to: data.count / 4096, by: 3) {
            data.replaceSubrange(page * 4096..<page * 4096 + 1024, with: Data(repeating: 0xA5, count: 1024))
        }
        try folder.write(data)
        let said = try await refusal(folder)
        #expect(said.contains("dunlin.sqlite is damaged"), "\(said)")
        #expect(said.contains("restore a backup"))
        let inspection = try ChildProcess(try Tool.dunlin(), ["inspect", folder.path, "--summary"])
        #expect(try await inspection.wait() == 1)
    }

    /// As a power cut of a disk that lies about `fsync` may leave it.
    @Test(arguments: [0, 50, 4096, 10_000])
    func aFileThatWasCutShortIsLeftAlone(length: Int) async throws {
        let folder = try await DataFolder.filled(isKilled: true, messages: 300)
        try await folder.checkpoint()
        try folder.write(try folder.read().prefix(length))
        let said = try await refusal(folder)
        #expect(said.contains("dunlin.sqlite is"), "\(said)")
        #expect(said.contains(length == 50 ? "Move it away" : "restore a backup"), "\(said)")
    }

    @Test func aFileThatIsGoneWithoutItsLogIsMissed() async throws {
        let folder = try await DataFolder.filled(isKilled: true)
        try FileManager.default.removeItem(atPath: folder.file)
        #expect(try await refusal(folder).contains("is empty or gone"))
    }

    /// Whatever of the write-ahead log is left, what was committed first is there.
    @Test(arguments: [0, 17, 5_000, 40_000])
    func aWriteAheadLogThatWasCutShortOpens(left: Int) async throws {
        let folder = try await DataFolder.filled(isKilled: true, messages: 100)
        let log = folder.file + "-wal"
        let data = try Data(contentsOf: URL(filePath: log))
        try #require(data.count > left)
        try data.prefix(left).write(to: URL(filePath: log))
        try await BrokerProcess.with(["--data", folder.path]) { _ in }
        let inspection = try ChildProcess(try Tool.dunlin(), ["inspect", folder.path, "--summary"])
        let lines = try await inspection.succeed()
        #expect(lines.last == "integrity: ok")
    }

    @Test func aDirectoryThatMayNotBeWrittenToIsNamed() async throws {
        let folder = try DataFolder()
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", folder.path]
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.path)
        // Root may write to everything, so it is somebody else who tries.
        let process =
            geteuid() == 0
            ? try ChildProcess(
                try Tool.path("setpriv"),
                ["--reuid=65534", "--regid=65534", "--clear-groups", try Tool.dunlin()] + arguments)
            : try ChildProcess(try Tool.dunlin(), arguments)
        #expect(try await process.wait() == 1)
        #expect(process.output.text.contains("the data directory \(folder.path) cannot be written to"))
        #expect(process.output.text.contains("make it writable"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        #expect(folder.contents.isEmpty)
    }
}
