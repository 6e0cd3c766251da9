import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// What simulation found, each as the shortest story that shows it.
@Suite struct ScenarioTests {
    private static func publishes(_ driver: CoreDriver, _ connection: DriverConnection) -> [(payload: String, qos: QoS)]
    {
        driver.receivePackets(of: connection).compactMap { packet in
            guard case .publish(let publish) = packet else { return nil }
            return (String(decoding: publish.message.payload, as: UTF8.self), publish.qos)
        }
    }

    private static func publish(
        _ payload: String, qos: QoS, isRetained: Bool = false, topic: String, id: PacketIdentifier = 0
    ) -> Packet {
        let message = ApplicationMessage(topic: topic, payload: payload.utf8, qos: qos, isRetained: isRetained)
        return .publish(Publish(message: message, qos: qos, packetIdentifier: id, isRetained: isRetained))
    }

    /// Seed 40: a QoS 0 message that had queued behind retained copies stayed behind a QoS 1 message when they had gone,
    /// and a newer one went past it (P3).
    @Test func qosZeroDoesNotPassAnOlderOneInTheQueue() {
        let driver = CoreDriver()
        let publisher = driver.connect(Connect(version: .v3_1_1, clientIdentifier: "publisher"))
        driver.send(
            Self.publish("r", qos: .atLeastOnce, isRetained: true, topic: "t", id: 1), version: .v3_1_1, on: publisher)
        let subscriber = driver.connect(
            Connect(version: .v5_0, clientIdentifier: "subscriber", properties: [.receiveMaximum(1)]))
        func subscribe(_ filter: String, id: PacketIdentifier) {
            let entry = Subscribe.Entry(filter: filter, options: SubscriptionOptions(maximumQoS: .atLeastOnce))
            driver.send(.subscribe(Subscribe(packetIdentifier: id, entries: [entry])), version: .v5_0, on: subscriber)
        }
        func acknowledge(_ id: PacketIdentifier) {
            driver.send(.acknowledgement(Acknowledgement(.pubAck, id)), version: .v5_0, on: subscriber)
        }
        // The first fills the window; the retained message waits, and what comes after it waits behind it.
        subscribe("u", id: 1)
        driver.send(Self.publish("window", qos: .atLeastOnce, topic: "u", id: 2), version: .v3_1_1, on: publisher)
        subscribe("t", id: 2)
        driver.send(Self.publish("qos 1", qos: .atLeastOnce, topic: "u", id: 3), version: .v3_1_1, on: publisher)
        driver.send(Self.publish("old", qos: .atMostOnce, topic: "t"), version: .v3_1_1, on: publisher)
        acknowledge(1)
        driver.send(Self.publish("new", qos: .atMostOnce, topic: "t"), version: .v3_1_1, on: publisher)
        acknowledge(2)
        acknowledge(3)
        let payloads = Self.publishes(driver, subscriber).filter { $0.qos == .atMostOnce }.map(\.payload)
        #expect(payloads == ["old", "new"])
    }
}
