import Foundation
import ProcessKit
import Testing

/// The cases of Scripts/paho_cases.py, each with a real client, paho-mqtt, against a broker of its own.
@Suite("paho-mqtt", .serialized)
struct PahoTests {
    struct Case: Sendable, CustomTestStringConvertible {
        /// 3, 4, 5: as CONNECT says it.
        let version: String
        let name: String

        var testDescription: String { "\(["3": "3.1", "4": "3.1.1", "5": "5.0"][version] ?? version) \(name)" }
    }

    @Test(arguments: try Self.cases())
    func passes(_ pahoCase: Case) async throws {
        try await BrokerProcess.with(["--log-level", "debug"]) { broker in
            let script = try Self.script(["\(broker.port)", pahoCase.version, pahoCase.name])
            try await script.succeed(seconds: 60)
        }
    }

    /// The list comes from the script, so that a case is written in one place.
    static func cases() throws -> [Case] {
        let process = Process()
        process.executableURL = URL(filePath: try Tool.path("python3"))
        process.arguments = [scriptPath]
        process.environment = ProcessInfo.processInfo.environment.merging(try environment()) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let cases = text.split(separator: "\n").map { line in
            let words = line.split(separator: " ")
            return Case(version: String(words[0]), name: String(words[1]))
        }
        guard !cases.isEmpty else { throw ChildProcess.Failure(description: "\(scriptPath) lists no cases") }
        return cases
    }

    private static let scriptPath = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Scripts/paho_cases.py").path

    private static func environment() throws -> [String: String] {
        ["PYTHONPATH": try Tool.paho(), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"]
    }

    private static func script(_ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(try Tool.path("python3"), [scriptPath] + arguments, environment: try environment())
    }
}
