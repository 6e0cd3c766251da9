import MQTTModel

/// UNSUBSCRIBE, section 3.10.
extension Unsubscribe {
    static func decode(_ reader: inout ByteReader, version: ProtocolVersion) throws(ProtocolViolation) -> Unsubscribe {
        var unsubscribe = Unsubscribe(packetIdentifier: try reader.readPacketIdentifier(), filters: [])
        if version.hasProperties { unsubscribe.properties = try Properties.decode(&reader, in: .unsubscribe) }
        guard !reader.isAtEnd else {
            throw .protocolError("MQTT-3.10.3-2", "UNSUBSCRIBE has no topic filter")
        }
        while !reader.isAtEnd { unsubscribe.filters.append(try reader.readString()) }
        return unsubscribe
    }

    func encodeBody(to sink: inout some ByteSink, version: ProtocolVersion) {
        sink.write(packetIdentifier)
        if version.hasProperties { properties.encode(to: &sink) }
        for filter in filters { sink.write(filter) }
    }
}
