import MQTTCodec
import MQTTModel
import Testing

@Suite struct ConnAckTests {
    static let accepted: [Accepted] = [
        .init("accepted (3.x)", "20 { 00 00 }", in: before5, by: .client) { $0.connAck?.reasonCode == .success },
        .init("session present (3.1.1)", "20 { 01 00 }", in: [.v3_1_1], by: .client) {
            $0.connAck?.isSessionPresent == true
        },
        .init("the first byte is unused in 3.1", "20 { 07 00 }", in: [.v3_1], by: .client, canonical: "20 { 00 00 }") {
            $0.connAck?.isSessionPresent == false
        },
        .init("refused (3.x)", "20 { 00 05 }", in: before5, by: .client) { $0.connAck?.reasonCode == .notAuthorized },
        .init("5.0", "20 { 01 00 [ 21 0005 12 \"id\" 13 003C 24 01 25 00 28 01 29 01 2A 00 ] }", by: .client) {
            $0.connAck?.properties.serverKeepAlive == 60 && $0.connAck?.properties.assignedClientIdentifier == "id"
        },
        .init("refused (5.0)", "20 { 00 84 [ ] }", by: .client) {
            $0.connAck?.reasonCode == .unsupportedProtocolVersion
        },
        .init(
            "an old server refuses a 5.0 client in its own form", "20 { 00 01 }", by: .client,
            canonical: "20 { 00 84 [ ] }"
        ) { $0.connAck?.reasonCode == .unsupportedProtocolVersion },
    ]

    @Test(arguments: accepted) func accepts(_ accepted: Accepted) throws { try accepted.check() }

    static let refused: [Refused] = [
        .init("MQTT-3.2.2-1 reserved flags", "20 { 02 00 }", .malformedPacket, in: [.v3_1_1], by: .client),
        .init("MQTT-3.2.2-1 reserved flags (5.0)", "20 { 80 00 [ ] }", .malformedPacket, by: .client),
        .init("MQTT-3.2.2-6 a refusal with session present", "20 { 01 87 [ ] }", .protocolError, by: .client),
        .init(
            "3.1.1 MQTT-3.2.2-4 a refusal with session present", "20 { 01 05 }", .protocolError, in: [.v3_1_1],
            by: .client),
        .init("a reserved return code", "20 { 00 06 }", .malformedPacket, in: before5, by: .client),
        .init("no property length", "20 { 00 00 }", .malformedPacket, by: .client),
        .init("maximum QoS 2", "20 { 00 00 [ 24 02 ] }", .protocolError, by: .client),
        .init("receive maximum 0", "20 { 00 00 [ 21 0000 ] }", .protocolError, by: .client),
        .init("shared subscription available 2", "20 { 00 00 [ 2A 02 ] }", .protocolError, by: .client),
        .init("authentication data without method", "20 { 00 00 [ 16 \"x\" ] }", .protocolError, by: .client),
        .init("bytes behind the content", "20 { 00 00 [ ] 00 }", .malformedPacket, by: .client),
        .init("bytes behind the content", "20 { 00 00 00 }", .malformedPacket, in: before5, by: .client),
        .init("cut", "20 { 00 }", .malformedPacket, in: everyVersion, by: .client),
    ]

    @Test(arguments: refused) func refuses(_ refused: Refused) { refused.check() }

    @Test("MQTT-3.2.2-8: each of the 256 reason codes")
    func reasonCodesAreThoseListed() throws {
        let listed: Set<UInt8> = [
            0, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A,
            0x9B,
            0x9C, 0x9D, 0x9F,
        ]
        try expectReasonCodes(listed, by: .client) { [0x20, 3, 0, $0, 0] }
    }

    @Test("towards 3.x the return code that means the same, and a refusal never with session present")
    func returnCodesBefore5() {
        let codes: [(ReasonCode, UInt8)] = [
            (.success, 0), (.unsupportedProtocolVersion, 1), (.clientIdentifierNotValid, 2), (.serverBusy, 3),
            (.badUserNameOrPassword, 4), (.notAuthorized, 5),
        ]
        for (reasonCode, returnCode) in codes {
            let connAck = ConnAck(isSessionPresent: true, reasonCode: reasonCode, properties: [.reasonString("why")])
            let isPresent: UInt8 = reasonCode == .success ? 1 : 0
            #expect(encode(.connAck(connAck), .v3_1_1) == [0x20, 2, isPresent, returnCode])
            #expect(encode(.connAck(connAck), .v3_1) == [0x20, 2, 0, returnCode])
        }
    }
}
