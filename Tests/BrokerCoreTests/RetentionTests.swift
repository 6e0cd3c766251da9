import Backbone
import BrokerCore
import MQTTModel
import Testing

@Suite("What the log gives up waits in no session")
struct RetentionTests {
    private static func publish(_ core: inout CoreHarness, _ publisher: ConnectionID, count: Int) {
        for number in 1...count {
            _ = core.publish(publisher, "t", qos: .atLeastOnce, identifier: PacketIdentifier(number))
            _ = core.answer(.done)
        }
    }

    private static func deliveries(_ seen: [CoreHarness.Seen]) -> Int {
        seen.count { if case .publish = $0 { true } else { false } }
    }

    @Test func anAbsentSessionLosesWhatIsGoneAndNoMore() {
        var core = CoreHarness()
        let lasting: Properties = [.sessionExpiryInterval(100)]
        let subscriber = core.connect("s", properties: lasting)
        _ = core.subscribe(subscriber, to: "t")
        _ = core.step(.connectionClosed(subscriber))
        let publisher = core.connect("p")
        Self.publish(&core, publisher, count: 10)
        _ = core.step(.logDropped(through: 4))
        _ = core.advance(by: .seconds(1))
        #expect(core.counters.droppedByRetention == 4)
        let again = core.open()
        let seen = core.step(
            .packetReceived(
                again,
                .connect(Connect(version: .v5_0, clientIdentifier: "s", cleanStart: false, properties: lasting))))
        #expect(Self.deliveries(seen) == 6)
    }

    /// Its bound is for what is there.
    @Test func whatIsGoneMakesRoomInTheQueue() {
        var options = BrokerOptions()
        options.limits.maximumQueuedMessages = 4
        var core = CoreHarness(options: options)
        let subscriber = core.connect("s", properties: [.sessionExpiryInterval(100)])
        _ = core.subscribe(subscriber, to: "t")
        _ = core.step(.connectionClosed(subscriber))
        let publisher = core.connect("p")
        Self.publish(&core, publisher, count: 4)
        _ = core.step(.logDropped(through: 3))
        _ = core.advance(by: .seconds(1))
        Self.publish(&core, publisher, count: 3)
        #expect(core.counters.droppedQueueFull == 0)
        #expect(core.counters.droppedByRetention == 3)
    }

    @Test("MQTT-4.3.3-10: a client that holds an identifier is asked to release it, though its message is gone")
    func anExchangeWhoseMessageIsGoneIsReleased() {
        var core = CoreHarness()
        var session = RestoredSession(clientIdentifier: "s")
        session.expiryInterval = 100
        session.sent = [RestoredSession.Sent(SentExchange(sequence: 3), packetIdentifier: 7, phase: .sending)]
        core.restore([session], log: [])
        let connection = core.open()
        let seen = core.step(
            .packetReceived(
                connection,
                .connect(
                    Connect(
                        version: .v5_0, clientIdentifier: "s", cleanStart: false,
                        properties: [.sessionExpiryInterval(100)]))))
        #expect(seen.contains(.acknowledge(slot: 0, .pubRel, 7, .success)))
    }
}
