import Foundation
import ProcessKit
import Testing

/// Members of one shared subscription on several nodes of a flock.
@Suite("Shared subscriptions of a flock", .serialized, .enabled(if: !BrokerProcess.isPeer), .timeLimit(.minutes(3)))
struct FlockSharedTests {
    private static let lines = (0..<30).map { "\($0)" }
    private static let input = lines.joined(separator: "\n") + "\n"

    @Test("MQTT-4.8.2-4: one member in the flock gets each message", arguments: [0, 1, 2])
    func membersOnThreeNodesShareTheMessages(qos: Int) async throws {
        try await Flock.with { flock in
            var members: [ChildProcess] = []
            for place in 0..<3 {
                members.append(
                    try await flock.clients(place).subscriber(["-q", "\(qos)", "-t", "$share/g/w/#", "-C", "10"]))
            }
            try await flock.clients(1).publish(["-t", "w/x", "-q", "\(qos)", "-l"], input: Self.input)
            var got: [String] = []
            for member in members { got += try await member.messages() }
            #expect(got.sorted() == Self.lines.sorted())
        }
    }

    @Test("P1: a group without anybody connected keeps its messages, and each session gets its own on any node")
    func aGroupWithoutAConnectionKeepsItsMessages() async throws {
        try await Flock.with { flock in
            let session = { (place: Int) in ["-i", "m\(place)", "-c", "-q", "1", "-t", "$share/g/k", "-x", "600"] }
            for place in 0..<3 { _ = try await flock.clients(place).subscriber(session(place) + ["-E"]).messages() }
            try await flock.clients(0).publish(["-t", "k", "-q", "1", "-l"], input: Self.input)
            var got: [String] = []
            for place in 0..<3 {
                let back = try flock.clients((place + 1) % 3).startSubscriber(session(place) + ["-C", "10"])
                got += try await back.messages()
            }
            #expect(got.sorted() == Self.lines.sorted())
        }
    }

    @Test("P1: what a killed node's members had not acknowledged others get")
    func membersOfAKilledNode() async throws {
        try await Flock.with { flock in
            let member = try await flock.clients(0).subscriber(["-q", "1", "-t", "$share/g/d"])
            // It acknowledges nothing from here on.
            member.signal(SIGSTOP)
            try await flock.clients(1).publish(["-t", "d", "-q", "1", "-l"], input: Self.input)
            let other = try await flock.clients(1).subscriber(["-q", "1", "-t", "$share/g/d", "-C", "30"])
            try await flock.kill(0)
            #expect(try await other.messages() == Self.lines)
            member.signal(SIGKILL)
        }
    }
}
