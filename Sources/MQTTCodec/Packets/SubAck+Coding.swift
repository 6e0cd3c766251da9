import MQTTModel

/// SUBACK, section 3.9.
extension SubAck {
    static func decode(_ reader: inout ByteReader, version: ProtocolVersion) throws(ProtocolViolation) -> SubAck {
        var subAck = SubAck(packetIdentifier: try reader.readPacketIdentifier(), reasonCodes: [])
        if version.hasProperties { subAck.properties = try Properties.decode(&reader, in: .subAck) }
        guard !reader.isAtEnd else { throw .protocolError("MQTT-3.8.4-6", "SUBACK has no reason code") }
        while !reader.isAtEnd {
            let code = try ReasonCode(rawValue: reader.readUInt8())
            guard version.hasProperties ? code.isForSubAck : code.rawValue <= 2 || code == .unspecifiedError else {
                throw .protocolError("MQTT-3.9.3-2", "the reason code is not one of SUBACK")
            }
            subAck.reasonCodes.append(code)
        }
        return subAck
    }

    func encodeBody(to sink: inout some ByteSink, version: ProtocolVersion) {
        sink.write(packetIdentifier)
        if version.hasProperties { properties.encode(to: &sink) }
        for code in reasonCodes {
            // 3.1.1 knows one failure [MQTT-3.9.3-2]; 3.1 knows none, and its clients are told the same.
            sink.write(version.hasProperties || !code.isError ? code.rawValue : 0x80)
        }
    }
}
