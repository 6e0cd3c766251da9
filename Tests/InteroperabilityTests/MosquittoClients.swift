import Foundation
import ProcessKit

/// Runs mosquitto_sub and mosquitto_pub against a broker.
struct MosquittoClients {
    let broker: BrokerProcess
    /// As `-V` takes it: `mqttv31`, `mqttv311`, `5`.
    let version: String

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

    private var connection: [String] { ["-p", "\(broker.port)", "-V", version] }
}

extension ChildProcess {
    /// The messages that mosquitto_sub printed with `-F` or `-v`, without what `-d` adds; waits for its end.
    func messages() async throws -> [String] {
        try await succeed().filter { line in
            !line.hasPrefix("Client ") && !line.hasPrefix("Subscribed (mid") && !line.isEmpty
        }
    }
}
