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
            try await Self.run(pahoCase, broker)
        }
    }

    /// The same over the other transports; a few of them, since MQTT is the same there. P8
    @Test(
        .enabled(if: !BrokerProcess.isPeer),
        arguments: try Self.cases().filter { $0.version != "3" && Self.overEveryTransport.contains($0.name) },
        ["tls", "ws", "wss"])
    func passesOver(_ pahoCase: Case, transport: String) async throws {
        let certificates = try await Certificates()
        try await certificates.issue("client")
        var lines = ["address: \(transport)://127.0.0.1:0"]
        var environment = ["DUNLIN_TEST_TRANSPORT": transport]
        if transport != "ws" {
            lines += [
                "certificate: \(certificates.certificate("server"))", "key: \(certificates.key("server"))",
                "client-ca: \(certificates.certificate("ca"))", "client-certificate: required",
            ]
            environment["DUNLIN_TEST_AUTHORITY"] = certificates.certificate("ca")
            environment["DUNLIN_TEST_CERTIFICATE"] = certificates.certificate("client")
            environment["DUNLIN_TEST_KEY"] = certificates.key("client")
        }
        let file = certificates.path("dunlin.yaml")
        let text = "listener:\n  it:\n" + lines.map { "    \($0)\n" }.joined()
        try Data(text.utf8).write(to: URL(filePath: file))
        try await BrokerProcess.with(configuration: file) { broker in
            try await Self.run(pahoCase, broker, environment)
        }
    }

    private static let overEveryTransport: Set<String> = [
        "a_thousand_messages_keep_their_order", "payloads_are_bytes_of_any_length",
        "a_will_is_published_when_the_connection_is_lost", "a_takeover_publishes_the_will",
    ]

    private static func run(
        _ pahoCase: Case, _ broker: BrokerProcess, _ environment: [String: String] = [:]
    ) async throws {
        let script = try script(["\(broker.port)", pahoCase.version, pahoCase.name], environment)
        try await script.succeed(seconds: 60)
    }

    /// A case as a process: port, version, name.
    static func script(_ arguments: [String], _ environment: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess(
            try Tool.path("python3"), [scriptPath] + arguments,
            environment: try Self.environment().merging(environment) { $1 })
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
}
