import MQTTCodec
import MQTTModel
import Testing

@Suite struct SubscribeTests {
    static let accepted: [Accepted] = [
        .init("two filters (3.x)", "82 { 0001 \"a/+\" 00 \"#\" 02 }", in: before5) {
            $0.subscribe?.entries == [
                .init(filter: "a/+", options: .init()), .init(filter: "#", options: .init(maximumQoS: .exactlyOnce)),
            ]
        },
        .init("all options (5.0)", "82 { FFFF [ 0B FFFFFF7F 26 \"a\" \"b\" ] \"$share/g/a\" 2D }") {
            let options = SubscriptionOptions(
                maximumQoS: .atLeastOnce, noLocal: true, retainAsPublished: true, retainHandling: .doNotSend)
            return $0.subscribe?.entries == [.init(filter: "$share/g/a", options: options)]
                && $0.subscribe?.properties.subscriptionIdentifier == 268_435_455
        },
        .init("rules for wildcards are the session's", "82 { 0001 [ ] \"a#/+b\" 00 \"\" 00 }"),
        .init("UNSUBSCRIBE (3.x)", "A2 { 0001 \"a\" \"b/#\" }", in: before5) {
            $0.unsubscribe?.filters == ["a", "b/#"]
        },
        .init("UNSUBSCRIBE (5.0)", "A2 { 0001 [ 26 \"k\" \"v\" ] \"a\" }") { $0.unsubscribe?.filters == ["a"] },
    ]

    @Test(arguments: accepted) func accepts(_ accepted: Accepted) throws { try accepted.check() }

    static let refused: [Refused] = [
        .init("MQTT-3.8.3-2, 3.1.1 MQTT-3.8.3-3 no filter", "82 { 0001 }", .protocolError, in: before5),
        .init("MQTT-3.8.3-2 no filter", "82 { 0001 [ ] }", .protocolError),
        .init("MQTT-2.2.1-3 packet identifier 0", "82 { 0000 [ ] \"a\" 00 }", .protocolError, in: everyVersion),
        .init("MQTT-3.8.3-1 a filter that is no UTF-8", "82 { 0001 [ ] 0001 FF 00 }", .malformedPacket),
        .init("a filter without options", "82 { 0001 [ ] \"a\" }", .malformedPacket),
        .init("a filter cut short", "82 { 0001 [ ] 0005 'a' }", .malformedPacket),
        .init("3.1.1 MQTT-3.8.3-4 QoS 3", "82 { 0001 \"a\" 03 }", .malformedPacket, in: before5),
        .init("3.1.1 MQTT-3.8.3-4 an option of 5.0", "82 { 0001 \"a\" 04 }", .malformedPacket, in: before5),
        .init("3.1.1 MQTT-3.8.3-4 the top bit", "82 { 0001 \"a\" 80 }", .malformedPacket, in: before5),
        .init("QoS 3", "82 { 0001 [ ] \"a\" 03 }", .malformedPacket),
        .init("MQTT-3.8.3-5 bit 6", "82 { 0001 [ ] \"a\" 40 }", .malformedPacket),
        .init("MQTT-3.8.3-5 bit 7", "82 { 0001 [ ] \"a\" 80 }", .malformedPacket),
        .init("retain handling 3", "82 { 0001 [ ] \"a\" 30 }", .malformedPacket),
        .init("the second filter's options", "82 { 0001 [ ] \"a\" 00 \"b\" 03 }", .malformedPacket),
        .init("subscription identifier 0", "82 { 0001 [ 0B 00 ] \"a\" 00 }", .protocolError),
        .init("two subscription identifiers", "82 { 0001 [ 0B 01 0B 02 ] \"a\" 00 }", .protocolError),
        .init("a subscription identifier that is not minimal", "82 { 0001 [ 0B 81 00 ] \"a\" 00 }", .malformedPacket),
        .init("MQTT-3.10.3-2 UNSUBSCRIBE without filter", "A2 { 0001 }", .protocolError, in: before5),
        .init("MQTT-3.10.3-2 UNSUBSCRIBE without filter", "A2 { 0001 [ ] }", .protocolError),
        .init("MQTT-2.2.1-3 UNSUBSCRIBE identifier 0", "A2 { 0000 [ ] \"a\" }", .protocolError, in: everyVersion),
        .init("MQTT-3.10.3-1 UNSUBSCRIBE no UTF-8", "A2 { 0001 [ ] 0001 FF }", .malformedPacket),
        .init("UNSUBSCRIBE with a property of SUBSCRIBE", "A2 { 0001 [ 0B 01 ] \"a\" }", .protocolError),
        .init("UNSUBSCRIBE cut short", "A2 { 0001 [ ] 00 }", .malformedPacket),
    ]

    @Test(arguments: refused) func refuses(_ refused: Refused) { refused.check() }
}

@Suite struct SubAckTests {
    static let accepted: [Accepted] = [
        .init("3.1.1 MQTT-3.9.3-2 the four codes", "90 { 0001 00 01 02 80 }", in: before5, by: .client) {
            $0.subAck?.reasonCodes == [.grantedQoS0, .grantedQoS1, .grantedQoS2, .unspecifiedError]
        },
        .init("5.0", "90 { 0001 [ 1F \"why\" 26 \"a\" \"b\" ] 00 8F }", by: .client) {
            $0.subAck?.reasonCodes == [.grantedQoS0, .topicFilterInvalid] && $0.subAck?.properties.reasonString == "why"
        },
        .init("UNSUBACK has no payload before 5.0", "B0 { 0001 }", in: before5, by: .client) {
            $0.unsubAck?.reasonCodes == []
        },
        .init("UNSUBACK 5.0", "B0 { 0001 [ ] 00 11 }", by: .client) {
            $0.unsubAck?.reasonCodes == [.success, .noSubscriptionExisted]
        },
    ]

    @Test(arguments: accepted) func accepts(_ accepted: Accepted) throws { try accepted.check() }

    static let refused: [Refused] = [
        .init("3.1.1 MQTT-3.9.3-2 another code", "90 { 0001 87 }", .protocolError, in: before5, by: .client),
        .init("no code", "90 { 0001 [ ] }", .protocolError, by: .client),
        .init("identifier 0", "90 { 0000 [ ] 00 }", .protocolError, in: everyVersion, by: .client),
        .init("UNSUBACK 3.1.1 with a code", "B0 { 0001 00 }", .malformedPacket, in: before5, by: .client),
        .init("UNSUBACK without code", "B0 { 0001 [ ] }", .protocolError, by: .client),
    ]

    @Test(arguments: refused) func refuses(_ refused: Refused) { refused.check() }

    @Test("MQTT-3.9.3-2, MQTT-3.11.3-2: each of the 256 reason codes")
    func reasonCodesAreThoseListed() throws {
        try expectReasonCodes([0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2], by: .client) {
            [0x90, 4, 0, 1, 0, $0]
        }
        try expectReasonCodes([0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91], by: .client) { [0xB0, 4, 0, 1, 0, $0] }
    }

    @Test("3.1.1 MQTT-3.9.3-2: every failure is 0x80 before 5.0")
    func failuresAreOneCodeBefore5() {
        let subAck = SubAck(
            packetIdentifier: 1, reasonCodes: [.grantedQoS2, .notAuthorized, .topicFilterInvalid],
            properties: [.reasonString("why")])
        for version in before5 { #expect(encode(.subAck(subAck), version) == Wire.bytes("90 { 0001 02 80 80 }")) }
        let unsubAck = UnsubAck(packetIdentifier: 1, reasonCodes: [.noSubscriptionExisted])
        for version in before5 { #expect(encode(.unsubAck(unsubAck), version) == Wire.bytes("B0 { 0001 }")) }
    }
}
