import MQTTCodec
import MQTTModel
import Testing

@Suite struct DisconnectTests {
    static let accepted: [Accepted] = [
        .init("without content", "E0 { }", in: everyVersion) { $0.disconnect?.reasonCode == .normalDisconnection },
        .init("reason code only", "E0 { 04 }") { $0.disconnect?.reasonCode == .disconnectWithWill },
        .init("0 written out", "E0 { 00 }", canonical: "E0 { }"),
        .init("0 and no properties", "E0 { 00 [ ] }", canonical: "E0 { }"),
        .init("properties", "E0 { 00 [ 11 00000005 1F \"why\" 26 \"a\" \"b\" ] }") {
            $0.disconnect?.properties.sessionExpiryInterval == 5
        },
        .init("from a server", "E0 { 9D [ 1C \"other\" ] }", by: .client) {
            $0.disconnect?.properties.serverReference == "other"
        },
        .init("AUTH from a client", "F0 { 18 [ 15 \"m\" 16 \"data\" ] }") {
            $0.auth?.properties.authenticationData == Array("data".utf8)
        },
        .init("AUTH without content", "F0 { }", by: .client) { $0.auth?.reasonCode == .success },
    ]

    @Test(arguments: accepted) func accepts(_ accepted: Accepted) throws { try accepted.check() }

    static let refused: [Refused] = [
        .init("content before 5.0", "E0 { 00 }", .malformedPacket, in: before5),
        .init("MQTT-3.14.2-2 a server's session expiry", "E0 { 00 [ 11 00000005 ] }", .protocolError, by: .client),
        .init("bytes behind the properties", "E0 { 00 [ ] 00 }", .malformedPacket),
        .init("cut properties", "E0 { 00 02 11 }", .malformedPacket),
        .init("AUTH data without method", "F0 { 18 [ 16 \"data\" ] }", .protocolError),
        .init("MQTT-4.12.0-3 AUTH success from a client", "F0 { 00 [ 15 \"m\" ] }", .protocolError),
        .init("MQTT-4.12.0-3 AUTH without content from a client", "F0 { }", .protocolError),
        .init("AUTH with bytes behind", "F0 { 18 [ ] 00 }", .malformedPacket),
    ]

    @Test(arguments: refused) func refuses(_ refused: Refused) { refused.check() }

    @Test("MQTT-3.14.2-1: each of the 256 reason codes, by who sends it")
    func reasonCodesAreThoseListed() throws {
        let both: Set<UInt8> = [0, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]
        try expectReasonCodes(both.union([0x04]), by: .server) { [0xE0, 1, $0] }
        let fromServer: Set<UInt8> = [
            0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
        ]
        try expectReasonCodes(both.union(fromServer), by: .client) { [0xE0, 1, $0] }
    }

    @Test("MQTT-3.15.2-1: each of the 256 reason codes of AUTH")
    func authReasonCodes() throws {
        try expectReasonCodes([0x18, 0x19], by: .server) { [0xF0, 2, $0, 0] }
        try expectReasonCodes([0x00, 0x18], by: .client) { [0xF0, 2, $0, 0] }
    }

    @Test func nothingIsWrittenBefore5() {
        let disconnect = Disconnect(reasonCode: .serverShuttingDown, properties: [.reasonString("why")])
        for version in before5 { #expect(encode(.disconnect(disconnect), version) == Wire.bytes("E0 { }")) }
        #expect(encode(.disconnect(disconnect), .v5_0) == Wire.bytes("E0 { 8B [ 1F \"why\" ] }"))
    }
}
