import MQTTModel

/// UNSUBACK, section 3.11. In 3.x it ends behind the packet identifier.
extension UnsubAck {
    static func decode(_ reader: inout ByteReader, version: ProtocolVersion) throws(ProtocolViolation) -> UnsubAck {
        var unsubAck = UnsubAck(packetIdentifier: try reader.readPacketIdentifier(), reasonCodes: [])
        guard version.hasProperties else {
            try reader.requireEnd()
            return unsubAck
        }
        unsubAck.properties = try Properties.decode(&reader, in: .unsubAck)
        guard !reader.isAtEnd else { throw .protocolError("MQTT-3.11.3-2", "UNSUBACK has no reason code") }
        while !reader.isAtEnd {
            let code = try ReasonCode(rawValue: reader.readUInt8())
            guard code.isForUnsubAck else {
                throw .protocolError("MQTT-3.11.3-2", "the reason code is not one of UNSUBACK")
            }
            unsubAck.reasonCodes.append(code)
        }
        return unsubAck
    }

    func encodeBody(to sink: inout some ByteSink, version: ProtocolVersion) {
        sink.write(packetIdentifier)
        guard version.hasProperties else { return }
        properties.encode(to: &sink)
        for code in reasonCodes { sink.write(code.rawValue) }
    }
}
