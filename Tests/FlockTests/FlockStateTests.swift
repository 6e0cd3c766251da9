import Backbone
import Flock
import MQTTModel
import Testing

@Suite("What the log adds up to")
struct FlockStateTests {
    private static func batch(_ changes: [SessionChange], from node: String = "north", number: UInt64 = 1) -> FlockBatch
    {
        FlockBatch(
            identity: FlockBatch.Identity(node: node, incarnation: 1, number: number), writtenAt: 5_000,
            records: [.changes(changes)])
    }

    private static func up(_ node: String = "north", incarnation: UInt64 = 1) -> FlockBatch {
        FlockLog(node: node, incarnation: incarnation, shardCount: 1).beginning(at: 0)
    }

    /// A state in which the node has begun.
    private static func begun() -> FlockState {
        var state = FlockState(of: "north")
        state.apply(up(), stream: 1, now: 0)
        return state
    }

    /// As with the other engines: the note of the beginning may have failed.
    @Test func aSessionWhoseBeginningWasNotNotedBeginsWithItsConnection() throws {
        var state = Self.begun()
        state.apply(Self.batch([.connected(clientIdentifier: "c", expiryInterval: 60, will: nil)]), stream: 3, now: 0)
        let session = try #require(state.sessions[ExactText("c")])
        #expect(state.owners[ExactText("c")] == ExactText("north"))
        #expect(session.cursor == LogSequence(stream: 3, index: 0))
        #expect(session.expiryInterval == 60)
    }

    /// [MQTT-3.1.2-23]: the expiry runs from the end of the connection, by the clock of the node that noted it.
    @Test func anAwaySessionHasWhatIsLeftOfItsExpiry() throws {
        var state = Self.begun()
        state.apply(Self.batch([.began(clientIdentifier: "c")]), stream: 2, now: 0)
        let left = Self.batch([.disconnected(clientIdentifier: "c", expiryInterval: 60, willDelay: nil)], number: 2)
        state.apply(left, stream: 3, now: 0)
        let record = try #require(state.sessions[ExactText("c")])
        #expect(record.restored(at: Instant(nanoseconds: 35_500_000_000)).expiresIn == 30)
    }

    /// P1: what a killed process still had under way may not be added to what its successor has taken up.
    @Test func whatAnEarlierIncarnationWritesDoesNotCount() {
        var state = Self.begun()
        let counts = [
            state.apply(Self.batch([.began(clientIdentifier: "1")]), stream: 2, now: 0).counts,
            state.apply(Self.up(incarnation: 2), stream: 3, now: 0).counts,
            state.apply(Self.batch([.began(clientIdentifier: "2")], number: 2), stream: 4, now: 0).counts,
        ]
        #expect(counts == [true, true, false])
        #expect(state.sessions.count == 1)
        #expect(!state.isLiving(Self.batch([]).identity))
    }

    /// P1: a server forgets the names of batches that the log was shortened by, and one may be sent again.
    @Test func aBatchThatComesAgainDoesNotCount() {
        var state = Self.begun()
        let counts = [1, 2, 1, 2, 4].enumerated().map { index, number in
            state.apply(Self.batch([], number: number), stream: UInt64(index) + 2, now: 0).counts
        }
        #expect(counts == [true, true, false, false, true])
    }

    @Test func whatADeadNodeWritesDoesNotCount() {
        var state = Self.begun()
        state.apply(Self.up("south"), stream: 2, now: 0)
        let word = FlockBatch(
            identity: FlockBatch.Identity(node: "south", incarnation: 1, number: 1), writtenAt: 0,
            records: [.nodeDown(name: "north", incarnation: 7), .nodeDown(name: "north", incarnation: 1)])
        state.apply(word, stream: 3, now: 0)
        let counts = state.apply(Self.batch([.began(clientIdentifier: "c")]), stream: 4, now: 0).counts
        #expect(!counts)
        #expect(state.nodes.keys.map(\.string) == ["south"])
        #expect(state.sessions.isEmpty)
    }

    @Test func aNodeThatHasNotBegunIsNotHeard() {
        var state = FlockState(of: "north")
        let counts = state.apply(Self.batch([.began(clientIdentifier: "c")]), stream: 1, now: 0).counts
        #expect(!counts)
    }
}
