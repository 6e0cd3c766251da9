import MQTTModel

/// A packet from the broker, decoded and checked against everything the standard says of its form.
struct ServerPacket: Sendable, CustomStringConvertible {
    let bytes: [UInt8]
    let type: PacketType
    let flags: UInt8
    var packetIdentifier: UInt16 = 0
    /// Reason codes (return codes in 3.x) in order; one except in SUBACK and UNSUBACK.
    var reasonCodes: [UInt8] = []
    var isSessionPresent = false
    var properties: [Property] = []
    /// As bytes: equal strings may have different ones.
    var topic: [UInt8] = []
    var payload: [UInt8] = []

    var qos: UInt8 { type == .publish ? (flags >> 1) & 0x03 : 0 }
    var isDuplicate: Bool { flags & 0x08 != 0 }
    var isRetained: Bool { flags & 0x01 != 0 }

    init(_ bytes: [UInt8], version: ProtocolVersion) throws {
        self.bytes = bytes
        guard let type = PacketType(rawValue: bytes[0] >> 4) else { throw WireFault("packet type \(bytes[0] >> 4)") }
        self.type = type
        flags = bytes[0] & 0x0F
        var reader = WireReader(Array(bytes.dropFirst()))
        _ = try reader.readVariable()
        if type != .publish, flags != (type == .pubRel ? 2 : 0) {
            throw WireFault("[MQTT-2.1.3-1] flags \(flags) in \(type)")
        }
        try readContent(&reader, version: version)
        guard reader.isAtEnd else { throw WireFault("\(type) is longer than its content") }
        try checkProperties()
        try checkReasonCodes(version: version)
    }

    private mutating func readContent(_ reader: inout WireReader, version: ProtocolVersion) throws {
        let hasProperties = version.hasProperties
        switch type {
        case .connAck:
            let acknowledgeFlags = try reader.readByte()
            guard acknowledgeFlags <= 1 else { throw WireFault("[MQTT-3.2.2-1] CONNACK flags \(acknowledgeFlags)") }
            isSessionPresent = acknowledgeFlags == 1
            reasonCodes = [try reader.readByte()]
            // The answer to an unknown protocol version has the 5.0 form whatever the client asked for.
            if hasProperties || !reader.isAtEnd { properties = try reader.readProperties() }
        case .publish:
            topic = Array(try reader.readString().utf8)
            if qos > 0 { packetIdentifier = try reader.readShort() }
            if hasProperties { properties = try reader.readProperties() }
            payload = try reader.readBytes(reader.rest.count)
        case .pubAck, .pubRec, .pubRel, .pubComp:
            packetIdentifier = try reader.readShort()
            reasonCodes = [hasProperties && !reader.isAtEnd ? try reader.readByte() : 0]
            if hasProperties, !reader.isAtEnd { properties = try reader.readProperties() }
        case .subAck, .unsubAck:
            packetIdentifier = try reader.readShort()
            if hasProperties { properties = try reader.readProperties() }
            if hasProperties || type == .subAck { reasonCodes = try reader.readBytes(reader.rest.count) }
        case .pingResp: break
        case .disconnect, .auth:
            guard hasProperties else { throw WireFault("the server sends no \(type) in 3.x") }
            reasonCodes = [reader.isAtEnd ? 0 : try reader.readByte()]
            if !reader.isAtEnd { properties = try reader.readProperties() }
        case .connect, .subscribe, .unsubscribe, .pingReq: throw WireFault("a server never sends \(type)")
        }
        try checkForm()
    }

    private func checkForm() throws {
        let identified: [PacketType] = [.pubAck, .pubRec, .pubRel, .pubComp, .subAck, .unsubAck]
        if identified.contains(type) || qos > 0, packetIdentifier == 0 {
            throw WireFault("[MQTT-2.2.1-4] packet identifier 0 in \(type)")
        }
        guard type == .publish else { return }
        if qos == 3 { throw WireFault("[MQTT-3.3.1-4] QoS 3") }
        if qos == 0, isDuplicate { throw WireFault("[MQTT-3.3.1-2] DUP with QoS 0") }
        if topic.contains(where: { $0 == 0x2B || $0 == 0x23 }) {
            throw WireFault("[MQTT-3.3.2-2] topic \(Text(topic))")
        }
    }

    var description: String {
        var parts = ["\(type)"]
        if packetIdentifier != 0 { parts.append("id \(packetIdentifier)") }
        if type == .publish {
            parts.append("\(Text(topic)) \(Text(payload)) qos \(qos)")
            if isDuplicate { parts.append("dup") }
            if isRetained { parts.append("retain") }
        }
        if type == .connAck { parts.append("present \(isSessionPresent)") }
        if !reasonCodes.isEmpty { parts.append(reasonCodes.hexDigits) }
        if !properties.isEmpty { parts.append("\(properties)") }
        return parts.joined(separator: " ")
    }
}
