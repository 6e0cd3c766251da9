import NATSServerKit
import ProcessKit
import Foundation
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
        try await with(try await start(options), body)
    }

    /// The same with a broker that has a configuration file, whose first listener is meant.
    static func with(configuration file: String, _ body: (BrokerProcess) async throws -> Void) async throws {
        try await with(try await start(arguments: ["--config", file]), body)
    }

    private static func with(_ broker: BrokerProcess, _ body: (BrokerProcess) async throws -> Void) async throws {
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
        if isPeer { return try await startMosquitto() }
        return try await start(arguments: ["--listen", "127.0.0.1:0"] + options)
    }

    static func start(arguments: [String]) async throws -> BrokerProcess {
        let process = try ChildProcess(try Tool.dunlin(), ["serve"] + arguments)
        let line = try await process.line(containing: " listening on ")
        let first = line.split(separator: ",").first ?? ""
        guard let port = first.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw ChildProcess.Failure(description: "no port in: \(line)")
        }
        return BrokerProcess(process: process, port: port)
    }

    static func startMosquitto() async throws -> BrokerProcess {
        // Of its own among all servers: it would be content with [::1] alone, when another has the port on 127.0.0.1.
        let port = try FreePorts.take(1)[0]
        let process = try ChildProcess(try Tool.path("mosquitto"), ["-v", "-p", "\(port)"])
        try await process.line(containing: " running")
        return BrokerProcess(process: process, port: port)
    }
}
