import MQTTCodec
import MQTTModel
import NIOCore
import Testing

@Suite struct PublishTests {
    static let accepted: [Accepted] = [
        .init("QoS 0 (3.x)", "30 { \"a/b\" 'hello' }", in: before5) {
            guard let publish = $0.publish else { return false }
            return publish.message.topicString == "a/b" && Array(publish.message.payload) == Array("hello".utf8)
                && publish.qos == .atMostOnce && publish.packetIdentifier == 0 && !publish.isRetained
        },
        .init("QoS 0 (5.0)", "30 { \"a/b\" [ ] 'hello' }") { $0.publish?.message.propertiesLength == 0 },
        .init("MQTT-3.3.1-1 DUP, QoS 1, RETAIN", "3B { \"a\" 0102 [ ] 'x' }") {
            guard let publish = $0.publish else { return false }
            return publish.isDuplicate && publish.qos == .atLeastOnce && publish.isRetained
                && publish.packetIdentifier == 0x0102 && publish.message.isRetained
                && publish.message.qos == .atLeastOnce
        },
        .init("QoS 2 without payload", "34 { \"a\" FFFF }", in: before5) { $0.publish?.message.payloadLength == 0 },
        .init(
            "MQTT-3.3.2-4, -15 to -18, -20: what travels with the message is kept as it is, in order",
            "30 { \"t\" [ 26 \"b\" \"1\" 01 01 26 \"a\" \"2\" 08 \"r\" 09 0002 00FF 03 \"c\" 26 \"b\" \"3\" ] 'x' }"
        ) {
            guard let message = $0.publish?.message else { return false }
            let kept = Wire.bytes("26 \"b\" \"1\" 01 01 26 \"a\" \"2\" 08 \"r\" 09 0002 00FF 03 \"c\" 26 \"b\" \"3\"")
            return Array(message.properties) == kept
        },
        .init(
            "what is for the receiver is taken out",
            "30 { \"t\" [ 26 \"b\" \"1\" 02 00000009 26 \"a\" \"2\" 23 0007 ] 'x' }",
            canonical: "30 { \"t\" [ 23 0007 02 00000009 26 \"b\" \"1\" 26 \"a\" \"2\" ] 'x' }"
        ) {
            guard let publish = $0.publish else { return false }
            return publish.topicAlias == 7 && publish.message.expiryInterval == 9
                && Array(publish.message.properties) == Wire.bytes("26 \"b\" \"1\" 26 \"a\" \"2\"")
        },
        .init("5.0 section 3.3.2.3.4: an empty topic with an alias", "30 { \"\" [ 23 0001 ] 'x' }") {
            $0.publish.map { $0.topicAlias == 1 && $0.message.topicLength == 0 } ?? false
        },
        .init(
            "MQTT-3.3.4-3 subscription identifiers from the server", "30 { \"t\" [ 0B 01 0B FFFFFF7F ] 'x' }",
            by: .client
        ) { $0.publish?.subscriptionIdentifiers == [1, 268_435_455] },
        .init("an expiry interval of 0", "30 { \"t\" [ 02 00000000 ] }") { $0.publish?.message.expiryInterval == 0 },
        .init(
            "the longest expiry interval, a second short", "30 { \"t\" [ 02 FFFFFFFF ] }",
            canonical: "30 { \"t\" [ 02 FFFFFFFE ] }"),
        .init("U+0001 and U+FFFF in a topic", "30 { 0004 01EFBFBF }", in: before5),
        .init("empty user property", "30 { \"t\" [ 26 \"\" \"\" 03 \"\" 09 0000 ] }"),
    ]

    @Test(arguments: accepted) func accepts(_ accepted: Accepted) throws {
        try accepted.check()
    }

    @Test("MQTT-1.5.4-3, 3.1.1 MQTT-1.5.3-3: U+FEFF stays in a topic wherever it is")
    func zeroWidthNoBreakSpaceStays() throws {
        try Accepted("U+FEFF", "30 { 0008 EFBBBF 61 EFBBBF 61 }", in: before5) {
            $0.publish.map { Array($0.message.topic) == Wire.bytes("EFBBBF 61 EFBBBF 61") } ?? false
        }.check()
        try Accepted("U+FEFF", "82 { 0001 [ ] 0007 EFBBBF 61 EFBBBF 00 }") {
            $0.subscribe?.entries.first?.filter.utf8.elementsEqual(Wire.bytes("EFBBBF 61 EFBBBF")) ?? false
        }.check()
    }

    static let refused: [Refused] = [
        .init("MQTT-3.3.1-4 QoS 3, refused at the first byte", "36", .malformedPacket, in: everyVersion),
        .init("MQTT-3.3.1-4 QoS 3 with DUP and RETAIN", "3F { \"t\" 0001 [ ] }", .malformedPacket, in: everyVersion),
        .init("MQTT-3.3.1-2 DUP with QoS 0", "38 { \"t\" [ ] 'x' }", .malformedPacket, in: everyVersion),
        .init("MQTT-2.2.1-3 packet identifier 0 with QoS 1", "32 { \"t\" 0000 [ ] }", .protocolError, in: everyVersion),
        .init("MQTT-2.2.1-3 packet identifier 0 with QoS 2", "34 { \"t\" 0000 [ ] }", .protocolError, in: everyVersion),
        .init("QoS 1 without packet identifier", "32 { \"t\" }", .malformedPacket, in: everyVersion),
        .init("MQTT-3.3.2-2 a topic with +", "30 { \"a/+/b\" [ ] 'x' }", .malformedPacket, in: everyVersion),
        .init("MQTT-3.3.2-2 a topic with #", "30 { \"#\" [ ] 'x' }", .malformedPacket, in: everyVersion),
        .init("MQTT-3.3.2-2 a topic with + behind 20 bytes", "30 { \"aaaaaaaaaaaaaaaaaaaa+\" [ ] }", .malformedPacket),
        .init("MQTT-4.7.3-1 an empty topic without alias", "30 { \"\" [ ] 'x' }", .protocolError, in: everyVersion),
        .init("an empty topic with other properties", "30 { \"\" [ 01 01 ] 'x' }", .protocolError),
        .init("MQTT-3.3.2-1 a topic longer than the packet", "30 { 0009 'abc' }", .malformedPacket, in: everyVersion),
        .init("PUBLISH without content", "30 { }", .malformedPacket, in: everyVersion),
        .init("PUBLISH of one byte", "30 { 00 }", .malformedPacket, in: everyVersion),
        .init("MQTT-1.5.4-2 a topic with U+0000", "30 { 0003 610062 [ ] }", .malformedPacket, in: everyVersion),
        .init("no property length", "30 { \"t\" }", .malformedPacket),
        .init("properties longer than the packet", "30 { \"t\" 05 01 01 }", .malformedPacket),
        .init("a property length of five bytes", "30 { \"t\" 80 80 80 80 01 }", .malformedPacket),
        .init("a property length that is not minimal", "30 { \"t\" 80 00 'x' }", .malformedPacket),
        .init("MQTT-3.3.2-8 topic alias 0", "30 { \"t\" [ 23 0000 ] }", .topicAliasInvalid),
        .init("MQTT-3.3.4-6 a client's subscription identifier", "30 { \"t\" [ 0B 01 ] }", .protocolError),
        .init("subscription identifier 0 from a server", "30 { \"t\" [ 0B 00 ] }", .protocolError, by: .client),
        .init("MQTT-3.3.2-14 a response topic with #", "30 { \"t\" [ 08 \"a/#\" ] }", .protocolError),
        .init("MQTT-3.3.2-14 a response topic with +", "30 { \"t\" [ 08 \"+\" ] }", .protocolError),
        .init("MQTT-4.7.3-1 an empty response topic", "30 { \"t\" [ 08 \"\" ] }", .protocolError),
        .init("MQTT-3.3.2-13 a response topic that is no UTF-8", "30 { \"t\" [ 08 0001 FF ] }", .malformedPacket),
        .init("MQTT-3.3.2-19 a content type that is no UTF-8", "30 { \"t\" [ 03 0002 C080 ] }", .malformedPacket),
        .init(
            "MQTT-1.5.7-1 a user property whose value is no UTF-8", "30 { \"t\" [ 26 \"a\" 0001 80 ] }",
            .malformedPacket),
        .init("payload format indicator 2", "30 { \"t\" [ 01 02 ] }", .protocolError),
    ]

    @Test(arguments: refused) func refuses(_ refused: Refused) { refused.check() }

    /// U+0000, surrogates plain and in pairs, overlong forms, above U+10FFFF, cut sequences, stray continuations.
    static let illFormed = [
        "00", "EDA080", "EDBFBF", "EDA081EDB080", "C080", "C1BF", "E08080", "E09FBF", "F0808080", "F08FBFBF",
        "F4908080",
        "F5808080", "F888808080", "FF", "FE", "80", "BF", "C3", "E282", "F09F98", "C328", "E228A1", "61C3",
    ]

    @Test("MQTT-1.5.4-1 and -2, 3.1.1 MQTT-1.5.3-1 and -2: strings that are not UTF-8", arguments: illFormed)
    func illFormedStringsAreRefused(_ hexadecimal: String) {
        let length = hexadecimal.count / 2
        let string = "00" + (length < 16 ? "0" : "") + String(length, radix: 16) + hexadecimal
        let long = "00" + String(length + 16, radix: 16) + "'0123456789abcdef'" + hexadecimal
        for string in [string, long] {
            Refused("topic", "30 { \(string) [ ] }", .malformedPacket, in: everyVersion).check()
            Refused("filter", "82 { 0001 [ ] \(string) 00 }", .malformedPacket).check()
            Refused("property", "30 { \"t\" [ 03 \(string) ] }", .malformedPacket).check()
        }
    }

    @Test func encoderWritesWhatTheLayoutSays() throws {
        let message = ApplicationMessage(topic: "t", payload: Array("payload".utf8), qos: .exactlyOnce)
        var buffer = ByteBuffer()
        let header = PublishHeader(
            qos: .atLeastOnce, isDuplicate: true, isRetained: true, packetIdentifier: 9, topicAlias: 3,
            omitsTopic: true,
            remainingExpiry: 60)
        PacketEncoder.appendPublish(message, header, subscriptionIdentifiers: [1, 300], version: .v5_0, to: &buffer)
        let expected = "3B { \"\" 0009 [ 23 0003 02 0000003C 0B 01 0B AC02 ] 'payload' }"
        #expect(Array(buffer.readableBytesView) == Wire.bytes(expected))
    }

    @Test("3.x has none of the delivery's properties")
    func propertiesAreLeftOutBefore5() throws {
        let encoded = PacketEncoder.encodeForwardedProperties([.contentType("c")])
        let message = encoded.withUnsafeBytes { properties in
            Array("t".utf8).withUnsafeBytes {
                ApplicationMessage(topic: $0, encodedProperties: properties, payload: $0)
            }
        }
        for version in before5 {
            var buffer = ByteBuffer()
            PacketEncoder.appendPublish(
                message, PublishHeader(qos: .exactlyOnce, packetIdentifier: 1, remainingExpiry: 4),
                subscriptionIdentifiers: [1], version: version, to: &buffer)
            #expect(Array(buffer.readableBytesView) == Wire.bytes("34 { \"t\" 0001 't' }"))
        }
    }

    @Test func forwardedPropertiesSurviveBothWays() {
        let properties: Properties = [
            .userProperty(name: "a", value: "1"), .payloadFormatIndicator(1), .userProperty(name: "a", value: "2"),
            .contentType("text"), .responseTopic("r"), .correlationData([1, 2]),
        ]
        var withMore = properties
        withMore.append(.topicAlias(3))
        withMore.append(.messageExpiryInterval(3))
        let encoded = PacketEncoder.encodeForwardedProperties(withMore)
        #expect(encoded.withUnsafeBytes { ForwardedProperties.decode($0) } == properties)
        #expect(PacketEncoder.encodeForwardedProperties([]) == [])
        #expect(ForwardedProperties.decode(UnsafeRawBufferPointer(start: nil, count: 0)) == [])
    }
}
