import NATSServerKit
import ProcessKit
import Foundation
import Testing

/// Three nodes over one nats-server.
struct Flock {
    let server: NATSServer
    var nodes: [BrokerProcess] = []

    static func with(_ body: (inout Flock) async throws -> Void) async throws {
        var flock = Flock(server: try await NATSServer())
        for _ in 0..<3 { try await flock.start() }
        do {
            try await body(&flock)
        } catch {
            for node in flock.nodes { Issue.record("a node's log:\n\(node.process.output.text)") }
            for node in flock.nodes { node.process.signal(SIGKILL) }
            throw error
        }
        for node in flock.nodes { node.process.signal(SIGTERM) }
        for node in flock.nodes { try await node.process.succeed() }
    }

    mutating func start() async throws {
        nodes.append(try await BrokerProcess.start(["--nats", server.url, "--node", "n\(nodes.count)"]))
    }

    /// kill -9; the places of the others move up.
    mutating func kill(_ place: Int) async throws {
        let node = nodes.remove(at: place)
        node.process.signal(SIGKILL)
        _ = try await node.process.wait()
    }

    func clients(_ place: Int, version: String = "5") -> MosquittoClients {
        MosquittoClients(broker: nodes[place], version: version)
    }
}
