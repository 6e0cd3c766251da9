import Backbone
import BrokerCore
import MQTTModel
import Testing

@Suite("What a client may rely on is said to it after the backbone has noted it")
struct NotingTests {
    private static let lasting: Properties = [.sessionExpiryInterval(100)]

    private func packet(_ connection: ConnectionID, _ kind: Acknowledgement.Kind, _ identifier: PacketIdentifier)
        -> Input
    {
        .packetReceived(connection, .acknowledgement(Acknowledgement(kind, identifier)))
    }

    @Test("MQTT-3.2.0-1: nothing goes to a lasting client before its CONNACK, which waits for the note")
    func connAckWaitsForTheNote() {
        var core = CoreHarness()
        core.answersNotesAtOnce = false
        let connection = core.open()
        #expect(
            core.step(
                .packetReceived(
                    connection,
                    .connect(Connect(version: .v5_0, clientIdentifier: "s", properties: Self.lasting))))
                == [.pauseReading(slot: 0)])
        #expect(
            core.answer(.done) == [
                .connAck(slot: 0, .success, isSessionPresent: false), .resumeReading(slot: 0),
            ])
    }

    @Test("P2: a session that cannot be noted is refused, and leaves nothing behind")
    func aSessionThatCannotBeNotedIsRefused() {
        var core = CoreHarness()
        core.answersNotesAtOnce = false
        let connect = Connect(version: .v5_0, clientIdentifier: "s", cleanStart: false, properties: Self.lasting)
        _ = core.step(.packetReceived(core.open(), .connect(connect)))
        #expect(
            core.answer(.full)
                == [.connAck(slot: 0, .quotaExceeded, isSessionPresent: false), .close(slot: 0)])
        core.answersNotesAtOnce = true
        let answers = core.step(.packetReceived(core.open(), .connect(connect)))
        #expect(answers.contains(.connAck(slot: 1, .success, isSessionPresent: false)))
    }

    @Test("P1: SUBACK waits for the note of the subscription")
    func subAckWaitsForTheNote() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        core.answersNotesAtOnce = false
        #expect(core.subscribe(subscriber, to: "t") == [])
        #expect(core.answer(.done) == [.subAck(slot: 0, [.grantedQoS2])])
    }

    @Test("P1: without the note there is no SUBACK; the client is sent away")
    func withoutTheNoteTheClientIsSentAway() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        core.answersNotesAtOnce = false
        _ = core.subscribe(subscriber, to: "t")
        #expect(
            core.answer(.unknown) == [.disconnect(slot: 0, .implementationSpecificError), .close(slot: 0)])
    }

    @Test("P1: a QoS 2 message of the log goes out, and is released, only under a noted identifier")
    func exactlyOnceIsNotedBeforeItIsSent() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p")
        core.answersNotesAtOnce = false
        _ = core.publish(publisher, "t", qos: .exactlyOnce, identifier: 9)
        #expect(core.answer(.done) == [.acknowledge(slot: 1, .pubRec, 9, .success)])
        #expect(
            core.answer(.done)
                == [.publish(slot: 0, topic: "t", qos: .exactlyOnce, identifier: 1, isDuplicate: false)])
        #expect(core.step(packet(subscriber, .pubRec, 1)) == [])
        #expect(core.answer(.done) == [.acknowledge(slot: 0, .pubRel, 1, .success)])
    }

    @Test("P1: PUBCOMP waits until the release of a noted exchange is noted")
    func pubCompWaitsForTheNote() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t", qos: .atLeastOnce)
        let publisher = core.connect("p", properties: Self.lasting)
        _ = core.publish(publisher, "t", qos: .exactlyOnce, identifier: 9)
        _ = core.answer(.done)
        core.answersNotesAtOnce = false
        #expect(core.step(packet(publisher, .pubRel, 9)) == [])
        #expect(core.answer(.done) == [.acknowledge(slot: 1, .pubComp, 9, .success)])
    }

    @Test("a full backbone is answered with 0x97 in 5.0; in 3.1.1 the message is not acknowledged")
    func fullIsAnswered() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t")
        let modern = core.connect("p5")
        let old = core.connect("p3", version: .v3_1_1)
        _ = core.publish(modern, "t", qos: .atLeastOnce, identifier: 1)
        #expect(core.answer(.full) == [.acknowledge(slot: 1, .pubAck, 1, .quotaExceeded)])
        _ = core.publish(old, "t", qos: .atLeastOnce, identifier: 1)
        #expect(core.answer(.full) == [.close(slot: 2)])
    }
}
