import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// What simulation with a lasting engine found, each as the shortest story that shows it.
@Suite struct CrashScenarioTests {
    private static func identifier(on shard: UInt16, of shardCount: UInt16) -> String {
        (0...).lazy.map { "c\($0)" }.first { HomeShard.index(of: $0, shardCount: shardCount) == shard } ?? ""
    }

    private static func publish(
        _ payload: String, qos: QoS, isRetained: Bool = false, id: PacketIdentifier = 0, isDuplicate: Bool = false
    ) -> Packet {
        let message = ApplicationMessage(topic: "t", payload: payload.utf8, qos: qos, isRetained: isRetained)
        return .publish(
            Publish(
                message: message, qos: qos, packetIdentifier: id, isDuplicate: isDuplicate, isRetained: isRetained))
    }

    private static func lasting(_ identifier: String) -> Connect {
        Connect(version: .v3_1_1, clientIdentifier: identifier, cleanStart: false)
    }

    private static func subscribe(_ filter: String, _ qos: QoS) -> Packet {
        let entry = Subscribe.Entry(filter: filter, options: SubscriptionOptions(maximumQoS: qos))
        return .subscribe(Subscribe(packetIdentifier: 1, entries: [entry]))
    }

    private static func words(_ packets: [Packet]) -> [String] {
        packets.compactMap { packet in
            switch packet {
            case .connAck: "CONNACK"
            case .acknowledgement(let packet): "\(packet.kind) \(packet.packetIdentifier)"
            case .publish(let packet): String(decoding: packet.message.payload, as: UTF8.self)
            default: nil
            }
        }
    }

    /// The PUBREC for a message of an earlier connection overtook the CONNACK of the next [MQTT-3.2.0-1].
    @Test func nothingIsSaidBeforeConnAck() {
        let driver = CoreDriver()
        driver.useLastingEngine(maximumCommitDelayMilliseconds: 10)
        let first = driver.connect(Self.lasting("p"))
        driver.advance(by: .milliseconds(50))
        driver.send(Self.publish("r", qos: .exactlyOnce, isRetained: true, id: 1), version: .v3_1_1, on: first)
        driver.close(first)
        let second = driver.connect(Self.lasting("p"))
        driver.send(
            Self.publish("r", qos: .exactlyOnce, isRetained: true, id: 1, isDuplicate: true), version: .v3_1_1,
            on: second)
        driver.advance(by: .milliseconds(100))
        #expect(Self.words(driver.receivePackets(of: second)) == ["CONNACK", "pubRec 1"])
    }

    /// A message between two for the backbone, both of which were settled by one commit, reached another shard after the
    /// second (P3).
    @Test func whatTheBackboneKeepsNothingOfStaysInOrderOnOtherShards() {
        let driver = CoreDriver(shardCount: 2)
        driver.useLastingEngine(maximumCommitDelayMilliseconds: 10)
        let subscriber = driver.connect(
            Connect(version: .v3_1_1, clientIdentifier: Self.identifier(on: 0, of: 2), cleanStart: true))
        driver.send(Self.subscribe("t", .atMostOnce), version: .v3_1_1, on: subscriber)
        let publisher = driver.connect(
            Connect(version: .v3_1_1, clientIdentifier: Self.identifier(on: 1, of: 2), cleanStart: true))
        driver.advance(by: .milliseconds(50))
        driver.send(Self.publish("1", qos: .atMostOnce, isRetained: true), version: .v3_1_1, on: publisher)
        driver.send(Self.publish("2", qos: .atMostOnce), version: .v3_1_1, on: publisher)
        driver.send(Self.publish("3", qos: .atMostOnce, isRetained: true), version: .v3_1_1, on: publisher)
        driver.advance(by: .milliseconds(100))
        #expect(Self.words(driver.receivePackets(of: subscriber)) == ["CONNACK", "1", "2", "3"])
    }

    /// What was acknowledged before the crash is delivered after it, under the identifier that it had.
    @Test func aLastingSessionGetsWhatWasAcknowledged() {
        let driver = CoreDriver()
        driver.useLastingEngine()
        let subscriber = driver.connect(Self.lasting("s"))
        driver.send(Self.subscribe("t", .exactlyOnce), version: .v3_1_1, on: subscriber)
        let publisher = driver.connect(Self.lasting("p"))
        driver.advance(by: .milliseconds(1))
        driver.close(subscriber)
        driver.send(Self.publish("kept", qos: .exactlyOnce, id: 1), version: .v3_1_1, on: publisher)
        driver.advance(by: .milliseconds(1))
        #expect(Self.words(driver.receivePackets(of: publisher)) == ["CONNACK", "pubRec 1"])
        driver.crash()
        driver.advance(by: .seconds(1))
        driver.restart()
        let second = driver.connect(Self.lasting("s"))
        driver.advance(by: .milliseconds(1))
        #expect(Self.words(driver.receivePackets(of: second)) == ["CONNACK", "kept"])
    }
}
