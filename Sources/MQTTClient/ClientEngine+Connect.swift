import MQTTCodec
import MQTTModel

// The CONNECT packet that the configuration stands for.
extension ClientEngine {
    var sessionExpirySeconds: UInt32 {
        UInt32(clamping: configuration.sessionExpiryInterval.components.seconds)
    }

    func checkConfiguration() throws {
        let version = configuration.version
        if version < .v5_0, configuration.clientIdentifier.isEmpty, !configuration.cleanStart {
            throw MQTTClientError(
                .invalidConfiguration, "a session that is kept needs a client identifier before MQTT 5.0")
        }
        if version < .v5_0, configuration.password != nil, configuration.userName == nil {
            throw MQTTClientError(.invalidConfiguration, "a password needs a user name before MQTT 5.0")
        }
        if version.hasProperties, configuration.receiveMaximum == 0 {
            throw MQTTClientError(.invalidConfiguration, "the receive maximum is at least 1")
        }
        if !(0...65_535).contains(configuration.port) {
            throw MQTTClientError(.invalidConfiguration, "\(configuration.port) is no port: 1...65535")
        }
        if let will = configuration.will, TopicName(will.topic) == nil {
            throw MQTTClientError(.invalidTopic, "the will's topic \"\(will.topic)\" is no topic name")
        }
    }

    /// After the first accepted connection 5.0 resumes the session. In 3.x a clean session is one for each connection.
    func makeConnect() -> Connect {
        let version = configuration.version
        var packet = Connect(
            version: version, clientIdentifier: chosenClientIdentifier,
            cleanStart: configuration.cleanStart && !(version.hasProperties && wasAccepted),
            keepAlive: UInt16(clamping: configuration.keepAlive.components.seconds),
            will: configuration.will.map(makeWill), userName: configuration.userName,
            password: configuration.password)
        if version.hasProperties { packet.properties = connectProperties }
        return packet
    }

    /// 3.x clients choose their own: 3.1 has no empty identifier, and 3.1.1 servers may refuse it.
    private var chosenClientIdentifier: String {
        guard configuration.clientIdentifier.isEmpty, configuration.version < .v5_0 else {
            return configuration.clientIdentifier
        }
        if generatedClientIdentifier.isEmpty {
            let number = String(UInt64.random(in: 0...UInt64.max), radix: 36)
            generatedClientIdentifier = "dunlin-" + number
        }
        return generatedClientIdentifier
    }

    /// What the configuration names, and then what it adds; a property of the latter replaces one of the former.
    private var connectProperties: Properties {
        let added = configuration.properties
        var properties = Properties()
        if sessionExpirySeconds > 0, added.sessionExpiryInterval == nil {
            properties.append(.sessionExpiryInterval(sessionExpirySeconds))
        }
        if added.receiveMaximum == nil { properties.append(.receiveMaximum(configuration.receiveMaximum)) }
        if added.maximumPacketSize == nil { properties.append(.maximumPacketSize(configuration.maximumPacketSize)) }
        if configuration.topicAliasMaximum > 0, added.topicAliasMaximum == nil {
            properties.append(.topicAliasMaximum(configuration.topicAliasMaximum))
        }
        for property in added.all { properties.append(property) }
        return properties
    }

    private func makeWill(_ will: MQTTClient.Will) -> Will {
        let properties = configuration.version.hasProperties ? will.properties : []
        return Will(
            message: ApplicationMessage(
                topic: will.topic, payload: will.payload, qos: will.qos, isRetained: will.retain,
                properties: properties),
            delayInterval: properties.willDelayInterval ?? UInt32(clamping: will.delay.components.seconds))
    }
}

extension ApplicationMessage {
    /// A message to publish. Of the properties those count that travel with a message.
    convenience init(topic: String, payload: [UInt8], qos: QoS, isRetained: Bool, properties: Properties) {
        let encoded = PacketEncoder.encodeForwardedProperties(properties)
        var topic = topic
        self.init(capacity: topic.utf8.count + encoded.count + payload.count)
        topic.withUTF8 { topicBytes in
            reset(topicLength: topicBytes.count, propertiesLength: encoded.count, payloadLength: payload.count)
            bytes[..<topicBytes.count].copyBytes(from: topicBytes)
            bytes[topicBytes.count..<(topicBytes.count + encoded.count)].copyBytes(from: encoded)
            bytes[(topicBytes.count + encoded.count)...].copyBytes(from: payload)
        }
        self.qos = qos
        self.isRetained = isRetained
        expiryInterval = properties.messageExpiryInterval
    }
}
