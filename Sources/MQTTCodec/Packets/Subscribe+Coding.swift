import MQTTModel

/// SUBSCRIBE, section 3.8.
extension Subscribe {
    static func decode(_ reader: inout ByteReader, version: ProtocolVersion) throws(ProtocolViolation) -> Subscribe {
        var subscribe = Subscribe(packetIdentifier: try reader.readPacketIdentifier(), entries: [])
        if version.hasProperties { subscribe.properties = try Properties.decode(&reader, in: .subscribe) }
        guard !reader.isAtEnd else {
            throw .protocolError("MQTT-3.8.3-2", "SUBSCRIBE has no topic filter")
        }
        while !reader.isAtEnd {
            let filter = try reader.readString()
            let options = try options(reader.readUInt8(), version: version)
            subscribe.entries.append(Entry(filter: filter, options: options))
        }
        return subscribe
    }

    private static func options(
        _ byte: UInt8, version: ProtocolVersion
    ) throws(ProtocolViolation) -> SubscriptionOptions {
        guard let options = SubscriptionOptions(rawValue: byte) else {
            throw .malformed("MQTT-3.8.3-5", "the subscription options have a reserved bit or value")
        }
        guard version.hasProperties || byte & 0xFC == 0 else {
            throw .malformed("MQTT-3.8.3-4", "reserved bits of the requested QoS are set")
        }
        return options
    }

    func encodeBody(to sink: inout some ByteSink, version: ProtocolVersion) {
        sink.write(packetIdentifier)
        if version.hasProperties { properties.encode(to: &sink) }
        for entry in entries {
            sink.write(entry.filter)
            sink.write(version.hasProperties ? entry.options.rawValue : entry.options.maximumQoS.rawValue)
        }
    }
}
