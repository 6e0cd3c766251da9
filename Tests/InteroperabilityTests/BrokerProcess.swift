import Foundation
import ProcessKit
import Testing

/// A broker of its own for a test, on a port that the system chose, ended by its process id.
///
/// To find out whether a test or the broker is wrong, run the tests against another broker:
/// `DUNLIN_TEST_PEER=mosquitto swift test --filter InteroperabilityTests`.
struct BrokerProcess {
    let process: ChildProcess
    let port: Int

    static let isPeer = ProcessInfo.processInfo.environment["DUNLIN_TEST_PEER"] != nil

    /// Runs the body with a broker and ends the broker, which has to end with 0.
    static func with(_ options: [String] = [], _ body: (BrokerProcess) async throws -> Void) async throws {
        let broker = try await start(options)
        do {
            try await body(broker)
        } catch {
            Issue.record("the broker's log:\n\(broker.process.output.text)")
            broker.process.signal(SIGKILL)
            throw error
        }
        broker.process.signal(SIGTERM)
        try await broker.process.succeed()
    }

    static func start(_ options: [String] = []) async throws -> BrokerProcess {
        if isPeer { return try await startPeer() }
        let process = try ChildProcess(try Tool.dunlin(), ["serve", "--listen", "127.0.0.1:0"] + options)
        let line = try await process.line(containing: " listening on 127.0.0.1:")
        guard let port = line.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw ChildProcess.Failure(description: "no port in: \(line)")
        }
        return BrokerProcess(process: process, port: port)
    }

    private static func startPeer() async throws -> BrokerProcess {
        let port = Int.random(in: 20_000..<32_000)
        let process = try ChildProcess(try Tool.path("mosquitto"), ["-v", "-p", "\(port)"])
        try await process.line(containing: " running")
        return BrokerProcess(process: process, port: port)
    }
}
