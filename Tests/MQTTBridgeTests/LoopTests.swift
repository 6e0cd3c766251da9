import MQTTBridge
import MQTTCodec
import MQTTModel
import Testing

@Suite("Loops of bridges")
struct LoopTests {
    private static func harness(hops: Int = 8, remoteName: String? = nil) -> BridgeHarness {
        let harness = BridgeHarness([BridgeTopic("#", .both)]) {
            $0.localName = "A"
            $0.remoteName = remoteName
            $0.maximumHops = hops
        }
        harness.connect()
        _ = harness.takePackets(.local)
        _ = harness.takePackets(.remote)
        return harness
    }

    private static func path(_ packets: [Packet]) -> String? {
        guard case .publish(let publish)? = packets.first else { return nil }
        return ForwardedProperties.decode(publish.message.properties).userProperties
            .first { $0.name == "dunlin-bridge-path" }?.value
    }

    private static func property(_ path: String) -> Properties {
        [.userProperty(name: "dunlin-bridge-path", value: path)]
    }

    /// [MQTT-3.8.3-3]
    @Test func whatTheBridgeHasSentIsNotSentBackToIt() throws {
        let harness = BridgeHarness([BridgeTopic("#", .both)])
        harness.connect()
        for side in BridgeSide.allCases {
            guard case .subscribe(let packet)? = harness.takePackets(side).first else {
                Issue.record("no SUBSCRIBE")
                continue
            }
            #expect(packet.entries[0].options.noLocal)
            #expect(packet.entries[0].options.retainAsPublished)
        }
    }

    @Test func aMessageBearsTheNamesOfTheBrokersThatItHasLeft() {
        let harness = Self.harness()
        harness.receive("t", qos: .atMostOnce, from: .local)
        #expect(Self.path(harness.takePackets(.remote)) == "A")
        harness.receive("t", qos: .atMostOnce, properties: Self.property("C,B"), from: .local)
        #expect(Self.path(harness.takePackets(.remote)) == "C,B,A")
    }

    @Test(arguments: BridgeSide.allCases) func aMessageThatWasHereGoesNoFurther(source: BridgeSide) {
        let harness = Self.harness()
        harness.receive("t", qos: .atLeastOnce, 4, properties: Self.property("B,A,C"), from: source)
        #expect(harness.take(source.other) == [])
        #expect(harness.take(source) == ["pubAck 4"])
        #expect(harness.counters.loopsStopped == 1)
    }

    @Test func aMessageDoesNotGoBackToWhereItWas() {
        let harness = Self.harness(remoteName: "B")
        harness.receive("t", qos: .atMostOnce, properties: Self.property("B,C"), from: .local)
        #expect(harness.take(.remote) == [])
        harness.receive("t", qos: .atMostOnce, from: .remote)
        #expect(Self.path(harness.takePackets(.local)) == "B")
    }

    @Test func aMessageThatCameThroughTooManyGoesNoFurther() {
        let harness = Self.harness(hops: 2)
        harness.receive("t", qos: .atMostOnce, properties: Self.property("B"), from: .local)
        #expect(Self.path(harness.takePackets(.remote)) == "B,A")
        harness.receive("t", qos: .atMostOnce, properties: Self.property("B,C"), from: .local)
        #expect(harness.take(.remote) == [])
    }

    // MARK: 3.1.1

    private static func old(usesBridgeBit: Bool = true) -> BridgeHarness {
        BridgeHarness([BridgeTopic("#", .both)]) {
            $0.version = .v3_1_1
            $0.usesBridgeBit = usesBridgeBit
        }
    }

    @Test func theBridgeBitIsTriedFirst() {
        let harness = Self.old()
        harness.connect()
        #expect(harness.connects.map(\.hasBridgeBit) == [true, false])
        #expect(harness.connects.map(\.side) == [.remote, .local])
        #expect(harness.connects.map(\.packet.version) == [.v3_1_1, .v5_0])
    }

    @Test func withoutTheBitTopicsThatComeBackAreNotLinked() {
        let harness = Self.old()
        harness.step(.started)
        harness.step(.connectionOpened(.remote))
        harness.receive(.connAck(ConnAck(reasonCode: .unsupportedProtocolVersion)), from: .remote)
        harness.now = harness.deadline
        harness.step(.deadlineReached)
        harness.step(.connectionOpened(.remote))
        #expect(harness.connects.map(\.hasBridgeBit) == [true, false])
        harness.receive(.connAck(ConnAck(reasonCode: .success)), from: .remote)
        #expect(
            harness.events.last
                == .disconnected(.remote, .wouldLoop(filter: "#"), delay: .seconds(60)))
    }
}
