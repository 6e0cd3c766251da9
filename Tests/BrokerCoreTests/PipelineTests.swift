import Backbone
import BrokerCore
import MQTTModel
import Testing

@Suite("Publishes that wait for the backbone")
struct PipelineTests {
    private static let lasting: Properties = [.sessionExpiryInterval(100)]

    @Test("P1: a durable QoS 1 message is delivered and acknowledged only after done")
    func acknowledgedOnlyAfterDone() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p")
        #expect(core.publish(publisher, "t", qos: .atLeastOnce, identifier: 9) == [])
        #expect(
            core.answer(.done) == [
                .publish(slot: 0, topic: "t", qos: .atLeastOnce, identifier: 1, isDuplicate: false),
                .acknowledge(slot: 1, .pubAck, 9, .success),
            ])
    }

    @Test("a message that no lasting session wants does not touch the backbone")
    func withoutDurableInterestTheBackboneIsNotAsked() {
        var core = CoreHarness()
        let subscriber = core.connect("s")
        _ = core.subscribe(subscriber, to: "t")
        _ = core.connect("elsewhere", properties: Self.lasting)
        let publisher = core.connect("p")
        #expect(
            core.publish(publisher, "t", qos: .atLeastOnce, identifier: 9) == [
                .publish(slot: 0, topic: "t", qos: .atLeastOnce, identifier: 1, isDuplicate: false),
                .acknowledge(slot: 2, .pubAck, 9, .success),
            ])
        #expect(core.pendingCommands.isEmpty)
    }

    @Test("P3: what comes behind a message that waits is routed behind it, whatever its QoS")
    func orderIsKeptBehindAMessageThatWaits() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "#")
        let publisher = core.connect("p")
        #expect(core.publish(publisher, "a", qos: .atLeastOnce, identifier: 1) == [])
        #expect(core.publish(publisher, "b", qos: .atMostOnce) == [])
        #expect(core.publish(publisher, "c", qos: .exactlyOnce, identifier: 2) == [])
        #expect(
            core.answer(.done) == [
                .publish(slot: 0, topic: "a", qos: .atLeastOnce, identifier: 1, isDuplicate: false),
                .acknowledge(slot: 1, .pubAck, 1, .success),
            ])
        #expect(
            core.answer(.done) == [.publish(slot: 0, topic: "b", qos: .atMostOnce, identifier: 0, isDuplicate: false)])
        #expect(
            core.answer(.done) == [
                .publish(slot: 0, topic: "c", qos: .exactlyOnce, identifier: 2, isDuplicate: false),
                .acknowledge(slot: 1, .pubRec, 2, .success),
            ])
    }

    @Test("P1: unknown is not acknowledged; the client is sent away and its QoS 2 identifier is free again")
    func unknownIsNotAcknowledged() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p", properties: Self.lasting)
        #expect(core.publish(publisher, "t", qos: .exactlyOnce, identifier: 9) == [])
        #expect(
            core.answer(.unknown) == [.disconnect(slot: 1, .implementationSpecificError), .close(slot: 1)])
        let again = core.connect("p", cleanStart: false, properties: Self.lasting)
        #expect(core.publish(again, "t", qos: .exactlyOnce, identifier: 9, isDuplicate: true) == [])
        #expect(
            core.answer(.done) == [
                .publish(slot: 0, topic: "t", qos: .exactlyOnce, identifier: 1, isDuplicate: false),
                .acknowledge(slot: 2, .pubRec, 9, .success),
            ])
    }

    @Test(
        "MQTT-4.3.3-10: a repeat of a QoS 2 message that waits is answered when that one is done, on the new connection"
    )
    func repeatWaitsWithTheFirst() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p", properties: Self.lasting)
        #expect(core.publish(publisher, "t", qos: .exactlyOnce, identifier: 9) == [])
        _ = core.step(.connectionClosed(publisher))
        let again = core.connect("p", cleanStart: false, properties: Self.lasting)
        #expect(core.publish(again, "t", qos: .exactlyOnce, identifier: 9, isDuplicate: true) == [])
        #expect(
            core.answer(.done) == [
                .publish(slot: 0, topic: "t", qos: .exactlyOnce, identifier: 1, isDuplicate: false),
                .acknowledge(slot: 2, .pubRec, 9, .success),
            ])
        #expect(
            core.publish(again, "t", qos: .exactlyOnce, identifier: 9, isDuplicate: true)
                == [.acknowledge(slot: 2, .pubRec, 9, .success)])
    }

    @Test("P4: a retained message is stored, routed and then acknowledged, once each")
    func retainedIsRoutedByItsChange() {
        var core = CoreHarness()
        let subscriber = core.connect("s")
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p")
        #expect(core.publish(publisher, "t", qos: .atLeastOnce, identifier: 5, isRetained: true) == [])
        #expect(
            core.answer(.done) == [
                .publish(slot: 0, topic: "t", qos: .atLeastOnce, identifier: 1, isDuplicate: false),
                .acknowledge(slot: 1, .pubAck, 5, .success),
            ])
        let late = core.connect("late")
        #expect(
            core.subscribe(late, to: "t") == [
                .subAck(slot: 2, [.grantedQoS2]),
                .publish(slot: 2, topic: "t", qos: .atLeastOnce, identifier: 1, isDuplicate: false),
            ])
    }

    @Test("a client with too many publishes that wait is not read until the backbone has caught up")
    func readingPausesAtTheBound() {
        var options = BrokerOptions()
        options.limits.maximumPendingPublishes = 2
        var core = CoreHarness(options: options)
        let publisher = core.connect("p")
        #expect(core.publish(publisher, "a", qos: .atMostOnce, isRetained: true) == [])
        #expect(core.publish(publisher, "b", qos: .atMostOnce, isRetained: true) == [.pauseReading(slot: 0)])
        #expect(core.answer(.done) == [.resumeReading(slot: 0)])
        #expect(core.answer(.done) == [])
    }

    @Test("a publisher that went away is not answered, but what it sent is delivered")
    func publisherThatWentAwayIsNotAnswered() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p")
        _ = core.publish(publisher, "t", qos: .atLeastOnce, identifier: 9)
        _ = core.step(.connectionClosed(publisher))
        #expect(
            core.answer(.done) == [
                .publish(slot: 0, topic: "t", qos: .atLeastOnce, identifier: 1, isDuplicate: false)
            ])
    }
}
