import MQTTModel

/// Spoils what clients receive, as a broker with the planted bug would.
final class BugPlanter {
    private let bug: PlantedBug
    private var random: SplitMix64
    /// Of each client: held back, to be sent after the next of the same kind.
    private var held: [Int: WirePacket] = [:]
    /// Of each client: copies of what other clients got.
    private var extra: [Int: [Publish]] = [:]
    /// By topic: the first message that was retained.
    private var firstRetained: [String: ApplicationMessage] = [:]
    private var publishedWills: Set<Int> = []
    private var lastIdentifier: PacketIdentifier = 60_000

    init(_ bug: PlantedBug, random: SplitMix64) {
        self.bug = bug
        self.random = random
    }

    /// What the client gets in place of the packet.
    func spoil(_ packet: WirePacket, for client: SimulatedClient) -> [WirePacket] {
        switch packet.packet {
        case .publish(let publish): return spoil(publish, packet, for: client) + extraPackets(for: client)
        case .connAck(var connAck) where bug == .wrongSessionPresent && !connAck.reasonCode.isError:
            connAck.isSessionPresent.toggle()
            return [WirePacket(packet: .connAck(connAck), byteCount: packet.byteCount)]
        case .connAck, .acknowledgement, .subAck, .unsubAck, .pingResp, .disconnect, .auth, .connect, .subscribe,
            .unsubscribe, .pingReq:
            return [packet]
        }
    }

    private func spoil(_ publish: Publish, _ packet: WirePacket, for client: SimulatedClient) -> [WirePacket] {
        let isFresh = publish.qos != .atMostOnce && !publish.isDuplicate
        let record = record(of: publish, client)
        switch bug {
        case .loseDelivery: return swallow(packet, publish, by: client, percent: publish.isRetained ? 0 : 10)
        case .loseRetained: return swallow(packet, publish, by: client, percent: publish.isRetained ? 50 : 0)
        case .loseWill: return swallow(packet, publish, by: client, percent: record?.isWill == true ? 100 : 0)
        case .duplicateQoSZero: return publish.qos == .atMostOnce ? [packet, packet] : [packet]
        case .duplicateQoSOne: return publish.qos == .atLeastOnce && isFresh ? [packet, packet] : [packet]
        case .duplicateQoSTwo: return publish.qos == .exactlyOnce && isFresh ? [packet, copied(publish)] : [packet]
        case .reorder: return reorder(packet, record, publish.qos, for: client)
        case .exceedReceiveMaximum:
            let count = Int(client.profile.receiveMaximum)
            return isFresh && count <= 5 ? [packet] + (0..<count).map { _ in copied(publish) } : [packet]
        case .repeatPacketIdentifier:
            return isFresh ? [changed(packet, publish) { $0.packetIdentifier = 1 }] : [packet]
        case .oversizedPacket: return [WirePacket(packet: packet.packet, byteCount: packet.byteCount + 1000)]
        case .aliasOutOfRange:
            guard client.profile.version.hasProperties, publish.topicAlias == 0 else { return [packet] }
            return [changed(packet, publish) { $0.topicAlias = client.profile.topicAliasMaximum + 1 }]
        case .wrongDuplicateFlag: return isFresh ? [changed(packet, publish) { $0.isDuplicate = true }] : [packet]
        case .wrongPayload: return [changed(packet, publish) { $0.message = longer($0.message) }]
        case .staleRetained: return [changed(packet, publish) { $0.message = stale($0, record) }]
        case .unwantedWill: return [packet] + unwantedWill(for: client, seen: record)
        case .shareWithAll:
            if record?.topic.hasPrefix("s/") == true, isFresh { share(publish, beside: client) }
            return [packet]
        case .closeHonestClient:
            guard client.profile.version.hasProperties, random.chance(10) else { return [packet] }
            return [packet, WirePacket(packet: .disconnect(Disconnect(reasonCode: .unspecifiedError)), byteCount: 4)]
        case .wrongSessionPresent, .answerBeforeCommit, .forgetExchange: return [packet]
        }
    }

    private func record(of publish: Publish, _ client: SimulatedClient) -> MessageRecord? {
        let history = client.simulation.history
        return history.number(ofPayload: publish.message.payload).map { history.messages[$0] }
    }

    // MARK: The ways

    /// Acknowledges the message in the client's name and does not hand it over.
    private func swallow(
        _ packet: WirePacket, _ publish: Publish, by client: SimulatedClient, percent: Int
    ) -> [WirePacket] {
        guard publish.topicAlias == 0, random.chance(percent) else { return [packet] }
        client.acknowledgeUnseen(publish)
        return []
    }

    private func changed(_ packet: WirePacket, _ publish: Publish, _ change: (inout Publish) -> Void) -> WirePacket {
        var copy = publish
        change(&copy)
        return WirePacket(packet: .publish(copy), byteCount: packet.byteCount)
    }

    /// The same message as another delivery.
    private func copied(_ publish: Publish) -> WirePacket {
        var copy = publish
        lastIdentifier += 1
        if copy.qos != .atMostOnce { copy.packetIdentifier = lastIdentifier }
        return WirePacket(packet: .publish(copy), byteCount: 0)
    }

    private func longer(_ message: ApplicationMessage) -> ApplicationMessage {
        let payload = Array(message.payload) + [UInt8(ascii: "y")]
        return payload.withUnsafeBytes {
            ApplicationMessage(topic: message.topic, encodedProperties: message.properties, payload: $0)
        }
    }

    /// Exchanges two messages of one publisher, topic and QoS.
    private func reorder(
        _ packet: WirePacket, _ record: MessageRecord?, _ qos: QoS, for client: SimulatedClient
    ) -> [WirePacket] {
        let index = client.profile.index
        guard let record, case .publish(let publish) = packet.packet, !publish.isRetained, publish.topicAlias == 0
        else {
            return [held.removeValue(forKey: index), packet].compactMap { $0 }
        }
        guard let older = held.removeValue(forKey: index), case .publish(let olderPublish) = older.packet else {
            held[index] = packet
            return []
        }
        let olderRecord = self.record(of: olderPublish, client)
        let isSameStream =
            olderRecord?.publisher == record.publisher && olderRecord?.topic == record.topic
            && olderRecord?.qos == record.qos && olderPublish.qos == qos
        return isSameStream ? [packet, older] : [older, packet]
    }

    /// The first message that was retained on the topic, in place of the present one.
    private func stale(_ publish: Publish, _ record: MessageRecord?) -> ApplicationMessage {
        guard let record, record.isRetained, publish.topicAlias == 0 else { return publish.message }
        guard let first = firstRetained[record.topic] else {
            firstRetained[record.topic] = publish.message
            return publish.message
        }
        return publish.isRetained ? first : publish.message
    }

    /// A will that nobody has published.
    private func unwantedWill(for client: SimulatedClient, seen record: MessageRecord?) -> [WirePacket] {
        guard client.profile.isMonitor, client.simulation.hasHealed else { return [] }
        if let record, record.isWill { publishedWills.insert(record.number) }
        guard let will = client.simulation.history.messages.last(where: \.isWill),
            will.qos != .atMostOnce, will.userProperty == nil, will.expiryInterval == nil,
            publishedWills.insert(will.number).inserted
        else { return [] }
        let message = ApplicationMessage(topic: will.topic, payload: will.payload, qos: will.qos)
        return [copied(Publish(message: message, qos: will.qos))]
    }

    /// Sends a copy to the other members as well.
    private func share(_ publish: Publish, beside client: SimulatedClient) {
        for other in client.simulation.clients where other.profile.isGroupMember && other !== client {
            let session = client.simulation.history.currentSession(of: other.profile.index)
            let isMember = session?.subscriptions.contains { $0.filter.isShared && $0.grantedAt != nil } ?? false
            if isMember { extra[other.profile.index, default: []].append(publish) }
        }
    }

    private func extraPackets(for client: SimulatedClient) -> [WirePacket] {
        (extra.removeValue(forKey: client.profile.index) ?? []).map { copied($0) }
    }
}

/// A packet as it arrived at a client.
struct WirePacket {
    var packet: Packet
    var byteCount: Int
}
