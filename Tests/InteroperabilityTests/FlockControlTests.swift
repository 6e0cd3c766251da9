import Foundation
import NATSServerKit
import ProcessKit
import Testing

/// `dunlin ctl` over a flock: any node answers for all of them.
@Suite("dunlin ctl and a flock", .serialized, .enabled(if: !BrokerProcess.isPeer), .timeLimit(.minutes(3)))
struct FlockControlTests {
    private struct Flock {
        let nodes: [BrokerProcess]
        let directory: URL

        func control(_ node: Int, _ arguments: String...) async throws -> (status: Int32, text: String) {
            let socket = "unix:" + directory.appending(path: "\(node).sock").path
            let process = try ChildProcess(try Tool.dunlin(), ["ctl"] + arguments + ["--admin", socket])
            let status = try await process.wait()
            return (status, process.output.text)
        }

        /// The row of a node as another one shows it, once it is as it should be.
        func row(of node: Int, asked other: Int, when isWanted: (Row) -> Bool) async throws -> Row {
            while true {
                let text = try await control(other, "nodes", "--json").text
                let rows = try JSONDecoder().decode(Rows.self, from: Data(text.utf8)).items
                if rows.count == nodes.count, isWanted(rows[node]) { return rows[node] }
            }
        }

        func clients(_ node: Int, version: String = "5") -> MosquittoClients {
            MosquittoClients(broker: nodes[node], version: version)
        }
    }

    private struct Row: Decodable {
        var name: String
        var state: String?
        var isReady: Bool
        var connections: Int
        var sessions: Int
        var version: String
    }

    private struct Rows: Decodable {
        var items: [Row]
    }

    private func withFlock(_ body: (Flock) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "dunlin-ctl-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let server = try await NATSServer()
        var nodes: [BrokerProcess] = []
        for node in 0..<3 {
            let socket = "unix:" + directory.appending(path: "\(node).sock").path
            nodes.append(
                try await BrokerProcess.start(["--nats", server.url, "--node", "n\(node)", "--admin", socket]))
            try await nodes[node].process.line(containing: "administration")
        }
        do {
            try await body(Flock(nodes: nodes, directory: directory))
        } catch {
            for node in nodes { Issue.record("a node's log:\n\(node.process.output.text)") }
            for node in nodes { node.process.signal(SIGKILL) }
            throw error
        }
        for node in nodes { node.process.signal(SIGTERM) }
        for node in nodes { try await node.process.succeed() }
    }

    @Test func everyNodeShowsAllNodes() async throws {
        try await withFlock { flock in
            let subscriber = try await flock.clients(1).subscriber(["-t", "a"])
            for other in 0..<3 {
                let row = try await flock.row(of: 1, asked: other) { $0.state == "up" && $0.connections == 1 }
                #expect(row.name == "n1")
                #expect(row.sessions == 1)
                #expect(!row.version.isEmpty)
            }
            subscriber.signal(SIGKILL)
            flock.nodes[2].process.signal(SIGSTOP)
            _ = try await flock.row(of: 2, asked: 0) { $0.state == "silent" }
            flock.nodes[2].process.signal(SIGCONT)
            _ = try await flock.row(of: 2, asked: 0) { $0.state == "up" }
        }
    }

    @Test("a node is drained by way of another, and its sessions go on elsewhere with what was published meanwhile")
    func aNodeIsDrained() async throws {
        try await withFlock { flock in
            let session = ["-i", "mover", "-c", "-q", "1", "-t", "m/#", "-x", "600"]
            let subscriber = try await flock.clients(1).subscriber(session)
            let publisher = try await flock.clients(0).subscriber(["-t", "other"])
            let order = try await flock.control(2, "drain", "n1", "--rate", "100")
            #expect(order.status == 0)
            #expect(order.text == "draining")
            // 0x8B, Server shutting down.
            try await subscriber.line(containing: "DISCONNECT (139)")
            subscriber.signal(SIGKILL)
            // 0x88, Server unavailable.
            let refused = try await flock.clients(1).answerToPublishing(["-t", "m/x", "-m", "x", "-q", "1"])
            #expect(refused.contains("CONNACK (136)"))
            let old = flock.clients(1, version: "mqttv311")
            #expect(try await old.answerToPublishing(["-t", "m/x", "-m", "x", "-q", "1"]).contains("CONNACK (3)"))
            _ = try await flock.row(of: 1, asked: 0) { $0.state == "draining" && $0.connections == 0 && !$0.isReady }
            try await flock.clients(0).publish(["-t", "m/x", "-q", "1", "-m", "meanwhile"])
            let back = try flock.clients(2).startSubscriber(session + ["-C", "1"])
            #expect(try await back.messages() == ["meanwhile"])
            #expect(try await flock.control(0, "drain", "n1", "--undo").text == "takes clients again")
            _ = try await flock.row(of: 1, asked: 2) { $0.state == "up" && $0.isReady }
            try await flock.clients(1).publish(["-t", "m/x", "-q", "1", "-m", "again"])
            publisher.signal(SIGKILL)
        }
    }

    @Test("5.0 section 4.13: with a server to go to, clients are told so in CONNACK and DISCONNECT")
    func theServerToGoToIsSaid() async throws {
        try await withFlock { flock in
            let subscriber = try await flock.clients(1).subscriber(["-t", "a"])
            _ = try await flock.control(0, "drain", "n1", "--server", "n0.example:1883")
            try await subscriber.line(containing: "DISCONNECT (156)")
            subscriber.signal(SIGKILL)
            let refused = try await flock.clients(1).answerToPublishing(["-t", "m/x", "-m", "x", "-q", "1"])
            #expect(refused.contains("CONNACK (156)"))
        }
    }

    @Test func anOrderForANodeThatIsNotThereIsRefused() async throws {
        try await withFlock { flock in
            let answer = try await flock.control(0, "drain", "n7")
            #expect(answer.status == 1)
            #expect(answer.text.contains("n7 does not answer"))
        }
    }
}
