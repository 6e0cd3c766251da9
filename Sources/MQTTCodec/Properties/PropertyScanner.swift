import MQTTModel

/// A property as it lies in the packet, checked; nothing is copied.
struct EncodedProperty {
    var identifier: PropertyIdentifier
    /// The value, if it is an integer.
    var number: UInt32 = 0
    /// The value, if it is a string or binary data; of a string pair the name.
    var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Of a string pair the value.
    var pairValue = UnsafeRawBufferPointer(start: nil, count: 0)
    /// All of it, the identifier included.
    var encoded = UnsafeRawBufferPointer(start: nil, count: 0)
}

/// Goes through the properties of one packet and holds them to the rules of `PropertyRules.swift`.
///
/// What cannot be decoded is malformed (0x81); what can, but is not allowed here, is doubled or has a value out of
/// range, is a protocol error (0x82) (5.0 sections 2.2.2.2 and 3.1.2.11 onwards). The time is linear in the bytes,
/// however many properties there are.
struct PropertyScanner {
    private var reader: ByteReader
    private let packet: PropertyPackets
    /// One bit for each identifier that was there.
    private var seen: UInt64 = 0

    /// Reads the property length at `reader` and takes as many bytes from it.
    init(_ reader: inout ByteReader, packet: PropertyPackets) throws(ProtocolViolation) {
        self.reader = try reader.readSection(reader.readVariableByteInteger())
        self.packet = packet
    }

    /// Over bytes without a length in front.
    init(_ bytes: UnsafeRawBufferPointer, base: UnsafeRawPointer, packet: PropertyPackets) {
        self.reader = ByteReader(base: base, range: 0..<bytes.count)
        self.packet = packet
    }

    /// The properties that have not been read.
    var rest: UnsafeRawBufferPointer { reader.rest }

    func contains(_ identifier: PropertyIdentifier) -> Bool { seen & (1 << UInt64(identifier.rawValue)) != 0 }

    /// The next property; nil at the end.
    mutating func next() throws(ProtocolViolation) -> EncodedProperty? {
        guard !reader.isAtEnd else { return nil }
        let start = reader.index
        let code = try reader.readVariableByteInteger()
        guard code <= 0x7F, let identifier = PropertyIdentifier(rawValue: UInt8(code)) else {
            throw .malformed("5.0 section 2.2.2.2", "unknown property identifier")
        }
        var property = EncodedProperty(identifier: identifier)
        switch identifier.form {
        case .byte: property.number = try UInt32(reader.readUInt8())
        case .twoByteInteger: property.number = try UInt32(reader.readUInt16())
        case .fourByteInteger: property.number = try reader.readUInt32()
        case .variableByteInteger: property.number = try UInt32(reader.readVariableByteInteger())
        case .string: property.bytes = try reader.readUTF8()
        case .binary: property.bytes = try reader.readBinary()
        case .stringPair:
            property.bytes = try reader.readUTF8()
            property.pairValue = try reader.readUTF8()
        }
        property.encoded = reader.bytes(since: start)
        try checkPlace(of: identifier)
        try PropertyScanner.checkValue(of: property)
        return property
    }

    private mutating func checkPlace(of identifier: PropertyIdentifier) throws(ProtocolViolation) {
        guard identifier.packets.contains(packet) else {
            if identifier == .subscriptionIdentifier, packet == .publishToServer {
                throw .protocolError("MQTT-3.3.4-6", "a client's PUBLISH has a subscription identifier")
            }
            throw .protocolError("5.0 section 2.2.2.2", "a property is not allowed in this packet")
        }
        guard !contains(identifier) || identifier.repeats(in: packet) else {
            throw .protocolError("5.0 section 2.2.2.2", "a property is there twice that may be there once")
        }
        seen |= 1 << UInt64(identifier.rawValue)
    }

    /// The ranges of values, from the section of each property.
    private static func checkValue(of property: EncodedProperty) throws(ProtocolViolation) {
        switch property.identifier {
        case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS,
            .retainAvailable, .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable,
            .sharedSubscriptionAvailable:
            guard property.number <= 1 else {
                throw .protocolError("5.0 section 2.2.2.2", "a property that is 0 or 1 has another value")
            }
        case .receiveMaximum, .maximumPacketSize, .subscriptionIdentifier:
            guard property.number != 0 else {
                throw .protocolError("5.0 section 2.2.2.2", "a property that must not be 0 is 0")
            }
        case .topicAlias:
            guard property.number != 0 else {
                throw ProtocolViolation(.topicAliasInvalid, clause: "MQTT-3.3.2-8", "topic alias 0")
            }
        case .responseTopic:
            guard !property.bytes.isEmpty, !TopicName.containsWildcard(property.bytes) else {
                throw .protocolError("MQTT-3.3.2-14", "the response topic is empty or has a wildcard")
            }
        case .messageExpiryInterval, .contentType, .correlationData, .sessionExpiryInterval,
            .assignedClientIdentifier, .serverKeepAlive, .authenticationMethod, .authenticationData,
            .willDelayInterval, .responseInformation, .serverReference, .reasonString, .topicAliasMaximum,
            .userProperty:
            break
        }
    }
}
