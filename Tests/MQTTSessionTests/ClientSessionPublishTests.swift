import MQTTModel
import MQTTSession
import Testing

@Suite struct ClientSessionPublishTests {
    @Test func qos0IsSentAtOnceOrRefused() {
        let client = ClientTrace()
        #expect(client.publish("t") == ["· refused: notConnected"])
        _ = client.connect()
        _ = client.connAck()
        #expect(client.publish("t") == ["PUBLISH t"])
    }

    @Test func qos1EndsWithPubAck() {
        let client = ClientTrace.connected()
        #expect(client.publish("t", qos: .atLeastOnce) == ["PUBLISH t q1 #1"])
        #expect(client.receive(.pubAck, 1, .noMatchingSubscribers) == ["· published: no matching subscribers"])
        #expect(client.receive(.pubAck, 1) == [])
        #expect(client.unfinishedCount == 0)
    }

    @Test func qos2EndsWithPubCompAndTheReasonOfPubRec() {
        let client = ClientTrace.connected()
        #expect(client.publish("t", qos: .exactlyOnce) == ["PUBLISH t q2 #1"])
        #expect(client.receive(.pubRec, 1, .noMatchingSubscribers) == ["PUBREL #1"])
        #expect(client.receive(.pubComp, 1) == ["· published: no matching subscribers"])
    }

    @Test func pubRecThatRefusesEndsQoS2() {
        let client = ClientTrace.connected()
        _ = client.publish("t", qos: .exactlyOnce)
        #expect(client.receive(.pubRec, 1, .quotaExceeded) == ["· published: quota exceeded"])
    }

    @Test("MQTT-2.2.1-3: identifiers in use are skipped, and one space serves all packets")
    func packetIdentifiersAreSharedWithSubscribe() {
        let client = ClientTrace.connected()
        #expect(client.publish("t", qos: .atLeastOnce) == ["PUBLISH t q1 #1"])
        #expect(client.subscribe("f") == ["SUBSCRIBE #2 f"])
        #expect(client.publish("t", qos: .atLeastOnce) == ["PUBLISH t q1 #3"])
    }

    @Test func packetIdentifiersWrapAroundThoseInUse() {
        let client = ClientTrace.connected()
        #expect(client.publish("t", qos: .exactlyOnce) == ["PUBLISH t q2 #1"])
        for identifier in UInt16(2)...UInt16.max {
            _ = client.publish("t", qos: .atLeastOnce)
            _ = client.receive(.pubAck, identifier)
        }
        #expect(client.publish("t", qos: .atLeastOnce) == ["PUBLISH t q1 #2"])
    }

    @Test("MQTT-3.3.4-7: never more than the server's Receive Maximum")
    func receiveMaximumOfOneHoldsTheSecondPublish() {
        let client = ClientTrace.connected(server: [.receiveMaximum(1)])
        #expect(client.publish("a", qos: .atLeastOnce) == ["PUBLISH a q1 #1"])
        #expect(client.publish("b", qos: .exactlyOnce) == [])
        #expect(client.publish("c") == ["PUBLISH c"])
        #expect(client.receive(.pubAck, 1) == ["· published: success", "PUBLISH b q2 #2"])
    }

    @Test("MQTT-4.9.0-2: a QoS 2 message holds its slot until PUBCOMP")
    func pubRecDoesNotFreeTheWindow() {
        let client = ClientTrace.connected(server: [.receiveMaximum(1)])
        _ = client.publish("a", qos: .exactlyOnce)
        _ = client.publish("b", qos: .exactlyOnce)
        #expect(client.receive(.pubRec, 1) == ["PUBREL #1"])
        #expect(client.receive(.pubComp, 1) == ["· published: success", "PUBLISH b q2 #2"])
    }

    @Test func queueIsBoundedAndRefuses() {
        let client = ClientTrace { $0.maximumQueuedMessages = 1 }
        #expect(client.publish("a", qos: .atLeastOnce) == [])
        #expect(!client.hasRoom)
        #expect(client.publish("b", qos: .atLeastOnce) == ["· refused: queueFull"])
        _ = client.connect()
        #expect(client.connAck() == ["· connected", "PUBLISH a q1 #1"])
        #expect(client.hasRoom)
    }

    @Test func queueIsBoundedInBytesButTakesOneLargeMessage() {
        let client = ClientTrace { $0.maximumQueuedBytes = 10 }
        #expect(client.publish("a", qos: .atLeastOnce, payload: 100) == [])
        #expect(client.publish("b", qos: .atLeastOnce) == ["· refused: queueFull"])
    }

    // MARK: What the server does not take

    @Test("MQTT-3.2.2-15, MQTT-3.2.2-11, MQTT-3.2.2-14: limits of the server")
    func messageBeyondTheServersLimitsIsRefused() {
        let client = ClientTrace.connected(server: [.maximumPacketSize(20), .maximumQoS(1), .retainAvailable(0)])
        #expect(client.publish("t", payload: 20) == ["· refused: packetTooLarge"])
        #expect(client.publish("t", payload: 14) == ["PUBLISH t"])
        #expect(client.publish("t", payload: 15) == ["· refused: packetTooLarge"])
        #expect(client.publish("t", qos: .exactlyOnce) == ["· refused: qosNotSupported"])
        #expect(client.publish("t", isRetained: true) == ["· refused: retainNotSupported"])
    }

    @Test func queuedMessageBeyondTheServersLimitsIsReported() {
        let client = ClientTrace()
        _ = client.publish("a", qos: .exactlyOnce)
        _ = client.publish("b", qos: .atLeastOnce)
        _ = client.connect()
        #expect(
            client.connAck(properties: [.maximumQoS(1)]) == [
                "· connected", "· refused: qosNotSupported", "PUBLISH b q1 #1",
            ])
    }

    // MARK: Resuming

    @Test("MQTT-4.4.0-1, MQTT-4.6.0-1: unfinished messages again, in order, with DUP")
    func resumedSessionSendsAgainInOrder() {
        let client = ClientTrace.connected()
        _ = client.publish("a", qos: .atLeastOnce)
        _ = client.publish("b", qos: .exactlyOnce)
        _ = client.publish("c", qos: .exactlyOnce)
        _ = client.publish("d", qos: .atLeastOnce)
        _ = client.receive(.pubRec, 2)
        _ = client.receive(.pubAck, 4)
        #expect(
            client.reconnect(isSessionPresent: true) == [
                "· connected, session present", "PUBREL #2", "PUBLISH a q1 #1 dup", "PUBLISH c q2 #3 dup",
            ])
        #expect(client.receive(.pubComp, 2, .packetIdentifierNotFound) == ["· published: success"])
    }

    @Test func resumedSessionKeepsToASmallerReceiveMaximum() {
        let client = ClientTrace.connected()
        for topic in ["a", "b", "c"] { _ = client.publish(topic, qos: .atLeastOnce) }
        #expect(
            client.reconnect(isSessionPresent: true, server: [.receiveMaximum(2)]) == [
                "· connected, session present", "PUBLISH a q1 #1 dup", "PUBLISH b q1 #2 dup",
            ])
        #expect(client.publish("d", qos: .atLeastOnce) == [])
        #expect(client.receive(.pubAck, 1) == ["· published: success", "PUBLISH c q1 #3 dup"])
        #expect(client.receive(.pubAck, 2) == ["· published: success", "PUBLISH d q1 #4"])
    }

    @Test func messagesNeverSentFollowWithoutDup() {
        let client = ClientTrace.connected(server: [.receiveMaximum(1)])
        _ = client.publish("a", qos: .atLeastOnce)
        _ = client.publish("b", qos: .atLeastOnce)
        #expect(
            client.reconnect(isSessionPresent: true) == [
                "· connected, session present", "PUBLISH a q1 #1 dup", "PUBLISH b q1 #2",
            ])
    }

    @Test("MQTT-3.2.2-5: no session at the server, none at the client")
    func lostSessionPublishesQoS1AnewAndGivesUpQoS2() {
        let client = ClientTrace.connected()
        _ = client.publish("a", qos: .atLeastOnce)
        _ = client.publish("b", qos: .exactlyOnce)
        _ = client.publish("c", qos: .atLeastOnce)
        #expect(
            client.reconnect(isSessionPresent: false) == [
                "· connected", "· session discarded", "· session lost", "PUBLISH a q1 #4", "PUBLISH c q1 #5",
            ])
    }

    @Test func lostSessionEndsEveryPublicationIfAskedTo() {
        let client = ClientTrace.connected { $0.republishesAfterSessionLoss = false }
        _ = client.publish("a", qos: .atLeastOnce)
        #expect(
            client.reconnect(isSessionPresent: false) == ["· connected", "· session discarded", "· session lost"])
        #expect(client.unfinishedCount == 0)
    }

    // MARK: What the server does wrong

    @Test func acknowledgementOfTheWrongKindIsAViolation() {
        let client = ClientTrace.connected()
        _ = client.publish("a", qos: .exactlyOnce)
        #expect(client.receive(.pubAck, 1).contains("· violation MQTT-4.3.2-2: protocol error"))
        let other = ClientTrace.connected()
        _ = other.publish("a", qos: .atLeastOnce)
        #expect(other.receive(.pubRec, 1).contains("· violation MQTT-4.3.3-4: protocol error"))
        let third = ClientTrace.connected()
        _ = third.publish("a", qos: .exactlyOnce)
        #expect(third.receive(.pubComp, 1).contains("· violation MQTT-4.3.3-4: protocol error"))
    }

    @Test func pubRecForAForgottenMessageIsReleased() {
        let client = ClientTrace.connected()
        #expect(client.receive(.pubRec, 9) == ["PUBREL #9 packet identifier not found"])
        let older = ClientTrace.connected(version: .v3_1_1)
        #expect(older.receive(.pubRec, 9) == ["PUBREL #9"])
    }

    // MARK: Topic aliases

    @Test func topicAliasesAreUsedAsFarAsTheServerAllows() {
        let client = ClientTrace.connected(server: [.topicAliasMaximum(1)]) { $0.maximumOutboundTopicAliases = 8 }
        #expect(client.publish("a") == ["PUBLISH a @1"])
        #expect(client.publish("a") == ["PUBLISH  @1"])
        #expect(client.publish("b") == ["PUBLISH b"])
        _ = client.publish("a", qos: .atLeastOnce)
        #expect(
            client.reconnect(isSessionPresent: true) == ["· connected, session present", "PUBLISH a q1 #1 dup"])
    }
}
