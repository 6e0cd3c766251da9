import Foundation
import ProcessKit
import Testing

private let systemdAnalyze = "/usr/bin/systemd-analyze"

/// The unit that deploy/systemd has, judged by systemd itself where it is installed.
@Suite("systemd unit", .enabled(if: FileManager.default.isExecutableFile(atPath: systemdAnalyze)))
struct SystemdTests {
    @Test func theUnitIsRightAndItsSandboxTight() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let unit = try String(contentsOf: root.appending(path: "deploy/systemd/dunlin.service"), encoding: .utf8)
        let folder = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let copy = folder.appending(path: "dunlin.service")
        // systemd looks for the executable; here it is elsewhere.
        try Data(unit.replacing("/usr/bin/dunlin", with: try Tool.dunlin()).utf8).write(to: copy)

        try await ChildProcess(systemdAnalyze, ["verify", copy.path]).succeed()
        // Tenths of an exposure of 10; an unprotected service has 96.
        try await ChildProcess(systemdAnalyze, ["security", "--offline=true", "--threshold=20", copy.path]).succeed()
    }
}
