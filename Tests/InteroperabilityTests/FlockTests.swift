import Foundation
import NATSServerKit
import ProcessKit
import Testing

/// Three nodes over one nats-server are one broker to clients.
@Suite("A flock of three nodes", .serialized, .enabled(if: !BrokerProcess.isPeer), .timeLimit(.minutes(3)))
struct FlockTests {
    @Test("a message comes to subscribers of every node", arguments: [0, 1, 2])
    func aMessageComesToEveryNode(qos: Int) async throws {
        try await Flock.with { flock in
            var subscribers: [ChildProcess] = []
            for place in 0..<3 {
                subscribers.append(
                    try await flock.clients(place).subscriber(["-q", "\(qos)", "-t", "a/#", "-C", "60"]))
            }
            for place in 0..<3 {
                let lines = (0..<20).map { "\(place) \($0)" }
                try await flock.clients(place).publish(
                    ["-t", "a/b", "-q", "\(qos)", "-l"], input: lines.joined(separator: "\n") + "\n")
            }
            for subscriber in subscribers {
                let got = try await subscriber.messages()
                for place in 0..<3 {
                    let ofNode = got.filter { $0.hasPrefix("\(place) ") }
                    #expect(ofNode == (0..<20).map { "\(place) \($0)" })
                }
            }
        }
    }

    @Test("P4: what is retained is there on every node once it is acknowledged")
    func retainedMessagesAreOnEveryNode() async throws {
        try await Flock.with { flock in
            for round in 0..<10 {
                try await flock.clients(round % 3).publish(["-t", "r/x", "-q", "1", "-r", "-m", "\(round)"])
                for place in 0..<3 {
                    let subscriber = try await flock.clients(place).subscriber(["-t", "r/+", "-C", "1"])
                    #expect(try await subscriber.messages() == ["\(round)"])
                }
            }
        }
    }

    @Test("P1: a session is resumed on any node, with what was published on any", arguments: [1, 2])
    func aSessionIsResumedAnywhere(qos: Int) async throws {
        try await Flock.with { flock in
            let session = ["-i", "mover", "-c", "-q", "\(qos)", "-t", "m/#", "-x", "600"]
            for round in 0..<6 {
                _ = try await flock.clients(round % 3).subscriber(session + ["-E"]).messages()
                let lines = (0..<20).map { "\(round) \($0)" }
                try await flock.clients((round + 1) % 3).publish(
                    ["-t", "m/x", "-q", "\(qos)", "-l"], input: lines.joined(separator: "\n") + "\n")
                let back = try flock.clients((round + 2) % 3).startSubscriber(session + ["-C", "20"])
                #expect(try await back.messages() == lines)
            }
        }
    }

    @Test("P2: a client that connects elsewhere ends its connection here")
    func aTakeoverAcrossNodes() async throws {
        try await Flock.with { flock in
            let session = ["-i", "one", "-c", "-q", "1", "-t", "o", "-x", "600", "-d"]
            let first = try await flock.clients(0).subscriber(session)
            let second = try await flock.clients(1).subscriber(session + ["-C", "1"])
            // mosquitto_sub says why it was disconnected and connects again by itself, if it is let.
            try await first.line(containing: "142")
            first.signal(SIGKILL)
            try await flock.clients(2).publish(["-t", "o", "-q", "1", "-m", "hello"])
            #expect(try await second.messages().contains("hello"))
        }
    }

    /// A client of node 0 whose will comes when the node has been taken for dead.
    private func stopUntilTakenForDead(_ flock: Flock) async throws -> ChildProcess {
        let watcher = try await flock.clients(1).subscriber(["-q", "1", "-t", "will/#", "-C", "1"])
        let mortal = try await flock.clients(0).subscriber(
            [
                "-i", "mortal", "-d", "-t", "x", "--will-topic", "will/mortal", "--will-payload", "gone", "--will-qos",
                "1",
            ])
        flock.nodes[0].process.signal(SIGSTOP)
        #expect(try await watcher.messages() == ["gone"])
        return mortal
    }

    @Test("P6: a node that was taken for dead begins anew in its process")
    func aNodeThatHungComesBack() async throws {
        try await Flock.with { flock in
            let mortal = try await stopUntilTakenForDead(flock)
            let node = flock.nodes[0].process
            node.signal(SIGCONT)
            try await mortal.line(containing: "(139)")
            mortal.signal(SIGKILL)
            try await node.line(containing: "the node begins anew")
            // It says so once more when it listens again, where it did before.
            while node.output.text.split(separator: "\n").count(where: { $0.contains("serving") }) < 2 {
                try await Task.sleep(for: .milliseconds(50))
            }
            let subscriber = try await flock.clients(0).subscriber(["-q", "1", "-t", "back", "-C", "1"])
            try await flock.clients(1).publish(["-t", "back", "-q", "1", "-m", "hello"])
            #expect(try await subscriber.messages() == ["hello"])
            let other = try await flock.clients(2).subscriber(["-q", "2", "-t", "back", "-C", "1"])
            try await flock.clients(0).publish(["-t", "back", "-q", "2", "-m", "world"])
            #expect(try await other.messages() == ["world"])
        }
    }

    @Test("P6: a node that hung ends when a process with its name has begun meanwhile")
    func aNodeThatWasReplacedEnds() async throws {
        try await Flock.with { flock in
            let mortal = try await stopUntilTakenForDead(flock)
            let older = flock.nodes.remove(at: 0).process
            let newer = try await BrokerProcess.start(["--nats", flock.server.url, "--node", "n0"])
            flock.nodes.insert(newer, at: 0)
            older.signal(SIGCONT)
            #expect(try await older.wait() != 0)
            #expect(older.output.text.contains("another process has begun with this node's name"))
            mortal.signal(SIGKILL)
            try await flock.clients(0).publish(["-t", "t", "-q", "1", "-m", "x"])
        }
    }

    @Test("P1, P5: a killed node's sessions and wills are with the others")
    func aNodeIsKilled() async throws {
        try await Flock.with { flock in
            let session = ["-i", "orphan", "-c", "-q", "1", "-t", "k/#", "-x", "600"]
            _ = try await flock.clients(0).subscriber(session + ["-E"]).messages()
            let watcher = try await flock.clients(1).subscriber(["-q", "1", "-t", "will/#", "-C", "2"])
            let mortal = try await flock.clients(0).subscriber(
                ["-i", "mortal", "-t", "x", "--will-topic", "will/mortal", "--will-payload", "gone", "--will-qos", "1"])
            let lines = (0..<20).map { "\($0)" }
            try await flock.clients(0).publish(
                ["-t", "k/x", "-q", "1", "-l"], input: lines.joined(separator: "\n") + "\n")
            try await flock.kill(0)
            mortal.signal(SIGKILL)
            // Claimed before anybody has noticed that the node is dead.
            let back = try flock.clients(0).startSubscriber(session + ["-C", "20"])
            #expect(try await back.messages() == lines)
            // Its will comes once: the second message is the one that is sent after it.
            let probe = try await flock.clients(1).subscriber(["-q", "1", "-t", "will/mortal", "-C", "1"])
            #expect(try await probe.messages() == ["gone"])
            try await flock.clients(0).publish(["-t", "will/end", "-q", "1", "-m", "end"])
            #expect(try await watcher.messages() == ["gone", "end"])
        }
    }
}
