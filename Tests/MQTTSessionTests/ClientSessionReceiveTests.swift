import MQTTModel
import MQTTSession
import Testing

@Suite struct ClientSessionReceiveTests {
    @Test func messagesAreAcknowledgedByTheSession() {
        let client = ClientTrace.connected()
        #expect(client.receivePublish("t") == ["· message t"])
        #expect(client.receivePublish("t", qos: .atLeastOnce, 7) == ["· message t", "PUBACK #7"])
        #expect(client.receivePublish("t", qos: .exactlyOnce, 8) == ["· message t", "PUBREC #8"])
        #expect(client.receive(.pubRel, 8) == ["PUBCOMP #8"])
    }

    @Test("MQTT-4.3.3-10: a repeated QoS 2 message is not handed on")
    func repeatedExactlyOnceMessageIsOneMessage() {
        let client = ClientTrace.connected()
        _ = client.receivePublish("t", qos: .exactlyOnce, 8)
        #expect(client.receivePublish("t", qos: .exactlyOnce, 8, isDuplicate: true) == ["PUBREC #8"])
        _ = client.reconnect(isSessionPresent: true)
        #expect(client.receivePublish("t", qos: .exactlyOnce, 8, isDuplicate: true) == ["PUBREC #8"])
        #expect(client.receive(.pubRel, 8) == ["PUBCOMP #8"])
        #expect(client.receivePublish("t", qos: .exactlyOnce, 8) == ["· message t", "PUBREC #8"])
    }

    @Test func newSessionForgetsWhatWasReceived() {
        let client = ClientTrace.connected()
        _ = client.receivePublish("t", qos: .exactlyOnce, 8)
        _ = client.reconnect(isSessionPresent: false)
        #expect(client.receivePublish("t", qos: .exactlyOnce, 8) == ["· message t", "PUBREC #8"])
    }

    @Test("MQTT-4.3.3-11: PUBREL is always answered")
    func unknownPubRelIsAnswered() {
        let client = ClientTrace.connected()
        #expect(client.receive(.pubRel, 5) == ["PUBCOMP #5 packet identifier not found"])
        let older = ClientTrace.connected(version: .v3_1_1)
        #expect(older.receive(.pubRel, 5) == ["PUBCOMP #5"])
    }

    // MARK: The application acknowledges

    @Test func messageIsAcknowledgedWhenTheApplicationTakesIt() {
        let client = ClientTrace.connected { $0.acknowledgesAutomatically = false }
        #expect(client.receivePublish("a", qos: .atLeastOnce, 1) == ["· message a"])
        #expect(client.receivePublish("b", qos: .exactlyOnce, 2) == ["· message b"])
        #expect(client.unacknowledgedCount == 2)
        #expect(client.take() == ["PUBACK #1"])
        #expect(client.take() == ["PUBREC #2"])
        #expect(client.receive(.pubRel, 2) == ["PUBCOMP #2"])
        #expect(client.unacknowledgedCount == 0)
    }

    @Test func qos1MessageTakenAfterTheConnectionIsNotAcknowledged() {
        let client = ClientTrace.connected { $0.acknowledgesAutomatically = false }
        _ = client.receivePublish("a", qos: .atLeastOnce, 1)
        _ = client.reconnect(isSessionPresent: true)
        #expect(client.take() == [])
        #expect(client.receivePublish("a", qos: .atLeastOnce, 1, isDuplicate: true) == ["· message a"])
        #expect(client.take() == ["PUBACK #1"])
    }

    @Test func qos2MessageTakenAfterTheConnectionIsAcknowledgedWhenItComesAgain() {
        let client = ClientTrace.connected { $0.acknowledgesAutomatically = false }
        _ = client.receivePublish("a", qos: .exactlyOnce, 1)
        _ = client.reconnect(isSessionPresent: true)
        #expect(client.take() == [])
        #expect(client.receivePublish("a", qos: .exactlyOnce, 1, isDuplicate: true) == ["PUBREC #1"])
    }

    @Test func qos2MessageThatComesAgainBeforeItIsTakenIsOneMessage() {
        let client = ClientTrace.connected { $0.acknowledgesAutomatically = false }
        _ = client.receivePublish("a", qos: .exactlyOnce, 1)
        _ = client.reconnect(isSessionPresent: true)
        #expect(client.receivePublish("a", qos: .exactlyOnce, 1, isDuplicate: true) == [])
        #expect(client.take() == ["PUBREC #1"])
    }

    @Test func messageOfALostSessionIsNotAcknowledgedInTheNext() {
        let client = ClientTrace.connected { $0.acknowledgesAutomatically = false }
        _ = client.receivePublish("a", qos: .exactlyOnce, 1)
        _ = client.reconnect(isSessionPresent: false)
        _ = client.receivePublish("b", qos: .exactlyOnce, 1)
        #expect(client.take() == [])
        #expect(client.take() == ["PUBREC #1"])
    }

    // MARK: What the server does wrong

    @Test("MQTT-3.3.4-9: the client's Receive Maximum")
    func moreThanTheReceiveMaximumIsAViolation() {
        let client = ClientTrace.connected(client: [.receiveMaximum(2)]) { $0.acknowledgesAutomatically = false }
        _ = client.receivePublish("a", qos: .atLeastOnce, 1)
        _ = client.receivePublish("b", qos: .exactlyOnce, 2)
        #expect(client.receivePublish("c") == ["· message c"])
        #expect(
            client.receivePublish("d", qos: .atLeastOnce, 3) == [
                "DISCONNECT receive maximum exceeded", "close", "· violation MQTT-3.3.4-9: receive maximum exceeded",
            ])
    }

    @Test func exactlyOnceMessageCountsUntilPubRel() {
        let client = ClientTrace.connected(client: [.receiveMaximum(1)])
        _ = client.receivePublish("a", qos: .exactlyOnce, 1)
        #expect(client.receivePublish("b", qos: .exactlyOnce, 2).contains("DISCONNECT receive maximum exceeded"))
        let other = ClientTrace.connected(client: [.receiveMaximum(1)])
        _ = other.receivePublish("a", qos: .exactlyOnce, 1)
        _ = other.receive(.pubRel, 1)
        #expect(other.receivePublish("b", qos: .exactlyOnce, 2) == ["· message b", "PUBREC #2"])
    }

    @Test func packetIdentifierOfZeroIsAViolation() {
        let client = ClientTrace.connected()
        #expect(client.receivePublish("a", qos: .atLeastOnce, 0).contains("DISCONNECT protocol error"))
    }

    // MARK: Topic aliases of the server

    @Test func topicAliasIsResolved() {
        let client = ClientTrace.connected(client: [.topicAliasMaximum(2)])
        #expect(client.receivePublish("a", alias: 2) == ["· message a"])
        #expect(client.receivePublish("", alias: 2) == ["· message a"])
        #expect(client.receivePublish("b", alias: 2) == ["· message b"])
        #expect(client.receivePublish("", alias: 2) == ["· message b"])
        #expect(client.receivePublish("", alias: 1).contains("DISCONNECT protocol error"))
    }

    @Test func topicAliasAboveTheMaximumIsAViolation() {
        let client = ClientTrace.connected(client: [.topicAliasMaximum(2)])
        #expect(client.receivePublish("a", alias: 3).contains("DISCONNECT topic alias invalid"))
        let other = ClientTrace.connected()
        #expect(other.receivePublish("").contains("DISCONNECT protocol error"))
    }

    @Test("MQTT-3.3.2-7: aliases end with their connection")
    func topicAliasesEndWithTheConnection() {
        let client = ClientTrace.connected(client: [.topicAliasMaximum(2)])
        _ = client.receivePublish("a", alias: 1)
        _ = client.lose()
        _ = client.connect(properties: [.topicAliasMaximum(2)])
        _ = client.connAck(isSessionPresent: true)
        #expect(client.receivePublish("", alias: 1).contains("DISCONNECT protocol error"))
    }
}
