import MQTTModel

/// PUBACK, PUBREC, PUBREL and PUBCOMP, sections 3.4 to 3.7. In 5.0 a reason code of 0 without properties is left out
/// (remaining length 2), and so is a property length of 0 (remaining length 3).
extension Acknowledgement {
    @inline(__always)
    static func decode(
        _ kind: Kind, _ reader: inout ByteReader, version: ProtocolVersion
    ) throws(ProtocolViolation) -> Acknowledgement {
        let packetIdentifier = try reader.readPacketIdentifier()
        if reader.isAtEnd {
            return Acknowledgement(kind, packetIdentifier, reasonCode: .success, properties: Properties())
        }
        guard version.hasProperties else {
            throw .malformed("MQTT-4.13.1-1", "the packet is longer than its content")
        }
        return try decodeReason(kind, packetIdentifier, &reader)
    }

    private static func decodeReason(
        _ kind: Kind, _ packetIdentifier: PacketIdentifier, _ reader: inout ByteReader
    ) throws(ProtocolViolation) -> Acknowledgement {
        let reasonCode = try ReasonCode(rawValue: reader.readUInt8())
        guard reasonCode.isFor(kind) else {
            throw .protocolError("MQTT-3.4.2-1", "the reason code is not one of this acknowledgement")
        }
        var acknowledgement = Acknowledgement(kind, packetIdentifier, reasonCode: reasonCode)
        if reader.isAtEnd { return acknowledgement }
        acknowledgement.properties = try Properties.decode(&reader, in: .acknowledgement)
        try reader.requireEnd()
        return acknowledgement
    }

    func encodeBody(to sink: inout some ByteSink, version: ProtocolVersion) {
        sink.write(packetIdentifier)
        guard version.hasProperties, reasonCode != .success || !properties.isEmpty else { return }
        sink.write(reasonCode.rawValue)
        if !properties.isEmpty { properties.encode(to: &sink) }
    }
}

extension Acknowledgement.Kind {
    /// The first byte of the packet; PUBREL has a flag set [MQTT-3.6.1-1].
    var firstByte: UInt8 {
        switch self {
        case .pubAck: 0x40
        case .pubRec: 0x50
        case .pubRel: 0x62
        case .pubComp: 0x70
        }
    }
}
