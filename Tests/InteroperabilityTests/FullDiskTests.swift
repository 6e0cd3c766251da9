import Foundation
import ProcessKit
import Testing

/// A data directory on a disk of its own, that fills up and is emptied again.
@Suite("Full disk", .enabled(if: !BrokerProcess.isPeer && SmallDisk.isPossible, "needs the right to mount a tmpfs"))
struct FullDiskTests {
    @Test func messagesAreRefusedWithQuotaExceededAndTakenAgainWhenThereIsRoom() async throws {
        let folder = try DataFolder()
        let disk = try SmallDisk(at: folder.path, megabytes: 4)
        defer { withExtendedLifetime(folder) { disk.unmount() } }
        let filler = folder.path + "/filler"
        try Data(repeating: 1, count: 2 << 20).write(to: URL(filePath: filler))
        var kept: [Int] = []
        try await BrokerProcess.with(["--data", folder.path]) { broker in
            try await folder.fill(broker, messages: 20)
            let clients = MosquittoClients(broker: broker, version: "5")
            let lines = (20..<2_000).map { "\($0) " + String(repeating: ".", count: 2_000) }
            let publisher = try ChildProcess(
                try Tool.path("mosquitto_pub"),
                ["-p", "\(broker.port)", "-V", "5", "-t", "mail/x", "-q", "1", "-l"],
                input: lines.joined(separator: "\n") + "\n", isLineBuffered: true)
            // 0x97, said for each message that did not fit.
            try await publisher.line(containing: "Quota exceeded")
            try await broker.process.line(containing: "no room for messages")
            _ = try await publisher.wait()

            try FileManager.default.removeItem(atPath: filler)
            try await clients.publish(["-t", "mail/x", "-q", "1", "-m", "5000"])
            try await broker.process.line(containing: "messages are kept again")
        }
        try await BrokerProcess.with(["--data", folder.path]) { broker in
            let queued = try await ChildProcess(try Tool.dunlin(), ["inspect", folder.path, "--summary"]).succeed()
            let count = queued.compactMap { $0.firstMatch(of: #/, ([0-9]+) messages queued/#) }.compactMap { Int($0.1) }
            kept = try await folder.collect(from: broker, count: count.first ?? 1)
        }
        #expect(kept == kept.sorted())
        #expect(Array(kept.prefix(20)) == Array(0..<20))
        #expect(kept.last == 5000)
        #expect(kept.count < 1_000)
    }
}

/// A file system in memory, mounted for a test.
struct SmallDisk {
    let path: String

    /// Only root may mount, and not in every container.
    static let isPossible: Bool = {
        guard geteuid() == 0 else { return false }
        let path = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        guard mount("tmpfs", path, "tmpfs", 0, "size=1m") == 0 else { return false }
        return umount(path) == 0
    }()

    init(at path: String, megabytes: Int) throws {
        self.path = path
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            throw ChildProcess.Failure(description: "tmpfs: \(String(cString: strerror(errno)))")
        }
    }

    /// Also when a process still uses it: then it goes with that.
    func unmount() { umount2(path, Int32(MNT_DETACH)) }
}
