import MQTTModel

/// DISCONNECT, section 3.14. In 5.0 a reason code of 0 without properties is left out (remaining length 0), and so is a
/// property length of 0 (remaining length 1).
extension Disconnect {
    static func decode(
        _ reader: inout ByteReader, version: ProtocolVersion, role: PacketDecoder.Role
    ) throws(ProtocolViolation) -> Disconnect {
        guard version.hasProperties else {
            try reader.requireEnd()
            return Disconnect()
        }
        if reader.isAtEnd { return Disconnect() }
        var disconnect = try Disconnect(reasonCode: ReasonCode(rawValue: reader.readUInt8()))
        guard disconnect.reasonCode.isForDisconnect(to: role) else {
            throw .protocolError("MQTT-3.14.2-1", "the reason code is not one of DISCONNECT")
        }
        if reader.isAtEnd { return disconnect }
        disconnect.properties = try Properties.decode(
            &reader, in: role == .server ? .disconnectToServer : .disconnectToClient)
        try reader.requireEnd()
        return disconnect
    }

    func encodeBody(to sink: inout some ByteSink, version: ProtocolVersion) {
        guard version.hasProperties, reasonCode != .normalDisconnection || !properties.isEmpty else { return }
        sink.write(reasonCode.rawValue)
        if !properties.isEmpty { properties.encode(to: &sink) }
    }
}
