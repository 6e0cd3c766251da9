import MQTTModel

/// The tests' own writing of the wire format, apart from the broker's codec, so that no fault of the codec hides itself.
struct WireWriter {
    var bytes: [UInt8] = []

    mutating func write(byte: UInt8) { bytes.append(byte) }

    mutating func write(short value: UInt16) {
        bytes.append(UInt8(value >> 8))
        bytes.append(UInt8(value & 0xFF))
    }

    mutating func write(long value: UInt32) {
        write(short: UInt16(value >> 16))
        write(short: UInt16(value & 0xFFFF))
    }

    mutating func write(variable value: Int) {
        var rest = value
        repeat {
            let digit = UInt8(rest & 0x7F)
            rest >>= 7
            bytes.append(rest > 0 ? digit | 0x80 : digit)
        } while rest > 0
    }

    mutating func write(_ text: Text) { write(prefixed: text.bytes) }

    mutating func write(prefixed content: [UInt8]) {
        write(short: UInt16(truncatingIfNeeded: content.count))
        bytes += content
    }

    mutating func write(_ properties: PropertyList) {
        write(variable: properties.bytes.count)
        bytes += properties.bytes
    }

    /// A whole packet: first byte, remaining length, content.
    static func packet(_ first: UInt8, _ content: (inout WireWriter) -> Void) -> [UInt8] {
        var body = WireWriter()
        content(&body)
        var packet = WireWriter(bytes: [first])
        packet.write(variable: body.bytes.count)
        return packet.bytes + body.bytes
    }
}

/// Encoded properties without their length: from a literal, or from bytes where they must be wrong.
struct PropertyList: Sendable, Hashable, ExpressibleByArrayLiteral {
    var bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }
    init(_ properties: [Property]) { bytes = properties.flatMap(PropertyList.encode) }
    init(arrayLiteral elements: Property...) { self.init(elements) }

    static func hex(_ digits: String) -> PropertyList { PropertyList(bytes: .hex(digits)) }
    static func + (left: PropertyList, right: PropertyList) -> PropertyList {
        PropertyList(bytes: left.bytes + right.bytes)
    }

    private static func encode(_ property: Property) -> [UInt8] {
        var writer = WireWriter()
        func with(_ identifier: UInt8, byte value: UInt8) { writer.bytes += [identifier, value] }
        func with(_ identifier: UInt8, short value: UInt16) {
            writer.write(byte: identifier)
            writer.write(short: value)
        }
        func with(_ identifier: UInt8, long value: UInt32) {
            writer.write(byte: identifier)
            writer.write(long: value)
        }
        func with(_ identifier: UInt8, _ content: [UInt8]) {
            writer.write(byte: identifier)
            writer.write(prefixed: content)
        }
        switch property {
        case .payloadFormatIndicator(let value): with(0x01, byte: value)
        case .messageExpiryInterval(let value): with(0x02, long: value)
        case .contentType(let value): with(0x03, Array(value.utf8))
        case .responseTopic(let value): with(0x08, Array(value.utf8))
        case .correlationData(let value): with(0x09, value)
        case .subscriptionIdentifier(let value):
            writer.write(byte: 0x0B)
            writer.write(variable: Int(value))
        case .sessionExpiryInterval(let value): with(0x11, long: value)
        case .assignedClientIdentifier(let value): with(0x12, Array(value.utf8))
        case .serverKeepAlive(let value): with(0x13, short: value)
        case .authenticationMethod(let value): with(0x15, Array(value.utf8))
        case .authenticationData(let value): with(0x16, value)
        case .requestProblemInformation(let value): with(0x17, byte: value)
        case .willDelayInterval(let value): with(0x18, long: value)
        case .requestResponseInformation(let value): with(0x19, byte: value)
        case .responseInformation(let value): with(0x1A, Array(value.utf8))
        case .serverReference(let value): with(0x1C, Array(value.utf8))
        case .reasonString(let value): with(0x1F, Array(value.utf8))
        case .receiveMaximum(let value): with(0x21, short: value)
        case .topicAliasMaximum(let value): with(0x22, short: value)
        case .topicAlias(let value): with(0x23, short: value)
        case .maximumQoS(let value): with(0x24, byte: value)
        case .retainAvailable(let value): with(0x25, byte: value)
        case .userProperty(let name, let value):
            writer.write(byte: 0x26)
            writer.write(prefixed: Array(name.utf8))
            writer.write(prefixed: Array(value.utf8))
        case .maximumPacketSize(let value): with(0x27, long: value)
        case .wildcardSubscriptionAvailable(let value): with(0x28, byte: value)
        case .subscriptionIdentifierAvailable(let value): with(0x29, byte: value)
        case .sharedSubscriptionAvailable(let value): with(0x2A, byte: value)
        }
        return writer.bytes
    }
}
