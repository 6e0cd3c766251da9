import Backbone
import BrokerCore
import MQTTModel
import Testing

@Suite("Delivery to a session")
struct DeliveryTests {
    private func acknowledge(_ connection: ConnectionID, _ kind: Acknowledgement.Kind, _ identifier: PacketIdentifier)
        -> Input
    {
        .packetReceived(connection, .acknowledgement(Acknowledgement(kind, identifier)))
    }

    @Test("MQTT-3.3.4-9: a Receive Maximum of one holds the second message until the first is finished")
    func receiveMaximumOfOneHoldsTheSecondPublish() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: [.receiveMaximum(1)])
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p")
        #expect(core.publish(publisher, "t", qos: .exactlyOnce, identifier: 1).count == 2)
        #expect(
            core.publish(publisher, "t", qos: .exactlyOnce, identifier: 2)
                == [.acknowledge(slot: 1, .pubRec, 2, .success)])
        #expect(core.step(acknowledge(subscriber, .pubRec, 1)) == [.acknowledge(slot: 0, .pubRel, 1, .success)])
        #expect(
            core.step(acknowledge(subscriber, .pubComp, 1))
                == [.publish(slot: 0, topic: "t", qos: .exactlyOnce, identifier: 2, isDuplicate: false)])
    }

    /// Section 4.9: the quota is not part of the session.
    @Test("MQTT-3.3.4-9: a new connection has its Receive Maximum again, whatever is not released of an earlier one")
    func aNewConnectionHasItsReceiveMaximumAgain() {
        var options = BrokerOptions()
        options.limits.receiveMaximum = 1
        var core = CoreHarness(options: options)
        let lasting: Properties = [.sessionExpiryInterval(100)]
        let first = core.connect("p", properties: lasting)
        _ = core.publish(first, "t", qos: .exactlyOnce, identifier: 1)
        let second = core.connect("p", cleanStart: false, properties: lasting)
        let answers = core.publish(second, "t", qos: .exactlyOnce, identifier: 2)
        #expect(answers == [.acknowledge(slot: 1, .pubRec, 2, .noMatchingSubscribers)])
        #expect(core.publish(second, "t", qos: .exactlyOnce, identifier: 3).contains { "\($0)".contains("isconnect") })
    }

    @Test("a client that does not read costs its QoS 0 messages, and its QoS 1 messages wait")
    func unwritableConnectionDropsQoS0AndHoldsQoS1() {
        var core = CoreHarness()
        let subscriber = core.connect("s")
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p")
        _ = core.step(.writabilityChanged(subscriber, isWritable: false))
        #expect(core.publish(publisher, "t", qos: .atMostOnce) == [])
        #expect(
            core.publish(publisher, "t", qos: .atLeastOnce, identifier: 1)
                == [.acknowledge(slot: 1, .pubAck, 1, .success)])
        #expect(core.counters.droppedNotWritable == 1)
        #expect(
            core.step(.writabilityChanged(subscriber, isWritable: true))
                == [.publish(slot: 0, topic: "t", qos: .atLeastOnce, identifier: 1, isDuplicate: false)])
    }

    @Test("P7: a session's queue keeps its bound and counts what it drops", arguments: [0, 1, 5])
    func queueKeepsItsBound(bound: Int) {
        var options = BrokerOptions()
        options.limits.maximumQueuedMessages = bound
        var core = CoreHarness(options: options)
        let subscriber = core.connect("s")
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p")
        _ = core.step(.writabilityChanged(subscriber, isWritable: false))
        for identifier in 1...PacketIdentifier(bound + 1) {
            _ = core.publish(publisher, "t", qos: .atLeastOnce, identifier: identifier)
        }
        #expect(core.counters.droppedQueueFull == 1)
        let sent = core.step(.writabilityChanged(subscriber, isWritable: true))
        #expect(sent.count == bound)
    }

    @Test("MQTT-4.4.0-1: what was unacknowledged is sent again with DUP and its identifier, in order, then what waited")
    func resumeResendsInOrder() {
        var core = CoreHarness()
        let properties: Properties = [.sessionExpiryInterval(100), .receiveMaximum(2)]
        let subscriber = core.connect("s", properties: properties)
        _ = core.subscribe(subscriber, to: "+")
        let publisher = core.connect("p")
        for (identifier, topic) in [(1, "a"), (2, "b"), (3, "c")] as [(PacketIdentifier, String)] {
            _ = core.publish(publisher, topic, qos: .exactlyOnce, identifier: identifier)
            _ = core.answer(.done)
        }
        _ = core.step(acknowledge(subscriber, .pubRec, 1))
        _ = core.step(.connectionClosed(subscriber))
        let again = core.open()
        let seen = core.step(
            .packetReceived(
                again,
                .connect(
                    Connect(version: .v5_0, clientIdentifier: "s", cleanStart: false, properties: properties))))
        #expect(
            seen == [
                .pauseReading(slot: 2),
                .connAck(slot: 2, .success, isSessionPresent: true),
                .resumeReading(slot: 2),
                .acknowledge(slot: 2, .pubRel, 1, .success),
                .publish(slot: 2, topic: "b", qos: .exactlyOnce, identifier: 2, isDuplicate: true),
            ])
        #expect(
            core.step(acknowledge(again, .pubComp, 1))
                == [.publish(slot: 2, topic: "c", qos: .exactlyOnce, identifier: 3, isDuplicate: false)])
    }

    @Test("P2: a second connection with the same client identifier ends the first with 0x8E")
    func takeoverEndsTheFirstConnection() {
        var core = CoreHarness()
        _ = core.connect("s", properties: [.sessionExpiryInterval(100)])
        let second = core.open()
        #expect(
            core.step(
                .packetReceived(
                    second, .connect(Connect(version: .v5_0, clientIdentifier: "s", cleanStart: false))))
                == [
                    .disconnect(slot: 0, .sessionTakenOver), .close(slot: 0), .pauseReading(slot: 1),
                    .connAck(slot: 1, .success, isSessionPresent: true), .resumeReading(slot: 1),
                ])
    }

    @Test("retained messages for a new subscription go before newer messages of their topics")
    func newerMessagesDoNotPassRetainedOnes() {
        var core = CoreHarness()
        let publisher = core.connect("p")
        for topic in ["a", "b", "c"] {
            _ = core.publish(publisher, topic, qos: .atLeastOnce, identifier: 1, isRetained: true)
            _ = core.answer(.done)
        }
        let subscriber = core.connect("s", properties: [.receiveMaximum(1)])
        #expect(core.subscribe(subscriber, to: "+", qos: .atLeastOnce).count == 2)
        #expect(core.publish(publisher, "c", qos: .atMostOnce) == [])
        #expect(
            core.step(acknowledge(subscriber, .pubAck, 1))
                == [.publish(slot: 1, topic: "b", qos: .atLeastOnce, identifier: 2, isDuplicate: false)])
        #expect(
            core.step(acknowledge(subscriber, .pubAck, 2)) == [
                .publish(slot: 1, topic: "c", qos: .atLeastOnce, identifier: 3, isDuplicate: false),
                .publish(slot: 1, topic: "c", qos: .atMostOnce, identifier: 0, isDuplicate: false),
            ])
    }
}
