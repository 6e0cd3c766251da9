import MQTTCodec
import MQTTModel
import Testing

/// Every property identifier in every packet: what may be where, how often, and what a cut one is.
@Suite struct PropertyTests {
    /// A packet with its properties left open.
    struct Place: Sendable {
        let name: String
        let role: PacketDecoder.Role
        let isFirst: Bool
        let before: String
        let after: String
        let allowed: Set<UInt8>

        init(
            _ name: String, _ role: PacketDecoder.Role, _ before: String, _ after: String, _ allowed: Set<UInt8>,
            isFirst: Bool = false
        ) {
            self.name = name
            self.role = role
            self.isFirst = isFirst
            self.before = before
            self.after = after
            self.allowed = allowed
        }

        func decode(_ properties: String) -> ReasonCode? {
            var decoder = decoder(role, isFirst ? nil : .v5_0)
            do {
                return try decoder.decode(Wire.bytes("\(before) \(properties) \(after)")) == nil ? .quotaExceeded : nil
            } catch { return error.reasonCode }
        }
    }

    /// Table 2-4 of the standard, written once more.
    static let places: [Place] = [
        .init(
            "CONNECT", .server, "10 { \"MQTT\" 05 02 0000", "\"id\" }",
            [0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27], isFirst: true),
        .init(
            "will", .server, "10 { \"MQTT\" 05 06 0000 [ ] \"id\"", "\"w\" \"p\" }",
            [0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26], isFirst: true),
        .init(
            "CONNACK", .client, "20 { 00 00", "}",
            [
                0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A,
            ]),
        .init("client's PUBLISH", .server, "30 { \"t\"", "'x' }", [0x01, 0x02, 0x03, 0x08, 0x09, 0x23, 0x26]),
        .init("server's PUBLISH", .client, "30 { \"t\"", "'x' }", [0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26]),
        .init("PUBACK", .server, "40 { 0001 00", "}", [0x1F, 0x26]),
        .init("PUBREC", .server, "50 { 0001 00", "}", [0x1F, 0x26]),
        .init("PUBREL", .client, "62 { 0001 00", "}", [0x1F, 0x26]),
        .init("PUBCOMP", .client, "70 { 0001 00", "}", [0x1F, 0x26]),
        .init("SUBSCRIBE", .server, "82 { 0001", "\"a\" 00 }", [0x0B, 0x26]),
        .init("SUBACK", .client, "90 { 0001", "00 }", [0x1F, 0x26]),
        .init("UNSUBSCRIBE", .server, "A2 { 0001", "\"a\" }", [0x26]),
        .init("UNSUBACK", .client, "B0 { 0001", "00 }", [0x1F, 0x26]),
        .init("client's DISCONNECT", .server, "E0 { 00", "}", [0x11, 0x1C, 0x1F, 0x26]),
        .init("server's DISCONNECT", .client, "E0 { 80", "}", [0x1C, 0x1F, 0x26]),
        .init("AUTH", .server, "F0 { 18", "}", [0x15, 0x16, 0x1F, 0x26]),
    ]

    static func value(_ identifier: PropertyIdentifier) -> String {
        switch identifier {
        case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS,
            .retainAvailable, .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable,
            .sharedSubscriptionAvailable:
            "01"
        case .serverKeepAlive, .receiveMaximum, .topicAliasMaximum, .topicAlias: "0001"
        case .messageExpiryInterval, .sessionExpiryInterval, .willDelayInterval, .maximumPacketSize: "00000001"
        case .subscriptionIdentifier: "01"
        case .contentType, .responseTopic, .assignedClientIdentifier, .authenticationMethod, .responseInformation,
            .serverReference, .reasonString, .correlationData, .authenticationData:
            "\"x\""
        case .userProperty: "\"x\" \"y\""
        }
    }

    static func encoded(_ identifier: PropertyIdentifier) -> String {
        let code = String(identifier.rawValue, radix: 16)
        return (code.count == 1 ? "0" : "") + code + " " + value(identifier)
    }

    @Test(
        "5.0 section 2.2.2.2: allowed where table 2-4 says so, else 0x82; cut is 0x81; twice is 0x82", arguments: places
    )
    func everyPropertyInEveryPacket(_ place: Place) {
        for identifier in PropertyIdentifier.allCases {
            let encoded = PropertyTests.encoded(identifier)
            // Authentication data needs its method beside it.
            let beside = identifier == .authenticationData ? PropertyTests.encoded(.authenticationMethod) : ""
            let isAllowed = place.allowed.contains(identifier.rawValue)
            #expect(
                place.decode("[ \(encoded) \(beside) ]") == (isAllowed ? nil : .protocolError),
                "\(place.name) \(identifier)")
            let repeats =
                identifier == .userProperty
                || (identifier == .subscriptionIdentifier && place.name == "server's PUBLISH")
            #expect(
                place.decode("[ \(encoded) \(beside) \(encoded) ]") == (isAllowed && repeats ? nil : .protocolError),
                "\(place.name) \(identifier) twice")
            let bytes = Wire.bytes(encoded)
            for count in 1..<bytes.count {
                let cut = bytes.prefix(count).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                #expect(place.decode("[ \(cut) ]") == .malformedPacket, "\(place.name) \(identifier) cut to \(count)")
            }
        }
    }

    @Test("unknown identifiers are malformed, also in more than one byte", arguments: places)
    func unknownIdentifiers(_ place: Place) {
        let known = Set(PropertyIdentifier.allCases.map(\.rawValue))
        for code in UInt8(0)...0x7F where !known.contains(code) {
            let hexadecimal = (code < 16 ? "0" : "") + String(code, radix: 16)
            #expect(place.decode("[ \(hexadecimal) 01 ]") == .malformedPacket, "\(place.name) \(hexadecimal)")
        }
        for long in ["8001", "8000", "A600", "FF7F", "808001", "80808001", "8080808001", "A6808000"] {
            #expect(place.decode("[ \(long) 01 ]") == .malformedPacket, "\(place.name) \(long)")
        }
    }

    @Test("MQTT-1.5.5-1: every border of a variable byte integer, and every form that is too long")
    func variableByteIntegers() throws {
        let good: [(String, UInt32)] = [
            ("01", 1), ("7F", 127), ("8001", 128), ("FF7F", 16_383), ("808001", 16_384), ("FFFF7F", 2_097_151),
            ("80808001", 2_097_152), ("FFFFFF7F", 268_435_455),
        ]
        for (hexadecimal, value) in good {
            try Accepted("\(value)", "82 { 0001 [ 0B \(hexadecimal) ] \"a\" 00 }") {
                $0.subscribe?.properties.subscriptionIdentifier == value
            }.check()
        }
        for hexadecimal in ["8000", "818000", "FFFFFF00", "8080808001", "FFFFFFFF7F"] {
            Refused(hexadecimal, "82 { 0001 [ 0B \(hexadecimal) ] \"a\" 00 }", .malformedPacket).check()
        }
    }
}
