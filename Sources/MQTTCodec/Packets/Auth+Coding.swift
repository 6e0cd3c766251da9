import MQTTModel

/// AUTH, 5.0 section 3.15. Success without properties is an empty packet.
extension Auth {
    static func decode(_ reader: inout ByteReader, role: PacketDecoder.Role) throws(ProtocolViolation) -> Auth {
        let reasonCode: ReasonCode = reader.isAtEnd ? .success : try ReasonCode(rawValue: reader.readUInt8())
        guard reasonCode.isForAuth(to: role) else {
            throw .protocolError("MQTT-3.15.2-1", "the reason code is not one of AUTH")
        }
        var auth = Auth(reasonCode: reasonCode)
        if !reader.isAtEnd { auth.properties = try Properties.decode(&reader, in: .auth) }
        try reader.requireEnd()
        return auth
    }

    func encodeBody(to sink: inout some ByteSink) {
        guard reasonCode != .success || !properties.isEmpty else { return }
        sink.write(reasonCode.rawValue)
        properties.encode(to: &sink)
    }
}
