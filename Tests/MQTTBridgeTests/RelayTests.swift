import MQTTBridge
import MQTTCodec
import MQTTModel
import Testing

@Suite("Messages over a bridge")
struct RelayTests {
    private static let both = [BridgeTopic("#", .both)]

    @Test func aMessageKeepsItsPacketIdentifierAndIsAnsweredByTheOtherBroker() {
        let harness = BridgeHarness([BridgeTopic("a/#", .out, remotePrefix: "edge/")])
        harness.connect()
        _ = harness.take(.local)
        harness.receive("a/b", qos: .atLeastOnce, 17, isRetained: true, from: .local)
        #expect(harness.take(.remote) == ["edge/a/b q1 17 retained"])
        #expect(harness.take(.local) == [])
        harness.receive(.pubAck, 17, from: .remote)
        #expect(harness.take(.local) == ["pubAck 17"])
    }

    /// [MQTT-4.3.3-2..13]: the exchange is between the two brokers.
    @Test(arguments: BridgeSide.allCases) func theExchangeOfQoS2CrossesOver(source: BridgeSide) {
        let harness = BridgeHarness(Self.both)
        harness.connect()
        _ = harness.take(.local)
        _ = harness.take(.remote)
        harness.receive("t", qos: .exactlyOnce, 5, from: source)
        #expect(harness.take(source.other) == ["t q2 5"])
        harness.receive(.pubRec, 5, from: source.other)
        #expect(harness.take(source) == ["pubRec 5"])
        harness.receive(.pubRel, 5, from: source)
        #expect(harness.take(source.other) == ["pubRel 5"])
        harness.receive(.pubComp, 5, from: source.other)
        #expect(harness.take(source) == ["pubComp 5"])
    }

    @Test func prefixesAreExchangedInBothDirections() {
        let harness = BridgeHarness([BridgeTopic("+/x", .both, localPrefix: "home/", remotePrefix: "sites/7/")])
        harness.connect()
        #expect(harness.take(.local) == ["subscribe home/+/x q2"])
        #expect(harness.take(.remote) == ["subscribe sites/7/+/x q2"])
        harness.receive("home/a/x", qos: .atMostOnce, from: .local)
        #expect(harness.take(.remote) == ["sites/7/a/x q0 0"])
        harness.receive("sites/7/b/x", qos: .atMostOnce, from: .remote)
        #expect(harness.take(.local) == ["home/b/x q0 0"])
    }

    @Test func aMessageOfNoPatternIsAnsweredAndCounted() {
        let harness = BridgeHarness([BridgeTopic("a", .out)])
        harness.connect()
        _ = harness.take(.local)
        harness.receive("b", qos: .atLeastOnce, 1, from: .local)
        #expect(harness.take(.local) == ["pubAck 1"])
        #expect(harness.take(.remote) == [])
        #expect(harness.counters.messagesUnmatched == 1)
    }

    /// [MQTT-3.2.2-11]
    @Test func aBrokerWithoutQoS2GetsQoS1AndTheSenderItsExchange() {
        let harness = BridgeHarness([BridgeTopic("#", .out)])
        harness.connect(remote: [.maximumQoS(1)])
        #expect(harness.take(.local) == ["subscribe # q1"])
        harness.receive("t", qos: .exactlyOnce, 9, from: .local)
        #expect(harness.take(.remote) == ["t q1 9"])
        harness.receive(.pubAck, 9, from: .remote)
        #expect(harness.take(.local) == ["pubRec 9"])
        harness.receive(.pubRel, 9, from: .local)
        #expect(harness.take(.local) == ["pubComp 9"])
        #expect(harness.take(.remote) == [])
    }

    /// [MQTT-3.2.2-14]
    @Test func aBrokerWithoutRetainedMessagesGetsThemPlain() {
        let harness = BridgeHarness([BridgeTopic("#", .out)])
        harness.connect(remote: [.retainAvailable(0)])
        harness.receive("t", qos: .atMostOnce, isRetained: true, from: .local)
        #expect(harness.take(.remote) == ["t q0 0"])
    }

    /// [MQTT-3.2.2-15]
    @Test func aMessageThatTheOtherSideDoesNotTakeIsDroppedAndAnswered() {
        let harness = BridgeHarness([BridgeTopic("#", .out)])
        harness.connect(remote: [.maximumPacketSize(50)])
        _ = harness.take(.local)
        harness.receive("t", qos: .atLeastOnce, 3, payload: [UInt8](repeating: 0, count: 100), from: .local)
        #expect(harness.take(.remote) == [])
        #expect(harness.take(.local) == ["pubAck 3"])
        #expect(harness.counters.messagesTooLarge == 1)
    }

    @Test func aRefusalIsPassedOnAndCounted() {
        let harness = BridgeHarness([BridgeTopic("#", .out)])
        harness.connect()
        _ = harness.take(.local)
        harness.receive("t", qos: .atLeastOnce, 3, from: .local)
        harness.receive(.pubAck, 3, .notAuthorized, from: .remote)
        #expect(harness.take(.local) == ["pubAck 3 not authorized"])
        #expect(harness.counters.messagesRefused == 1)
    }

    /// Nothing is lost because a disk in the cloud is full.
    @Test(arguments: BridgeSide.allCases) func aBrokerWithoutRoomEndsTheLinkAndTheMessageIsKept(full: BridgeSide) {
        let harness = BridgeHarness(Self.both)
        harness.connect()
        _ = harness.take(full.other)
        harness.receive("t", qos: .atLeastOnce, 3, from: full.other)
        harness.receive(.pubAck, 3, .quotaExceeded, from: full)
        #expect(harness.take(full.other) == ["disconnect success"])
        #expect(harness.events.last == .disconnected(full, .full, delay: .milliseconds(750)))
    }

    /// [MQTT-3.3.4-9]
    @Test func messagesWaitForTheLocalBrokersReceiveMaximum() {
        let harness = BridgeHarness([BridgeTopic("#", .in)]) { $0.version = .v3_1_1 }
        harness.step(.started)
        harness.step(.connectionOpened(.remote))
        harness.receive(.connAck(ConnAck(isSessionPresent: true, reasonCode: .success)), from: .remote)
        harness.step(.connectionOpened(.local))
        harness.receive(
            .connAck(ConnAck(isSessionPresent: true, reasonCode: .success, properties: [.receiveMaximum(1)])),
            from: .local)
        for number in 1...3 {
            harness.receive("t", qos: .exactlyOnce, PacketIdentifier(number), from: .remote)
        }
        #expect(harness.take(.local) == ["t q2 1"])
        harness.receive(.pubRec, 1, from: .local)
        #expect(harness.take(.local) == [])
        harness.receive(.pubRel, 1, from: .remote)
        harness.receive(.pubComp, 1, from: .local)
        #expect(harness.take(.local) == ["pubRel 1", "t q2 2"])
    }

    @Test func theLocalBrokerSendsNoMoreThanTheRemoteOneTakes() {
        let harness = BridgeHarness([BridgeTopic("#", .out)])
        harness.connect(remote: [.receiveMaximum(3)])
        let connect = harness.connects.last { $0.side == .local }
        #expect(connect?.packet.properties.receiveMaximum == 3)
        #expect(connect?.packet.cleanStart == false)
    }

    /// Mosquitto 2.0 answers and drops QoS 2 messages beyond its 20.
    @Test func aBrokerOf311GetsNoMoreThan20AtATime() {
        let harness = BridgeHarness([BridgeTopic("#", .out)]) { $0.version = .v3_1_1 }
        harness.connect()
        #expect(harness.connects.last?.packet.properties.receiveMaximum == 20)
    }

    @Test func propertiesAndExpiryTravelAlong() throws {
        let harness = BridgeHarness(Self.both)
        harness.connect()
        _ = harness.take(.remote)
        harness.receive(
            "t", qos: .atMostOnce,
            properties: [.contentType("text/plain"), .userProperty(name: "a", value: "1")], from: .local)
        guard case .publish(let publish) = try #require(harness.takePackets(.remote).first) else {
            Issue.record("no PUBLISH")
            return
        }
        #expect(
            ForwardedProperties.decode(publish.message.properties)
                == [.contentType("text/plain"), .userProperty(name: "a", value: "1")])
    }
}
