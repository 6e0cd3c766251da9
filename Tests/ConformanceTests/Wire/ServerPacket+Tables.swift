import MQTTModel

/// The standard's tables of what may stand in which packet from a server.
extension ServerPacket {
    /// Table 2-4, the rows for packets that a server sends.
    private static func allowedProperties(in type: PacketType) -> Set<UInt8> {
        switch type {
        case .connAck:
            [
                0x11, 0x12, 0x13, 0x15, 0x16, 0x1A, 0x1C, 0x1F, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29,
                0x2A,
            ]
        case .publish: [0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26]
        case .pubAck, .pubRec, .pubRel, .pubComp, .subAck, .unsubAck: [0x1F, 0x26]
        // No Session Expiry Interval from a server [MQTT-3.14.2-2].
        case .disconnect: [0x1C, 0x1F, 0x26]
        case .auth: [0x15, 0x16, 0x1F, 0x26]
        case .connect, .subscribe, .unsubscribe, .pingReq, .pingResp: []
        }
    }

    /// The reason codes each packet may carry from a server; return codes in 3.x.
    private static func allowedReasonCodes(in type: PacketType, version: ProtocolVersion) -> Set<UInt8> {
        guard version.hasProperties else {
            return switch type {
            // 0x84 is the answer to a version that does not exist.
            case .connAck: [0, 1, 2, 3, 4, 5, 0x84]
            case .subAck: [0, 1, 2, 0x80]
            default: [0]
            }
        }
        return switch type {
        case .connAck:
            [
                0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99,
                0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
            ]
        case .pubAck, .pubRec: [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]
        case .pubRel, .pubComp: [0x00, 0x92]
        case .subAck: [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2]
        case .unsubAck: [0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91]
        case .disconnect:
            [
                0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97,
                0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
            ]
        case .auth: [0x00, 0x18]
        case .connect, .publish, .subscribe, .unsubscribe, .pingReq, .pingResp: []
        }
    }

    func checkProperties() throws {
        let allowed = Self.allowedProperties(in: type)
        var seen: Set<UInt8> = []
        for property in properties {
            let number = PropertyList([property]).bytes[0]
            guard allowed.contains(number) else { throw WireFault("property \(property) in \(type)") }
            let mayRepeat = number == 0x26 || (number == 0x0B && type == .publish)
            guard mayRepeat || seen.insert(number).inserted else { throw WireFault("\(property) twice in \(type)") }
        }
    }

    func checkReasonCodes(version: ProtocolVersion) throws {
        let allowed = Self.allowedReasonCodes(in: type, version: version)
        for code in reasonCodes where !allowed.contains(code) {
            throw WireFault("reason code \([code].hexDigits) in \(type)")
        }
        if type == .connAck, reasonCodes != [0], isSessionPresent {
            throw WireFault("[MQTT-3.2.2-6] session present in a refusing CONNACK")
        }
    }
}
