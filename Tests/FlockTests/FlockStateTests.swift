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

    /// As with the other engines: the note of the beginning may have failed.
    @Test func aSessionWhoseBeginningWasNotNotedBeginsWithItsConnection() throws {
        var state = FlockState()
        state.apply(Self.batch([.connected(clientIdentifier: "c", expiryInterval: 60, will: nil)]), stream: 3)
        let session = try #require(state.sessions[ExactText("c")])
        #expect(session.owner == ExactText("north"))
        #expect(session.record.cursor == LogSequence(stream: 3, index: 0))
        #expect(session.record.expiryInterval == 60)
    }

    /// [MQTT-3.1.2-23]: the expiry runs from the end of the connection, by the clock of the node that noted it.
    @Test func anAwaySessionHasWhatIsLeftOfItsExpiry() throws {
        var state = FlockState()
        state.apply(Self.batch([.began(clientIdentifier: "c")]), stream: 1)
        let left = Self.batch([.disconnected(clientIdentifier: "c", expiryInterval: 60, willDelay: nil)], number: 2)
        state.apply(left, stream: 2)
        let record = try #require(state.sessions[ExactText("c")]?.record)
        #expect(record.restored(at: Instant(nanoseconds: 35_500_000_000)).expiresIn == 30)
    }
}
