import MQTTModel

/// PUBLISH, section 3.3.
extension Publish {
    static func decode(
        flags: UInt8, _ reader: inout ByteReader, version: ProtocolVersion, role: PacketDecoder.Role,
        pool: inout MessagePool
    ) throws(ProtocolViolation) -> Publish {
        let qos = try checkedQoS(flags)
        let topic = try reader.readBinary()
        let packetIdentifier = qos == .atMostOnce ? 0 : try reader.readPacketIdentifier()
        guard version.hasProperties, reader.rest.first != 0 else {
            if version.hasProperties { _ = try reader.readUInt8() }
            try checkTopic(topic, hasAlias: false)
            let payload = reader.rest
            let message = pool.make(topicLength: topic.count, propertiesLength: 0, payloadLength: payload.count)
            var writer = ByteWriter(message.bytes)
            writer.write(topic)
            writer.write(payload)
            return Publish(message, qos: qos, flags: flags, packetIdentifier: packetIdentifier)
        }
        let properties = try MessageProperties(
            &reader, in: role == .server ? .publishToServer : .publishToClient)
        try checkTopic(topic, hasAlias: properties.topicAlias != 0)
        let message = try pool.make(topic: topic, properties: properties, payload: reader.rest)
        var publish = Publish(message, qos: qos, flags: flags, packetIdentifier: packetIdentifier)
        publish.topicAlias = properties.topicAlias
        publish.subscriptionIdentifiers = properties.subscriptionIdentifiers
        return publish
    }

    @inline(__always)
    private init(_ message: ApplicationMessage, qos: QoS, flags: UInt8, packetIdentifier: PacketIdentifier) {
        let isRetained = flags & 0x01 != 0
        message.qos = qos
        message.isRetained = isRetained
        self.init(
            message: message, qos: qos, packetIdentifier: packetIdentifier, isDuplicate: flags & 0x08 != 0,
            isRetained: isRetained, topicAlias: 0, subscriptionIdentifiers: [])
    }

    /// The QoS in the flags of the fixed header.
    @inline(__always)
    static func checkedQoS(_ flags: UInt8) throws(ProtocolViolation) -> QoS {
        guard let qos = QoS(rawValue: (flags >> 1) & 0x03) else {
            throw .malformed("MQTT-3.3.1-4", "QoS 3")
        }
        guard qos != .atMostOnce || flags & 0x08 == 0 else {
            throw .malformed("MQTT-3.3.1-2", "DUP is set with QoS 0")
        }
        return qos
    }

    /// An empty topic is a protocol error (5.0 section 3.3.2.3.4). For wildcards the standard names no code; a topic
    /// name that is none does not conform, which is 0x81 (0x90 is for names that are correctly formed).
    @inline(__always)
    private static func checkTopic(_ topic: UnsafeRawBufferPointer, hasAlias: Bool) throws(ProtocolViolation) {
        guard !topic.isEmpty else {
            if hasAlias { return }
            throw .protocolError("MQTT-4.7.3-1", "the topic name is empty and there is no topic alias")
        }
        if TopicName.isPlain(topic) { return }
        guard UTF8Rules.isValid(topic) else { throw ByteReader.illFormedString() }
        guard !TopicName.containsWildcard(topic) else {
            throw .malformed("MQTT-3.3.2-2", "the topic name has a wildcard")
        }
    }
}

extension MessagePool {
    /// A message of the parts of a PUBLISH or a will.
    mutating func make(
        topic: UnsafeRawBufferPointer, properties: MessageProperties, payload: UnsafeRawBufferPointer
    ) throws(ProtocolViolation) -> ApplicationMessage {
        let message = make(
            topicLength: topic.count, propertiesLength: properties.forwardedLength, payloadLength: payload.count)
        let payloadStart = topic.count + properties.forwardedLength
        var writer = ByteWriter(message.bytes)
        writer.write(topic)
        try properties.copyForwarded(
            to: UnsafeMutableRawBufferPointer(rebasing: message.bytes[topic.count..<payloadStart]))
        writer = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: message.bytes[payloadStart...]))
        writer.write(payload)
        message.expiryInterval = properties.expiryInterval
        return message
    }
}
