import Foundation
import NATSServerKit
import ProcessKit
import Testing

/// What a node of a flock acknowledged is there after it was killed at once, as a client sees it (P1, P4).
@Suite("A node over NATS", .serialized, .enabled(if: !BrokerProcess.isPeer), .timeLimit(.minutes(3)))
struct FlockNodeTests {
    private func kill(_ broker: BrokerProcess) async throws {
        broker.process.signal(SIGKILL)
        _ = try await broker.process.wait()
    }

    @Test(arguments: ["mqttv311", "5"], [1, 2])
    func messagesForAnAbsentSessionOutliveTheNode(version: String, qos: Int) async throws {
        let server = try await NATSServer()
        let options = ["--nats", server.url, "--node", "n"]
        let session = ["-i", "keeper", "-c", "-q", "\(qos)", "-t", "mail/#"] + (version == "5" ? ["-x", "600"] : [])
        let first = try await BrokerProcess.start(options)
        let before = MosquittoClients(broker: first, version: version)
        _ = try await before.subscriber(session + ["-E"]).messages()
        let lines = (0..<50).map { "\($0)" }
        // Ends when the broker has acknowledged every line.
        try await before.publish(["-t", "mail/x", "-q", "\(qos)", "-l"], input: lines.joined(separator: "\n") + "\n")
        try await kill(first)
        // The server, too: it has written what it acknowledged.
        try await server.stop()
        try await server.start()

        try await BrokerProcess.with(options) { broker in
            let after = MosquittoClients(broker: broker, version: version)
            let back = try after.startSubscriber(session + ["-C", "50"])
            #expect(try await back.messages() == lines)
        }
    }

    @Test func retainedMessagesOutliveTheNode() async throws {
        let server = try await NATSServer()
        let options = ["--nats", server.url, "--node", "n"]
        let first = try await BrokerProcess.start(options)
        let before = MosquittoClients(broker: first, version: "5")
        try await before.publish(["-t", "state/a", "-q", "1", "-r", "-m", "old"])
        try await before.publish(["-t", "state/a", "-q", "1", "-r", "-m", "kept"])
        try await before.publish(["-t", "state/b", "-q", "1", "-r", "-m", "gone"])
        try await before.publish(["-t", "state/b", "-q", "1", "-r", "-n"])
        try await kill(first)
        try await BrokerProcess.with(options) { broker in
            let after = MosquittoClients(broker: broker, version: "5")
            try await after.publish(["-t", "state/z", "-q", "1", "-r", "-m", "last"])
            let subscriber = try await after.subscriber(["-t", "state/+", "-C", "2", "-F", "%t %p"])
            #expect(try await subscriber.messages().sorted() == ["state/a kept", "state/z last"])
        }
    }

    /// Two processes with one name would each acknowledge what the other does not know.
    @Test func theOlderOfTwoProcessesWithOneNameEnds() async throws {
        let server = try await NATSServer()
        let options = ["--nats", server.url, "--node", "n"]
        let older = try await BrokerProcess.start(options)
        try await BrokerProcess.with(options) { newer in
            #expect(try await older.process.wait() != 0)
            #expect(older.process.output.text.contains("another process has begun with this node's name"))
            try await MosquittoClients(broker: newer, version: "5").publish(["-t", "t", "-q", "1", "-m", "x"])
        }
    }

    @Test("P6: without servers a node sends its clients away, takes none, and comes back by itself")
    func aNodeThatIsCutOffComesBackByItself() async throws {
        let server = try await NATSServer()
        let options = ["--nats", server.url, "--node", "n", "--limits-isolation-timeout", "2s"]
        try await BrokerProcess.with(options) { broker in
            let clients = MosquittoClients(broker: broker, version: "5")
            try await clients.publish(["-t", "state/a", "-q", "1", "-r", "-m", "kept"])
            let client = try await clients.subscriber(["-i", "c", "-t", "x", "-d"])
            try await server.stop()
            // 139: 0x8B; 136: 0x88, which is what mosquitto_sub is told when it tries again by itself.
            try await client.line(containing: "(139)")
            let refused = try clients.startSubscriber(["-i", "d", "-t", "x", "-d"])
            try await refused.line(containing: "(136)")
            try await server.start()
            try await broker.process.line(containing: "the flock answers again")
            for one in [client, refused] { one.signal(SIGKILL) }
            let subscriber = try await clients.subscriber(["-t", "state/+", "-C", "1"])
            #expect(try await subscriber.messages() == ["kept"])
        }
    }

    @Test func withoutServersTheNodeSaysSoAndEnds() async throws {
        let process = try ChildProcess(
            try Tool.dunlin(), ["serve", "--listen", "127.0.0.1:0", "--nats", "nats://127.0.0.1:1", "--node", "n"])
        #expect(try await process.wait() != 0)
        #expect(process.output.text.contains("NATS cannot be reached"))
    }
}
