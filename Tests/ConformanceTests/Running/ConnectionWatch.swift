import MQTTModel

/// What must hold on every connection of every exchange, whatever the exchange is about.
struct ConnectionWatch: Sendable {
    private(set) var isConnected = false
    private var version = ProtocolVersion.v3_1_1
    private var receiveMaximum: UInt16 = .max
    private var maximumPacketSize = Int.max
    private var topicAliasMaximum: UInt16 = 0
    private var hasEnded = false
    private var connAcks = 0
    /// Packet identifiers of PUBLISH packets that the client has not acknowledged.
    private var unacknowledged: Set<UInt16> = []

    mutating func connect(_ fields: ConnectFields) {
        var reader = WireReader(PropertyList.lengthPrefixed(fields.properties))
        for property in (try? reader.readProperties()) ?? [] {
            switch property {
            case .receiveMaximum(let value): receiveMaximum = value
            // 0 is an error, and no maximum.
            case .maximumPacketSize(let value) where value > 0: maximumPacketSize = Int(value)
            case .topicAliasMaximum(let value): topicAliasMaximum = value
            default: break
            }
        }
    }

    mutating func sent(_ packet: ClientPacket, _ names: [String: UInt16]) {
        guard case .acknowledgement(let type, let id, let code, _) = packet else { return }
        let number: UInt16? =
            switch id {
            case .number(let number): number
            case .named(let name): names[name]
            }
        guard let number else { return }
        // A slot is held until PUBACK, PUBCOMP, or a PUBREC that refuses.
        if type == .pubAck || type == .pubComp || (type == .pubRec && (code ?? 0) >= 0x80) {
            unacknowledged.remove(number)
        }
    }

    mutating func received(_ packet: ServerPacket) throws {
        if hasEnded { throw WireFault("[MQTT-3.14.4-1] \(packet) after DISCONNECT") }
        if packet.bytes.count > maximumPacketSize {
            throw WireFault("[MQTT-3.1.2-24] \(packet.bytes.count) bytes, the client's maximum is \(maximumPacketSize)")
        }
        switch packet.type {
        case .connAck:
            connAcks += 1
            if connAcks > 1 { throw WireFault("[MQTT-3.2.0-2] a second CONNACK") }
            isConnected = packet.reasonCodes == [0]
        case .disconnect:
            if !isConnected { throw WireFault("[MQTT-3.14.0-1] DISCONNECT before CONNACK") }
            hasEnded = true
        case .auth where !isConnected && connAcks == 0:
            // The one packet that may come before [MQTT-3.2.0-1].
            break
        default:
            if !isConnected { throw WireFault("[MQTT-3.2.0-1] \(packet) before CONNACK") }
        }
        if packet.type == .publish { try published(packet) }
    }

    private mutating func published(_ packet: ServerPacket) throws {
        if packet.qos > 0 {
            let isNew = unacknowledged.insert(packet.packetIdentifier).inserted
            if !isNew { throw WireFault("[MQTT-4.4.0-1] packet identifier \(packet.packetIdentifier) again") }
            if unacknowledged.count > Int(receiveMaximum) {
                throw WireFault("[MQTT-3.3.4-9] more than \(receiveMaximum) messages unacknowledged")
            }
        }
        for case .topicAlias(let alias) in packet.properties where alias == 0 || alias > topicAliasMaximum {
            throw WireFault("[MQTT-3.1.2-26] topic alias \(alias), the client's maximum is \(topicAliasMaximum)")
        }
    }
}

extension PropertyList {
    static func lengthPrefixed(_ properties: PropertyList) -> [UInt8] {
        var writer = WireWriter()
        writer.write(properties)
        return writer.bytes
    }
}
