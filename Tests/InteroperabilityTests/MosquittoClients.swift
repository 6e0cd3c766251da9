import Foundation
import ProcessKit

/// Runs mosquitto_sub and mosquitto_pub against a broker.
struct MosquittoClients {
    let broker: BrokerProcess
    /// As `-V` takes it: `mqttv31`, `mqttv311`, `5`.
    let version: String
    /// What every call gets, as for TLS.
    var options: [String] = []

    /// A subscriber; returns when the broker has granted its subscriptions.
    func subscriber(_ options: [String]) async throws -> ChildProcess {
        let process = try startSubscriber(options)
        try await process.line(containing: "Subscribed (mid: 1)")
        return process
    }

    /// A subscriber; -d makes it say what it sends and receives.
    func startSubscriber(_ options: [String]) throws -> ChildProcess {
        try ChildProcess(try Tool.path("mosquitto_sub"), ["-d"] + connection + options, isLineBuffered: true)
    }

    /// Publishes, and returns when the broker has answered.
    func publish(_ options: [String], input: String? = nil) async throws {
        try await ChildProcess(try Tool.path("mosquitto_pub"), connection + options, input: input).succeed()
    }

    /// The exit status of mosquitto_pub.
    func tryToPublish(_ options: [String]) async throws -> Int32 {
        try await ChildProcess(try Tool.path("mosquitto_pub"), connection + options).wait()
    }

    /// What mosquitto_pub says.
    func answerToPublishing(_ options: [String]) async throws -> String {
        let process = try ChildProcess(try Tool.path("mosquitto_pub"), ["-d"] + connection + options)
        _ = try await process.wait()
        return process.output.text
    }

    private var connection: [String] { ["-p", "\(broker.port)", "-V", version] + options }
}

extension ChildProcess {
    /// The messages that mosquitto_sub printed with `-F` or `-v`, without what `-d` adds; waits for its end.
    func messages() async throws -> [String] {
        try await succeed().filter { line in
            !line.hasPrefix("Client ") && !line.hasPrefix("Subscribed (mid") && !line.isEmpty
        }
    }
}
