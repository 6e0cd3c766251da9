import MQTTModel

/// Spoils what a client receives, as a broker with the planted bug would.
final class BugPlanter {
    private let bug: PlantedBug
    private var random: SplitMix64
    /// Held back, to be sent after the next.
    private var held: [Int: WirePacket] = [:]
    private var lastRetained: [String: ApplicationMessage] = [:]

    init(_ bug: PlantedBug, random: SplitMix64) {
        self.bug = bug
        self.random = random
    }

    /// What the client gets in place of the packet.
    func spoil(_ decoded: WirePacket, for client: SimulatedClient) -> [WirePacket] {
        switch decoded.packet {
        case .publish(let publish): spoil(publish, decoded, for: client)
        case .connAck(var connAck) where bug == .wrongSessionPresent && !connAck.reasonCode.isError:
            {
                connAck.isSessionPresent.toggle()
                return [WirePacket(packet: .connAck(connAck), byteCount: decoded.byteCount)]
            }()
        default: [decoded]
        }
    }

    private func spoil(_ publish: Publish, _ decoded: WirePacket, for client: SimulatedClient) -> [WirePacket] {
        let simulation = client.simulation
        let number = simulation.history.number(ofPayload: publish.message.payload)
        let record = number.map { simulation.history.messages[$0] }
        switch bug {
        case .loseDelivery:
            return swallowed(decoded, publish, by: client, percent: publish.isRetained ? 0 : 10)
        case .loseRetained:
            return swallowed(decoded, publish, by: client, percent: publish.isRetained ? 50 : 0)
        case .loseWill:
            return swallowed(decoded, publish, by: client, percent: record?.isWill == true ? 100 : 0)
        case .duplicateQoSZero: return publish.qos == .atMostOnce ? [decoded, decoded] : [decoded]
        default: return [decoded]
        }
    }

    /// Acknowledges the message in the client's name and does not hand it over.
    private func swallowed(
        _ decoded: WirePacket, _ publish: Publish, by client: SimulatedClient, percent: Int
    ) -> [WirePacket] {
        guard publish.topicAlias == 0, random.chance(percent) else { return [decoded] }
        client.acknowledgeUnseen(publish)
        return []
    }
}

/// A packet as it arrived at a client.
struct WirePacket {
    var packet: Packet
    var byteCount: Int
}
