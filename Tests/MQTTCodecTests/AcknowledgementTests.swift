import MQTTCodec
import MQTTModel
import NIOCore
import Testing

@Suite struct AcknowledgementTests {
    static let kinds: [(kind: Acknowledgement.Kind, first: String)] = [
        (.pubAck, "40"), (.pubRec, "50"), (.pubRel, "62"), (.pubComp, "70"),
    ]

    @Test("MQTT-2.2.1-5: two bytes are the identifier and success", arguments: everyVersion, kinds.map(\.first))
    func shortForm(_ version: ProtocolVersion, _ first: String) throws {
        let kind = AcknowledgementTests.kinds.first { $0.first == first }?.kind
        try Accepted("short form", "\(first) { 1234 }", in: [version]) {
            $0.acknowledgement == kind.map { Acknowledgement($0, 0x1234) }
        }.check()
    }

    @Test("5.0 sections 3.4.2.1 and 3.4.2.2.1: reason code, property length", arguments: kinds.map(\.first))
    func longForms(_ first: String) throws {
        let isAnswer = first == "40" || first == "50"
        let code = isAnswer ? "87" : "92"
        let reasonCode: ReasonCode = isAnswer ? .notAuthorized : .packetIdentifierNotFound
        try Accepted("reason code", "\(first) { 0001 \(code) }") {
            $0.acknowledgement?.reasonCode == reasonCode && $0.acknowledgement?.properties.isEmpty == true
        }.check()
        try Accepted("0, no properties", "\(first) { 0001 00 [ ] }", canonical: "\(first) { 0001 }").check()
        try Accepted("0", "\(first) { 0001 00 }", canonical: "\(first) { 0001 }").check()
        try Accepted("no properties", "\(first) { 0001 \(code) [ ] }", canonical: "\(first) { 0001 \(code) }").check()
        try Accepted("properties", "\(first) { 0001 00 [ 1F \"why\" 26 \"a\" \"b\" 26 \"a\" \"b\" ] }") {
            $0.acknowledgement?.properties.reasonString == "why"
        }.check()
    }

    @Test("content that is not theirs", arguments: kinds.map(\.first))
    func refuses(_ first: String) {
        for refused: Refused in [
            .init("MQTT-2.2.1-5 packet identifier 0", "\(first) { 0000 }", .protocolError, in: everyVersion),
            .init("no content", "\(first) { }", .malformedPacket, in: everyVersion),
            .init("half an identifier", "\(first) { 00 }", .malformedPacket, in: everyVersion),
            .init("3.x has no more", "\(first) { 0001 00 }", .malformedPacket, in: before5),
            .init("bytes behind the properties", "\(first) { 0001 00 [ ] 00 }", .malformedPacket),
            .init("cut properties", "\(first) { 0001 00 05 1F 00 }", .malformedPacket),
            .init("two reason strings", "\(first) { 0001 00 [ 1F \"a\" 1F \"b\" ] }", .protocolError),
            .init("a property of other packets", "\(first) { 0001 00 [ 11 00000001 ] }", .protocolError),
        ] { refused.check() }
    }

    @Test("MQTT-3.4.2-1, MQTT-3.5.2-1, MQTT-3.6.2-1, MQTT-3.7.2-1: each of the 256 reason codes")
    func reasonCodesAreThoseListed() throws {
        let listed: [(String, Set<UInt8>)] = [
            ("40", [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
            ("50", [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
            ("62", [0x00, 0x92]), ("70", [0x00, 0x92]),
        ]
        for (first, codes) in listed {
            try expectReasonCodes(codes, by: .server) { Wire.bytes(first) + [3, 0, 1, $0] }
        }
    }

    @Test func encoderLeavesOutSuccessAndWhatOldVersionsLack() {
        for (kind, first) in AcknowledgementTests.kinds {
            for version in everyVersion {
                var buffer = ByteBuffer()
                PacketEncoder.appendAcknowledgement(kind, 7, version: version, to: &buffer)
                PacketEncoder.appendAcknowledgement(kind, 8, .packetIdentifierNotFound, version: version, to: &buffer)
                let second = version == .v5_0 ? "{ 0008 92 }" : "{ 0008 }"
                #expect(Array(buffer.readableBytesView) == Wire.bytes("\(first) { 0007 } \(first) \(second)"))
            }
        }
    }
}

/// Exactly `listed` are let through; the others are protocol errors.
func expectReasonCodes(
    _ listed: Set<UInt8>, by role: PacketDecoder.Role, version: ProtocolVersion = .v5_0, _ packet: (UInt8) -> [UInt8]
) throws {
    for code in UInt8.min...UInt8.max {
        var decoder = decoder(role, version)
        if listed.contains(code) {
            #expect(try decoder.decode(packet(code)) != nil, "\(code)")
        } else {
            let error = #expect(throws: ProtocolViolation.self, "\(code)") { try decoder.decode(packet(code)) }
            #expect(error?.reasonCode == .protocolError, "\(code)")
        }
    }
}
