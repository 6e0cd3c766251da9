import MQTTModel
import SimulationKit

/// A client of a simulated broker whose session lasts: it answers what it gets, and comes back when its connection ends.
final class LastingClient {
    private let identifier: String
    private let driver: CoreDriver
    private var connection: DriverConnection
    /// QoS 2 messages that are here and not released yet.
    private var unreleased: Set<PacketIdentifier> = []
    private var lastIdentifier: PacketIdentifier = 0
    /// The message of its own that is acknowledged.
    private var finished: PacketIdentifier = 0
    /// The payloads that have come, as texts.
    private(set) var received: [String] = []

    init(_ identifier: String, of driver: CoreDriver, subscribingTo filter: String? = nil) {
        self.identifier = identifier
        self.driver = driver
        connection = driver.connect(LastingClient.connect(identifier))
        guard let filter else { return }
        let entry = Subscribe.Entry(
            filter: filter, options: SubscriptionOptions(maximumQoS: .exactlyOnce, noLocal: false))
        send(.subscribe(Subscribe(packetIdentifier: 65_535, entries: [entry])))
    }

    private static func connect(_ identifier: String) -> Connect {
        Connect(
            version: .v5_0, clientIdentifier: identifier, cleanStart: false, keepAlive: 0,
            properties: [.sessionExpiryInterval(.max)])
    }

    /// Publishes a message and waits until the broker has acknowledged it.
    func publish(_ text: String, to topic: String, qos: QoS) {
        turn()
        lastIdentifier = lastIdentifier % 65_534 + 1
        send(
            .publish(
                Publish(
                    message: ApplicationMessage(topic: topic, payload: text.utf8, qos: qos), qos: qos,
                    packetIdentifier: qos == .atMostOnce ? 0 : lastIdentifier)))
        while qos != .atMostOnce, finished != lastIdentifier {
            driver.advance(by: .milliseconds(1))
            turn()
        }
    }

    /// Takes what has come and answers it.
    func turn() {
        for packet in driver.receivePackets(of: connection) { take(packet) }
        if !driver.isOpen(connection) { connection = driver.connect(LastingClient.connect(identifier)) }
    }

    private func take(_ packet: Packet) {
        switch packet {
        case .publish(let publish):
            let isNew = publish.qos != .exactlyOnce || unreleased.insert(publish.packetIdentifier).inserted
            if isNew { received.append(String(decoding: publish.message.payload, as: UTF8.self)) }
            switch publish.qos {
            case .atMostOnce: break
            case .atLeastOnce: answer(.pubAck, publish.packetIdentifier)
            case .exactlyOnce: answer(.pubRec, publish.packetIdentifier)
            }
        case .acknowledgement(let packet):
            switch packet.kind {
            case .pubRec: answer(.pubRel, packet.packetIdentifier)
            case .pubRel:
                unreleased.remove(packet.packetIdentifier)
                answer(.pubComp, packet.packetIdentifier)
            case .pubAck, .pubComp: finished = packet.packetIdentifier
            }
        default: break
        }
    }

    private func answer(_ kind: Acknowledgement.Kind, _ packetIdentifier: PacketIdentifier) {
        send(.acknowledgement(Acknowledgement(kind, packetIdentifier)))
    }

    private func send(_ packet: Packet) { driver.send(packet, version: .v5_0, on: connection) }
}
