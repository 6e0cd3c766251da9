import MQTTModel

/// CONNECT, section 3.1.
extension Connect {
    func encodeBody(to sink: inout some ByteSink) {
        sink.write(version.protocolName)
        sink.write(version.rawValue)
        sink.write(flags)
        sink.write(keepAlive)
        if version.hasProperties { properties.encode(to: &sink) }
        sink.write(clientIdentifier)
        if let will {
            if version.hasProperties { will.encodeProperties(to: &sink) }
            sink.writeWithLength(will.message.topic)
            sink.writeWithLength(will.message.payload)
        }
        if let userName { sink.write(userName) }
        if let password { sink.write(password) }
    }

    private var flags: UInt8 {
        var flags: UInt8 = cleanStart ? 0x02 : 0
        if let will {
            flags |= 0x04 | will.message.qos.rawValue << 3 | (will.message.isRetained ? 0x20 : 0)
        }
        if password != nil { flags |= 0x40 }
        if userName != nil { flags |= 0x80 }
        return flags
    }
}

extension Will {
    /// The will properties with their length (5.0 section 3.1.3.2).
    func encodeProperties(to sink: inout some ByteSink) {
        let length =
            (delayInterval == 0 ? 0 : 5) + (message.expiryInterval == nil ? 0 : 5) + message.propertiesLength
        sink.writeVariableByteInteger(length)
        if delayInterval != 0 { Property.willDelayInterval(delayInterval).encode(to: &sink) }
        if let expiry = message.expiryInterval { Property.messageExpiryInterval(expiry).encode(to: &sink) }
        sink.write(message.properties)
    }
}
