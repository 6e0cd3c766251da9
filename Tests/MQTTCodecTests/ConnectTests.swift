import MQTTCodec
import MQTTModel
import Testing

@Suite struct ConnectTests {
    static let accepted: [Accepted] = [
        .init("3.1: name MQIsdp, level 3", "10 { \"MQIsdp\" 03 02 003C \"id\" }", in: [.v3_1], isFirst: true) {
            $0.connect.map { $0.clientIdentifier == "id" && $0.keepAlive == 60 && $0.cleanStart } ?? false
        },
        .init("3.1.1: name MQTT, level 4", "10 { \"MQTT\" 04 00 0000 \"id\" }", in: [.v3_1_1], isFirst: true) {
            $0.connect.map { !$0.cleanStart && $0.will == nil && $0.userName == nil && $0.password == nil } ?? false
        },
        .init("5.0: name MQTT, level 5", "10 { \"MQTT\" 05 02 0000 [ ] \"\" }", in: [.v5_0], isFirst: true) {
            $0.connect?.clientIdentifier == ""
        },
        .init(
            "MQTT-3.1.3-1 the payload's fields in order (3.1.1)",
            "10 { \"MQTT\" 04 EE 000A \"id\" \"w/t\" 0003 000102 \"user\" \"word\" }", in: [.v3_1_1], isFirst: true
        ) {
            guard let connect = $0.connect, let will = connect.will?.message else { return false }
            return connect.userName == "user" && connect.password == Array("word".utf8) && will.topicString == "w/t"
                && Array(will.payload) == [0, 1, 2] && will.qos == .atLeastOnce && will.isRetained
        },
        .init(
            "MQTT-3.1.3-1 and MQTT-3.1.3-10: will properties, user properties in order (5.0)",
            """
            10 { "MQTT" 05 CE 000A [ 11 00000009 21 0001 27 00000064 22 0003 19 01 17 00 26 "a" "b" 26 "a" "c"
            15 "m" 16 0002 0102 ] "id" [ 18 00000005 02 00000007 01 01 26 "z" "1" 03 "text" 26 "y" "2" 08 "r" 09 0001 FF ]
            "w" "bye" "user" "" }
            """, in: [.v5_0], isFirst: true
        ) {
            guard let connect = $0.connect, let will = connect.will else { return false }
            let forwarded = ForwardedProperties.decode(will.message.properties)
            return will.delayInterval == 5 && will.message.expiryInterval == 7 && will.message.qos == .atLeastOnce
                && !will.message.isRetained && forwarded.contentType == "text" && forwarded.responseTopic == "r"
                && forwarded.userProperties.map(\.name) == ["z", "y"] && connect.properties.sessionExpiryInterval == 9
                && connect.properties.userProperties.map(\.value) == ["b", "c"] && connect.password == []
        },
        .init(
            "5.0 section 3.1.2.9: a password without user name", "10 { \"MQTT\" 05 42 0000 [ ] \"id\" \"p\" }",
            isFirst: true
        ) { $0.connect?.userName == nil && $0.connect?.password == Array("p".utf8) },
        .init(
            "3.1 section 3.1: the remaining length takes precedence over the user name flag",
            "10 { \"MQIsdp\" 03 C2 003C \"id\" }", in: [.v3_1], isFirst: true,
            canonical: "10 { \"MQIsdp\" 03 02 003C \"id\" }"
        ) { $0.connect?.userName == nil },
        .init(
            "an empty will payload", "10 { \"MQTT\" 04 06 0000 \"id\" \"w\" \"\" }", in: [.v3_1_1], isFirst: true
        ) { $0.connect?.will?.message.payloadLength == 0 },
    ]

    @Test(arguments: accepted) func accepts(_ accepted: Accepted) throws { try accepted.check() }

    static let refused: [Refused] = [
        .init("MQTT-3.1.2-1 another protocol name", "10 { \"MQXX\" 04 02 0000 \"id\" }", .malformedPacket, in: [nil]),
        .init("MQTT-3.1.2-1 an empty protocol name", "10 { \"\" 04 02 0000 \"id\" }", .malformedPacket, in: [nil]),
        .init("MQTT-3.1.2-1 a name in small letters", "10 { \"mqtt\" 04 02 0000 \"id\" }", .malformedPacket, in: [nil]),
        .init(
            "MQTT-3.1.2-2 level 3 of MQTT", "10 { \"MQTT\" 03 02 0000 \"id\" }", .unsupportedProtocolVersion, in: [nil]),
        .init(
            "MQTT-3.1.2-2 level 4 of MQIsdp", "10 { \"MQIsdp\" 04 02 0000 \"id\" }", .unsupportedProtocolVersion,
            in: [nil]),
        .init("MQTT-3.1.2-2 level 6", "10 { \"MQTT\" 06 }", .unsupportedProtocolVersion, in: [nil]),
        .init(
            "MQTT-3.1.2-3 the reserved flag (3.1.1)", "10 { \"MQTT\" 04 03 0000 \"id\" }", .malformedPacket, in: [nil]),
        .init(
            "MQTT-3.1.2-3 the reserved flag (5.0)", "10 { \"MQTT\" 05 03 0000 [ ] \"id\" }", .malformedPacket, in: [nil]
        ),
        .init(
            "3.1.1 MQTT-3.1.2-13 a will QoS without will", "10 { \"MQTT\" 04 0A 0000 \"id\" }", .malformedPacket,
            in: [nil]),
        .init(
            "5.0 MQTT-3.1.2-11 a will QoS without will", "10 { \"MQTT\" 05 12 0000 [ ] \"id\" }", .malformedPacket,
            in: [nil]),
        .init(
            "3.1.1 MQTT-3.1.2-15 will retain without will", "10 { \"MQTT\" 04 22 0000 \"id\" }", .malformedPacket,
            in: [nil]),
        .init(
            "5.0 MQTT-3.1.2-13 will retain without will", "10 { \"MQTT\" 05 22 0000 [ ] \"id\" }", .malformedPacket,
            in: [nil]),
        .init(
            "3.1.1 MQTT-3.1.2-14 will QoS 3", "10 { \"MQTT\" 04 1E 0000 \"id\" \"w\" \"p\" }", .malformedPacket,
            in: [nil]),
        .init(
            "5.0 MQTT-3.1.2-12 will QoS 3", "10 { \"MQTT\" 05 1E 0000 [ ] \"id\" [ ] \"w\" \"p\" }", .malformedPacket,
            in: [nil]),
        .init(
            "3.1.1 MQTT-3.1.2-22 a password without user name", "10 { \"MQTT\" 04 42 0000 \"id\" \"p\" }",
            .malformedPacket, in: [nil]),
        .init("MQTT-3.1.2-9 will flag, but no will", "10 { \"MQTT\" 04 06 0000 \"id\" }", .malformedPacket, in: [nil]),
        .init(
            "MQTT-3.1.2-19 user name flag, but no user name", "10 { \"MQTT\" 04 82 0000 \"id\" }", .malformedPacket,
            in: [nil]),
        .init(
            "MQTT-3.1.2-21 password flag, but no password", "10 { \"MQTT\" 04 C2 0000 \"id\" \"u\" }", .malformedPacket,
            in: [nil]),
        .init(
            "MQTT-3.1.2-18 a user name without its flag", "10 { \"MQTT\" 04 02 0000 \"id\" \"u\" }", .malformedPacket,
            in: [nil]),
        .init("MQTT-3.1.3-3 no client identifier", "10 { \"MQTT\" 04 02 0000 }", .malformedPacket, in: [nil]),
        .init(
            "MQTT-3.1.3-4 a client identifier with U+0000", "10 { \"MQTT\" 04 02 0000 0001 00 }", .malformedPacket,
            in: [nil]),
        .init(
            "5.0 MQTT-3.1.3-11 a will topic with a surrogate",
            "10 { \"MQTT\" 05 06 0000 [ ] \"id\" [ ] 0003 EDA080 \"p\" }", .malformedPacket, in: [nil]),
        .init(
            "MQTT-4.7.3-1 an empty will topic", "10 { \"MQTT\" 04 06 0000 \"id\" \"\" \"p\" }", .malformedPacket,
            in: [nil]),
        .init(
            "MQTT-4.7.1-1 a will topic with #", "10 { \"MQTT\" 04 06 0000 \"id\" \"a/#\" \"p\" }", .malformedPacket,
            in: [nil]),
        .init(
            "5.0 MQTT-3.1.3-12 a user name cut in a sequence", "10 { \"MQTT\" 05 82 0000 [ ] \"id\" 0001 C3 }",
            .malformedPacket, in: [nil]),
        .init("3.1.1 MQTT-3.1.4-1 cut in the keep alive", "10 { \"MQTT\" 04 02 00 }", .malformedPacket, in: [nil]),
        .init("CONNECT without content", "10 { }", .malformedPacket, in: [nil]),
        .init("receive maximum 0", "10 { \"MQTT\" 05 02 0000 [ 21 0000 ] \"id\" }", .protocolError, in: [nil]),
        .init("maximum packet size 0", "10 { \"MQTT\" 05 02 0000 [ 27 00000000 ] \"id\" }", .protocolError, in: [nil]),
        .init(
            "request problem information 2", "10 { \"MQTT\" 05 02 0000 [ 17 02 ] \"id\" }", .protocolError, in: [nil]),
        .init(
            "request response information 2", "10 { \"MQTT\" 05 02 0000 [ 19 02 ] \"id\" }", .protocolError, in: [nil]),
        .init(
            "authentication data without method", "10 { \"MQTT\" 05 02 0000 [ 16 \"x\" ] \"id\" }", .protocolError,
            in: [nil]),
        .init(
            "a will property among those of CONNECT", "10 { \"MQTT\" 05 02 0000 [ 18 00000001 ] \"id\" }",
            .protocolError, in: [nil]),
        .init(
            "a property of CONNECT among those of the will",
            "10 { \"MQTT\" 05 06 0000 [ ] \"id\" [ 21 0001 ] \"w\" \"p\" }", .protocolError, in: [nil]),
        .init(
            "will payload format indicator 2", "10 { \"MQTT\" 05 06 0000 [ ] \"id\" [ 01 02 ] \"w\" \"p\" }",
            .protocolError, in: [nil]),
    ]

    @Test(arguments: refused) func refuses(_ refused: Refused) { refused.check() }

    struct Answered: Sendable {
        let wire: String
        let version: ProtocolVersion?
    }

    /// What form the answer has, and whether there is one at all.
    static let answered: [Answered] = [
        .init(wire: "10 { \"MQTX\" 04 }", version: nil),
        .init(wire: "10 { \"MQTT\" }", version: nil),
        .init(wire: "10 { \"MQTT\" 00 }", version: .v3_1_1),
        .init(wire: "10 { \"MQTT\" 03 }", version: .v3_1_1),
        .init(wire: "10 { \"MQIsdp\" 04 }", version: .v3_1_1),
        .init(wire: "10 { \"MQIsdp\" 05 }", version: .v3_1_1),
        .init(wire: "10 { \"MQTT\" 06 }", version: .v5_0),
        .init(wire: "10 { \"MQTT\" FF }", version: .v5_0),
        // A bridge's private level, after which it falls back to 3.1.1.
        .init(wire: "10 { \"MQTT\" 84 }", version: .v3_1_1),
        .init(wire: "10 { \"MQIsdp\" 83 }", version: .v3_1_1),
        // Malformed behind the level: the answer is in the form of the level.
        .init(wire: "10 { \"MQTT\" 05 }", version: .v5_0),
        .init(wire: "10 { \"MQTT\" 05 03 0000 [ ] \"id\" }", version: .v5_0),
        .init(wire: "10 { \"MQTT\" 04 03 0000 \"id\" }", version: .v3_1_1),
    ]

    @Test("MQTT-3.1.2-1, MQTT-3.1.2-2, MQTT-3.1.4-1: the version that answers a refused CONNECT", arguments: answered)
    func refusedConnectTellsTheVersionOfTheAnswer(_ answered: Answered) {
        var decoder = decoder(.server, nil)
        #expect(throws: ProtocolViolation.self) { try decoder.decode(Wire.bytes(answered.wire)) }
        #expect(decoder.version == answered.version, "\(answered.wire)")
    }

    @Test("5,000 user properties take about as long as the bytes they are")
    func manyUserPropertiesAreNotQuadratic() throws {
        let one = Wire.bytes("26 \"name\" \"value\"")
        func connect(_ count: Int) -> [UInt8] {
            let properties = (0..<count).flatMap { _ in one }
            let body =
                Wire.bytes("\"MQTT\" 05 02 0000") + Wire.variableByteInteger(properties.count) + properties
                + Wire.bytes("\"id\"")
            return [0x10] + Wire.variableByteInteger(body.count) + body
        }
        func time(_ count: Int) throws -> Duration {
            let bytes = connect(count)
            return try ContinuousClock().measure {
                var decoder = decoder(.server, nil)
                let decoded = try #require(try decoder.decode(bytes))
                #expect(decoded.packet.connect?.properties.userProperties.count == count)
            }
        }
        let few = try (0..<5).map { _ in try time(500) }.min() ?? .zero
        // Ten times the properties; a quadratic decoder would take a hundred times as long.
        #expect(try time(5000) < few * 50 + .milliseconds(20))
    }
}
