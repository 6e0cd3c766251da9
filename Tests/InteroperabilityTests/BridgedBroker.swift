import Foundation
import ProcessKit

/// A broker with bridges in a test: its data directory outlives its process.
final class BridgedBroker {
    private let folder: DataFolder
    private let more: String
    private let keepsData: Bool
    private(set) var broker: BrokerProcess

    /// - Parameters:
    ///   - bridges: what stands under `bridge:`, with the indentation of its first line.
    ///   - more: further lines of the file.
    ///   - keepsData: whether what has to last does.
    init(bridges: String = "", more: String = "", keepsData: Bool = true) async throws {
        folder = try DataFolder()
        self.more = more
        self.keepsData = keepsData
        try Self.write(bridges, more, keepsData: keepsData, to: folder)
        broker = try await BrokerProcess.start(arguments: ["--config", folder.path + "/dunlin.yaml"])
    }

    /// Other bridges, by SIGHUP.
    func reload(bridges: String) async throws {
        try Self.write(bridges, more, keepsData: keepsData, to: folder)
        broker.process.signal(SIGHUP)
    }

    private static func write(
        _ bridges: String, _ more: String, keepsData: Bool, to folder: DataFolder
    ) throws {
        let section = bridges.isEmpty ? "" : "bridge:\n" + bridges + "\n"
        try """
        listeners: ["127.0.0.1:0"]
        \(keepsData ? "data: {directory: \"\(folder.path)\"}" : "")
        admin: {listeners: []}
        limits: {maximum-queued-messages: 100000}
        bridge-defaults: {shortest-delay: 50ms, longest-delay: 200ms}
        \(section)\(more)
        """.write(toFile: folder.path + "/dunlin.yaml", atomically: true, encoding: .utf8)
    }

    func clients(_ version: String = "5") -> MosquittoClients { MosquittoClients(broker: broker, version: version) }

    /// Waits until a bridge has been up since the broker was started.
    func linked() async throws { try await broker.process.line(containing: "bridge connected") }

    func kill() async throws {
        broker.process.signal(SIGKILL)
        _ = try await broker.process.wait()
    }

    func start() async throws {
        broker = try await BrokerProcess.start(arguments: ["--config", folder.path + "/dunlin.yaml"])
    }

    func stop() async throws {
        broker.process.signal(SIGTERM)
        try await broker.process.succeed()
    }
}
