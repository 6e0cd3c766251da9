package import Foundation
package import ProcessKit
import Synchronization

/// A nats-server on 127.0.0.1 with a directory of its own, which is removed when the object goes. It stops by its
/// process identifier, and can be started again with the same port and the same store.
package final class NATSServer: Sendable {
    package struct Options: Sendable {
        package var name = "n1"
        /// 0 for a free one.
        package var port = 0
        /// nil for a server on its own.
        package var cluster: Cluster?
        /// Put behind the configuration of deploy/nats: authorization, TLS, other limits.
        package var configuration = ""

        package struct Cluster: Sendable {
            package var port: Int
            /// The ports of all its members.
            package var routes: [Int]
        }

        package init() {}
    }

    package let name: String
    /// Holds the configuration and the store.
    package let directory: URL
    /// For clients.
    package let port: Int
    private let options: Options
    private let running = Mutex<ChildProcess?>(nil)

    /// Starts a server; it takes connections when this returns, but a member of a cluster may not have a leader yet.
    package init(_ options: Options = Options()) async throws {
        self.options = options
        name = options.name
        directory = FileManager.default.temporaryDirectory.appending(path: "nats-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        port = options.port == 0 ? try FreePorts.take(1)[0] : options.port
        try writeConfiguration()
        try await start()
    }

    deinit {
        running.withLock { $0?.signal(SIGKILL) }
        try? FileManager.default.removeItem(at: directory)
    }

    package var url: String { "nats://127.0.0.1:\(port)" }

    /// The running process; what it writes is the server's log.
    package var process: ChildProcess {
        get throws {
            guard let process = running.withLock({ $0 }) else {
                throw ChildProcess.Failure(description: "\(name) does not run")
            }
            return process
        }
    }

    /// Starts the process, at the first time or after it ended.
    package func start() async throws {
        let process = try ChildProcess(
            try NATSServer.program(), ["-c", directory.appending(path: "server.conf").path],
            environment: environment())
        running.withLock { $0 = process }
        try await process.line(containing: "Server is ready")
    }

    /// Ends it as a crash would (SIGKILL), or as the signal says, and waits for the end.
    package func stop(_ signal: Int32 = SIGKILL) async throws {
        let process = try process
        process.signal(signal)
        _ = try await process.wait()
        running.withLock { $0 = nil }
    }

    private func environment() -> [String: String] {
        var environment = [
            "NATS_NAME": name, "NATS_HOST": "127.0.0.1", "NATS_PORT": "\(port)",
            "NATS_STORE": directory.appending(path: "store").path,
        ]
        if let cluster = options.cluster {
            let routes = cluster.routes.filter { $0 != cluster.port }.map { "nats://127.0.0.1:\($0)" }
            environment["NATS_CLUSTER_PORT"] = "\(cluster.port)"
            environment["NATS_ROUTES"] = "[\(routes.joined(separator: ", "))]"
        }
        return environment
    }

    private func writeConfiguration() throws {
        let file = options.cluster == nil ? "single.conf" : "cluster.conf"
        let template = try String(
            contentsOf: NATSServer.root.appending(path: "deploy/nats/\(file)"), encoding: .utf8)
        let text = template + "\n" + options.configuration + "\n"
        try Data(text.utf8).write(to: directory.appending(path: "server.conf"))
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func program() throws -> String {
        let program = root.appending(path: ".deps/nats/bin/nats-server").path
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Tool.Missing(description: "nats-server is not in .deps/nats: run `make deps`")
        }
        return program
    }
}
