import MQTTModel

/// CONNACK, section 3.2.
extension ConnAck {
    static func decode(_ reader: inout ByteReader, version: ProtocolVersion) throws(ProtocolViolation) -> ConnAck {
        let flags = try reader.readUInt8()
        let code = try reader.readUInt8()
        // 3.1 has no session present flag, its first byte is unused.
        guard flags & 0xFE == 0 || version == .v3_1 else {
            throw .malformed("MQTT-3.2.2-1", "reserved bits of the connect acknowledge flags are set")
        }
        var connAck = ConnAck(
            isSessionPresent: flags == 1 && version != .v3_1,
            reasonCode: try reasonCode(code, isShort: reader.isAtEnd, version: version))
        guard !connAck.isSessionPresent || connAck.reasonCode == .success else {
            throw .protocolError("MQTT-3.2.2-6", "a refusing CONNACK has session present set")
        }
        if version.hasProperties, !reader.isAtEnd {
            connAck.properties = try Properties.decode(&reader, in: .connAck)
        }
        try reader.requireEnd()
        return connAck
    }

    /// A server that knows nothing of 5.0 answers a 5.0 client in the form of 3.1.1, without a property length: that is
    /// understood if it refuses.
    private static func reasonCode(
        _ code: UInt8, isShort: Bool, version: ProtocolVersion
    ) throws(ProtocolViolation) -> ReasonCode {
        guard version.hasProperties, !(isShort && (1...5).contains(code)) else {
            guard let reasonCode = reasonCode(forReturnCode: code) else {
                throw .malformed("MQTT-3.2.2-8", "a reserved return code")
            }
            return reasonCode
        }
        guard !isShort else { throw .malformed("MQTT-2.2.2-1", "CONNACK has no property length") }
        let reasonCode = ReasonCode(rawValue: code)
        guard reasonCode.isForConnAck else {
            throw .protocolError("MQTT-3.2.2-8", "the reason code is not one of CONNACK")
        }
        return reasonCode
    }

    func encodeBody(to sink: inout some ByteSink, version: ProtocolVersion) {
        // A refusal says no session [MQTT-3.2.2-6]; 3.1 has no such flag.
        sink.write(UInt8(isSessionPresent && reasonCode == .success && version != .v3_1 ? 1 : 0))
        if version.hasProperties {
            sink.write(reasonCode.rawValue)
            properties.encode(to: &sink)
        } else {
            sink.write(ConnAck.returnCode(for: reasonCode))
        }
    }
}
