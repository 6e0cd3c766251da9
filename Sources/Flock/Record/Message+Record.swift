package import MQTTModel

/// A message in a record: flags, topic, properties, payload, expiry, publisher.
extension RecordWriter {
    package mutating func append(_ message: ApplicationMessage) {
        append(byte: message.qos.rawValue | (message.isRetained ? 0x04 : 0))
        append(message.topic)
        append(message.properties)
        append(message.payload)
        append(optional: message.expiryInterval)
        append(message.publisherHash)
    }
}

extension RecordReader {
    /// - Parameter age: seconds since the message was written, which are taken from what is left of its expiry.
    package mutating func message(age: UInt64) throws(MalformedRecord) -> ApplicationMessage {
        let flags = try byte()
        guard flags & ~0x07 == 0, let qos = QoS(rawValue: flags & 0x03) else { throw malformed("flags are unknown") }
        let topic = try field()
        let properties = try field()
        let payload = try field()
        if skipsMessages {
            _ = try optionalNumber(as: UInt32.self)
            _ = try number()
            return RecordReader.skipped
        }
        let message = ApplicationMessage(topic: topic, encodedProperties: properties, payload: payload)
        message.qos = qos
        message.isRetained = flags & 0x04 != 0
        if let expiry = try optionalNumber(as: UInt32.self) {
            message.expiryInterval = UInt64(expiry) <= age ? 0 : expiry - UInt32(age)
        }
        message.publisherHash = try number()
        return message
    }

    private static let skipped = ApplicationMessage(capacity: 0)
}
