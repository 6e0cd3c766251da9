import MQTTModel

extension Properties {
    /// Reads the property length and the properties behind it.
    static func decode(
        _ reader: inout ByteReader, in packet: PropertyPackets
    ) throws(ProtocolViolation) -> Properties {
        var scanner = try PropertyScanner(&reader, packet: packet)
        return try decode(&scanner)
    }

    static func decode(_ scanner: inout PropertyScanner) throws(ProtocolViolation) -> Properties {
        var properties = Properties()
        while let encoded = try scanner.next() { properties.append(Property(encoded)) }
        // 5.0 sections 3.1.2.11.10, 3.2.2.3.18 and 3.15.2.2.3
        guard !scanner.contains(.authenticationData) || scanner.contains(.authenticationMethod) else {
            throw .protocolError("5.0 section 3.1.2.11.10", "authentication data without authentication method")
        }
        return properties
    }

    /// Writes the property length and the properties [MQTT-2.2.2-1].
    func encode(to sink: inout some ByteSink) {
        var counter = ByteCounter()
        for property in all { property.encode(to: &counter) }
        sink.writeVariableByteInteger(counter.count)
        for property in all { property.encode(to: &sink) }
    }
}

extension Property {
    init(_ encoded: EncodedProperty) {
        let number = encoded.number
        var string: String { String(decoding: encoded.bytes, as: UTF8.self) }
        switch encoded.identifier {
        case .payloadFormatIndicator: self = .payloadFormatIndicator(UInt8(number))
        case .messageExpiryInterval: self = .messageExpiryInterval(number)
        case .contentType: self = .contentType(string)
        case .responseTopic: self = .responseTopic(string)
        case .correlationData: self = .correlationData(Array(encoded.bytes))
        case .subscriptionIdentifier: self = .subscriptionIdentifier(number)
        case .sessionExpiryInterval: self = .sessionExpiryInterval(number)
        case .assignedClientIdentifier: self = .assignedClientIdentifier(string)
        case .serverKeepAlive: self = .serverKeepAlive(UInt16(number))
        case .authenticationMethod: self = .authenticationMethod(string)
        case .authenticationData: self = .authenticationData(Array(encoded.bytes))
        case .requestProblemInformation: self = .requestProblemInformation(UInt8(number))
        case .willDelayInterval: self = .willDelayInterval(number)
        case .requestResponseInformation: self = .requestResponseInformation(UInt8(number))
        case .responseInformation: self = .responseInformation(string)
        case .serverReference: self = .serverReference(string)
        case .reasonString: self = .reasonString(string)
        case .receiveMaximum: self = .receiveMaximum(UInt16(number))
        case .topicAliasMaximum: self = .topicAliasMaximum(UInt16(number))
        case .topicAlias: self = .topicAlias(UInt16(number))
        case .maximumQoS: self = .maximumQoS(UInt8(number))
        case .retainAvailable: self = .retainAvailable(UInt8(number))
        case .userProperty:
            self = .userProperty(name: string, value: String(decoding: encoded.pairValue, as: UTF8.self))
        case .maximumPacketSize: self = .maximumPacketSize(number)
        case .wildcardSubscriptionAvailable: self = .wildcardSubscriptionAvailable(UInt8(number))
        case .subscriptionIdentifierAvailable: self = .subscriptionIdentifierAvailable(UInt8(number))
        case .sharedSubscriptionAvailable: self = .sharedSubscriptionAvailable(UInt8(number))
        }
    }

    var identifier: PropertyIdentifier {
        switch self {
        case .payloadFormatIndicator: .payloadFormatIndicator
        case .messageExpiryInterval: .messageExpiryInterval
        case .contentType: .contentType
        case .responseTopic: .responseTopic
        case .correlationData: .correlationData
        case .subscriptionIdentifier: .subscriptionIdentifier
        case .sessionExpiryInterval: .sessionExpiryInterval
        case .assignedClientIdentifier: .assignedClientIdentifier
        case .serverKeepAlive: .serverKeepAlive
        case .authenticationMethod: .authenticationMethod
        case .authenticationData: .authenticationData
        case .requestProblemInformation: .requestProblemInformation
        case .willDelayInterval: .willDelayInterval
        case .requestResponseInformation: .requestResponseInformation
        case .responseInformation: .responseInformation
        case .serverReference: .serverReference
        case .reasonString: .reasonString
        case .receiveMaximum: .receiveMaximum
        case .topicAliasMaximum: .topicAliasMaximum
        case .topicAlias: .topicAlias
        case .maximumQoS: .maximumQoS
        case .retainAvailable: .retainAvailable
        case .userProperty: .userProperty
        case .maximumPacketSize: .maximumPacketSize
        case .wildcardSubscriptionAvailable: .wildcardSubscriptionAvailable
        case .subscriptionIdentifierAvailable: .subscriptionIdentifierAvailable
        case .sharedSubscriptionAvailable: .sharedSubscriptionAvailable
        }
    }

    /// Writes the identifier and the value.
    func encode(to sink: inout some ByteSink) {
        sink.write(identifier.rawValue)
        switch self {
        case .payloadFormatIndicator(let value), .requestProblemInformation(let value),
            .requestResponseInformation(let value), .maximumQoS(let value), .retainAvailable(let value),
            .wildcardSubscriptionAvailable(let value), .subscriptionIdentifierAvailable(let value),
            .sharedSubscriptionAvailable(let value):
            sink.write(value)
        case .serverKeepAlive(let value), .receiveMaximum(let value), .topicAliasMaximum(let value),
            .topicAlias(let value):
            sink.write(value)
        case .messageExpiryInterval(let value), .sessionExpiryInterval(let value), .willDelayInterval(let value),
            .maximumPacketSize(let value):
            sink.write(value)
        case .subscriptionIdentifier(let value): sink.writeVariableByteInteger(Int(value))
        case .contentType(let value), .responseTopic(let value), .assignedClientIdentifier(let value),
            .authenticationMethod(let value), .responseInformation(let value), .serverReference(let value),
            .reasonString(let value):
            sink.write(value)
        case .userProperty(let name, let value):
            sink.write(name)
            sink.write(value)
        case .correlationData(let value), .authenticationData(let value): sink.write(value)
        }
    }
}
