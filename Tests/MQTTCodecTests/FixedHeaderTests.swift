import MQTTCodec
import MQTTModel
import Testing

@Suite struct FixedHeaderTests {
    static let refused: [Refused] = [
        .init("MQTT-3.1.0-1 the first packet is CONNECT: PUBLISH", "30", .protocolError, in: [nil]),
        .init("MQTT-3.1.0-1 the first packet is CONNECT: PINGREQ", "C000", .protocolError, in: [nil]),
        .init(
            "MQTT-3.1.0-1 the first packet is CONNECT: another protocol", "'GET / HTTP/1.1'", .protocolError, in: [nil]),
        .init("MQTT-3.1.0-1 the first packet is CONNECT: packet type 0", "00", .protocolError, in: [nil]),
        .init("MQTT-3.1.0-2 a second CONNECT", "10", .protocolError, in: everyVersion),
        .init("packet type 0 is reserved", "00", .malformedPacket, in: everyVersion),
        .init("packet type 15 is reserved before 5.0", "F000", .malformedPacket, in: before5),
        .init("CONNACK is sent by servers only", "20 { 00 00 }", .protocolError, in: everyVersion),
        .init("SUBACK is sent by servers only", "90", .protocolError, in: everyVersion),
        .init("UNSUBACK is sent by servers only", "B0", .protocolError, in: everyVersion),
        .init("PINGRESP is sent by servers only", "D0", .protocolError, in: everyVersion),
        .init("CONNECT is sent by clients only", "10", .protocolError, in: everyVersion, by: .client),
        .init("SUBSCRIBE is sent by clients only", "82", .protocolError, in: everyVersion, by: .client),
        .init("UNSUBSCRIBE is sent by clients only", "A2", .protocolError, in: everyVersion, by: .client),
        .init("PINGREQ is sent by clients only", "C0", .protocolError, in: everyVersion, by: .client),
        .init("DISCONNECT is sent by clients only before 5.0", "E0", .protocolError, in: before5, by: .client),
        .init("MQTT-1.5.5-1 a remaining length of five bytes", "30 80 80 80 80", .malformedPacket, in: everyVersion),
        .init(
            "MQTT-1.5.5-1 a remaining length of two bytes where one does", "C0 80 00", .malformedPacket,
            in: everyVersion),
        .init("MQTT-1.5.5-1 a remaining length of four bytes where three do", "30 FF FF FF 00", .malformedPacket),
        .init("MQTT-3.12 PINGREQ has no content", "C0 { 00 }", .malformedPacket, in: everyVersion),
        .init("MQTT-3.13 PINGRESP has no content", "D0 { 00 }", .malformedPacket, in: everyVersion, by: .client),
    ]

    @Test(arguments: refused) func refuses(_ refused: Refused) { refused.check() }

    @Test(
        "MQTT-2.1.3-1, 3.1.1 MQTT-2.2.2-1 and -2: reserved flags are those of the packet type, else refused at the first byte"
    )
    func reservedFlagsAreChecked() throws {
        for type in PacketType.allCases where type != .publish {
            let isForServer = ![.connAck, .subAck, .unsubAck, .pingResp].contains(type)
            let required: UInt8 = [.pubRel, .subscribe, .unsubscribe].contains(type) ? 0x02 : 0
            for flags in UInt8(0)...15 where flags != required {
                for version in everyVersion where type != .auth || version == .v5_0 {
                    // 3.1 sets DUP when it sends these three again.
                    if version == .v3_1, required == 0x02, flags == 0x0A { continue }
                    var decoder = decoder(isForServer ? .server : .client, type == .connect ? nil : version)
                    let error = #expect(throws: ProtocolViolation.self) {
                        try decoder.decode([type.rawValue << 4 | flags])
                    }
                    #expect(error?.reasonCode == .malformedPacket)
                }
            }
        }
    }

    @Test("3.1 section 2.1: DUP is let through in SUBSCRIBE, UNSUBSCRIBE and PUBREL of 3.1 only")
    func dupOfRepeatedPacketsOf31() throws {
        for wire in ["8A { 0001 \"a\" 00 }", "AA { 0001 \"a\" }", "6A { 0001 }"] {
            var old = decoder(.server, .v3_1)
            #expect(try old.decode(Wire.bytes(wire)) != nil)
            var new = decoder(.server, .v3_1_1)
            #expect(throws: ProtocolViolation.self) { try new.decode(Wire.bytes(wire)) }
        }
    }

    @Test("MQTT-3.2.2-15: a packet above the maximum packet size is refused as soon as its length is there")
    func maximumPacketSizeIsHeldAtTheFixedHeader() throws {
        let wire = Wire.bytes("30 { \"a\" [ ] '12345' }")
        var atTheBound = decoder(.server, .v5_0, maximumPacketSize: UInt32(wire.count))
        #expect(try atTheBound.decode(wire)?.byteCount == wire.count)
        var above = decoder(.server, .v5_0, maximumPacketSize: UInt32(wire.count) - 1)
        let error = #expect(throws: ProtocolViolation.self) { try above.decode(Array(wire.prefix(2))) }
        #expect(error?.reasonCode == .packetTooLarge)
        var huge = decoder(.server, nil, maximumPacketSize: 1 << 20)
        let first = #expect(throws: ProtocolViolation.self) { try huge.decode(Wire.bytes("10 FF FF FF 7F")) }
        #expect(first?.reasonCode == .packetTooLarge)
        #expect(huge.version == nil)
    }

    @Test func pingsAreTwoBytes() throws {
        try Accepted("PINGREQ", "C0 { }", in: everyVersion).check()
        try Accepted("PINGRESP", "D0 { }", in: everyVersion, by: .client).check()
    }

    @Test func packetsInOneBufferAreDecodedOneByOne() throws {
        let wire = Wire.bytes("C0 { } 30 { \"a\" [ ] } E0 { }")
        var decoder = decoder(.server, .v5_0)
        #expect(try decoder.decode(wire)?.byteCount == 2)
        #expect(try decoder.decode(Array(wire.dropFirst(2)))?.packet.publish?.message.topicString == "a")
        #expect(try decoder.decode(Array(wire.suffix(2)))?.packet.disconnect != nil)
        #expect(try decoder.decode([]) == nil)
    }
}
