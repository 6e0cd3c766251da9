import Backbone
import Flock
import MQTTModel
import Testing

@Suite("What nodes know of each other")
struct NodeTests {
    private static let second = Duration.seconds(1)

    private static func facts() -> NodeFacts {
        var facts = NodeFacts()
        facts.version = "1.2.3"
        facts.isReady = false
        facts.isDraining = true
        facts.reasons = ["the broker is being drained", ""]
        facts.listeners = ["0.0.0.0:1883"]
        facts.uptimeSeconds = 1
        facts.connections = 2
        facts.clients = 3
        facts.sessions = 1 << 40
        facts.subscriptions = 5
        facts.retainedMessages = 6
        facts.lagBatches = 7
        facts.lagMilliseconds = .max
        return facts
    }

    private static func read<Value>(
        _ bytes: [UInt8], _ body: (inout RecordReader) throws(MalformedRecord) -> Value
    ) throws -> Value {
        try bytes.withUnsafeBytes { bytes in
            var reader = RecordReader(bytes)
            return try body(&reader)
        }
    }

    @Test func factsAreReadAsTheyWereWritten() throws {
        var writer = RecordWriter()
        writer.append(Self.facts())
        #expect(
            try Self.read(writer.bytes) { reader throws(MalformedRecord) in try reader.nodeFacts() } == Self.facts())
    }

    /// A newer node says more, an older one less.
    @Test func fieldsThatAreNotKnownOrMissingDoNoHarm() throws {
        var writer = RecordWriter()
        writer.append(UInt64(99))
        writer.append("something new")
        writer.append(Self.facts())
        writer.append(UInt64(1000))
        writer.append("")
        #expect(
            try Self.read(writer.bytes) { reader throws(MalformedRecord) in try reader.nodeFacts() } == Self.facts())
        #expect(try Self.read([]) { reader throws(MalformedRecord) in try reader.nodeFacts() } == NodeFacts())
    }

    @Test(arguments: [
        NodeOrder.endDrain, .drain(connectionsPerSecond: nil, serverReference: nil, isPermanent: nil),
        .drain(connectionsPerSecond: 7, serverReference: "b:1883", isPermanent: true),
    ])
    func ordersAreReadAsTheyWereWritten(order: NodeOrder) throws {
        var writer = RecordWriter()
        writer.append(order)
        #expect(try Self.read(writer.bytes) { reader throws(MalformedRecord) in try reader.nodeOrder() } == order)
    }

    @Test func anOrderOfANewerVersionIsNone() throws {
        #expect(try Self.read([77, 1]) { reader throws(MalformedRecord) in try reader.nodeOrder() } == nil)
    }

    @Test func whatIsCutOffIsNoCrash() throws {
        var writer = RecordWriter()
        writer.append(Self.facts())
        for count in 0..<writer.bytes.count {
            _ = try? Self.read(Array(writer.bytes[..<count])) { reader throws(MalformedRecord) in
                try reader.nodeFacts()
            }
        }
    }

    @Test func aNodeThatIsNotHeardIsSilentForSoLong() throws {
        var roll = NodeRoll()
        roll.heard(Liveness.Beat(node: "a", incarnation: 1), Self.facts(), at: .zero)
        roll.heard(
            Liveness.Beat(node: "b", incarnation: 1), Self.facts(), at: Instant.zero.advanced(by: .seconds(4)))
        let living = [ExactText("a"): UInt64(1), ExactText("b"): 1, ExactText("c"): 1]
        let seen = roll.sightings(living: living, at: Instant.zero.advanced(by: .seconds(5)))
        #expect(seen.map(\.name) == ["a", "b", "c"])
        #expect(seen.map(\.silence) == [.seconds(5), .seconds(1), nil])
        #expect(seen.map { $0.facts == nil } == [false, false, true])
    }

    @Test func aNodeThatHasEndedIsShownForAWhile() throws {
        var roll = NodeRoll()
        roll.heard(Liveness.Beat(node: "a", incarnation: 1), nil, at: .zero)
        let soon = roll.sightings(living: [:], at: Instant.zero.advanced(by: .seconds(60)))
        #expect(soon.map(\.isLiving) == [false])
        #expect(roll.sightings(living: [:], at: Instant.zero.advanced(by: .seconds(3600))).isEmpty)
    }

    /// What its earlier process said is not what it is.
    @Test func aNodeThatHasBegunAnewIsNotKnownUntilItIsHeard() throws {
        var roll = NodeRoll()
        roll.heard(Liveness.Beat(node: "a", incarnation: 1), Self.facts(), at: .zero)
        let seen = roll.sightings(living: [ExactText("a"): 2], at: .zero)
        #expect(seen == [NodeSighting(name: "a", isLiving: true, silence: nil, facts: nil)])
    }
}
