import MQTTModel

/// What a packet from the broker broke, in words.
struct WireFault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The tests' own reading of the wire format, as strict as the standard lets a client be.
struct WireReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }
    var rest: [UInt8] { Array(bytes[position...]) }

    mutating func readByte() throws -> UInt8 {
        guard position < bytes.count else { throw WireFault("the packet is cut") }
        position += 1
        return bytes[position - 1]
    }

    mutating func readShort() throws -> UInt16 { UInt16(try readByte()) << 8 | UInt16(try readByte()) }
    mutating func readLong() throws -> UInt32 { UInt32(try readShort()) << 16 | UInt32(try readShort()) }

    mutating func readBytes(_ count: Int) throws -> [UInt8] {
        guard position + count <= bytes.count else { throw WireFault("the packet is cut") }
        position += count
        return Array(bytes[(position - count)..<position])
    }

    mutating func readPrefixed() throws -> [UInt8] { try readBytes(Int(try readShort())) }

    /// A string by the rules of 5.0 section 1.5.4: well-formed UTF-8 without U+0000.
    mutating func readString() throws -> String {
        let content = try readPrefixed()
        guard let string = String(validating: content, as: UTF8.self), !content.contains(0) else {
            throw WireFault("[MQTT-1.5.4-1] no string: \(content.hexDigits)")
        }
        return string
    }

    mutating func readVariable() throws -> Int {
        var value = 0
        for digits in 1...4 {
            let byte = try readByte()
            value |= Int(byte & 0x7F) << (7 * (digits - 1))
            guard byte & 0x80 == 0 else { continue }
            if byte == 0, digits > 1 { throw WireFault("[MQTT-1.5.5-1] not the shortest variable byte integer") }
            return value
        }
        throw WireFault("a variable byte integer of more than four bytes")
    }

    mutating func readProperties() throws -> [Property] {
        var reader = WireReader(try readBytes(try readVariable()))
        var properties: [Property] = []
        while !reader.isAtEnd { properties.append(try reader.readProperty()) }
        return properties
    }

    private mutating func readProperty() throws -> Property {
        let number = try readByte()
        guard let identifier = PropertyIdentifier(rawValue: number) else {
            throw WireFault("there is no property \(number)")
        }
        return switch identifier {
        case .payloadFormatIndicator: .payloadFormatIndicator(try readByte())
        case .messageExpiryInterval: .messageExpiryInterval(try readLong())
        case .contentType: .contentType(try readString())
        case .responseTopic: .responseTopic(try readString())
        case .correlationData: .correlationData(try readPrefixed())
        case .subscriptionIdentifier: .subscriptionIdentifier(UInt32(try readVariable()))
        case .sessionExpiryInterval: .sessionExpiryInterval(try readLong())
        case .assignedClientIdentifier: .assignedClientIdentifier(try readString())
        case .serverKeepAlive: .serverKeepAlive(try readShort())
        case .authenticationMethod: .authenticationMethod(try readString())
        case .authenticationData: .authenticationData(try readPrefixed())
        case .requestProblemInformation: .requestProblemInformation(try readByte())
        case .willDelayInterval: .willDelayInterval(try readLong())
        case .requestResponseInformation: .requestResponseInformation(try readByte())
        case .responseInformation: .responseInformation(try readString())
        case .serverReference: .serverReference(try readString())
        case .reasonString: .reasonString(try readString())
        case .receiveMaximum: .receiveMaximum(try readShort())
        case .topicAliasMaximum: .topicAliasMaximum(try readShort())
        case .topicAlias: .topicAlias(try readShort())
        case .maximumQoS: .maximumQoS(try readByte())
        case .retainAvailable: .retainAvailable(try readByte())
        case .userProperty: .userProperty(name: try readString(), value: try readString())
        case .maximumPacketSize: .maximumPacketSize(try readLong())
        case .wildcardSubscriptionAvailable: .wildcardSubscriptionAvailable(try readByte())
        case .subscriptionIdentifierAvailable: .subscriptionIdentifierAvailable(try readByte())
        case .sharedSubscriptionAvailable: .sharedSubscriptionAvailable(try readByte())
        }
    }

    /// The first whole packet of a stream, or nil when it has not all arrived.
    static func firstPacket(of stream: [UInt8]) throws -> [UInt8]? {
        guard stream.count >= 2 else { return nil }
        var length = 0
        for index in 1...4 {
            guard index < stream.count else { return nil }
            length |= Int(stream[index] & 0x7F) << (7 * (index - 1))
            guard stream[index] & 0x80 == 0 else { continue }
            let end = index + 1 + length
            return stream.count < end ? nil : Array(stream[..<end])
        }
        throw WireFault("a remaining length of more than four bytes")
    }
}
