import MQTTModel

/// The fixed header of a packet (section 2.1 of 5.0, 2.2 of 3.1.1): type and flags in the first byte, then the remaining
/// length.
enum FixedHeader {
    /// The remaining length of the packet at the start of `bytes` and the bytes it takes; nil when not all of them are
    /// there.
    @inline(__always)
    static func remainingLength(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ProtocolViolation) -> (value: Int, byteCount: Int)? {
        guard bytes.count >= 2 else { return nil }
        let first = bytes[1]
        if first < 0x80 { return (Int(first), 1) }
        return try longRemainingLength(bytes)
    }

    private static func longRemainingLength(
        _ bytes: UnsafeRawBufferPointer
    ) throws(ProtocolViolation) -> (value: Int, byteCount: Int)? {
        var value = 0
        for position in 0..<4 {
            guard position + 1 < bytes.count else { return nil }
            let byte = bytes[position + 1]
            value |= Int(byte & 0x7F) << (7 * position)
            guard byte < 0x80 else { continue }
            if byte == 0 { throw .malformed("MQTT-1.5.5-1", "the remaining length takes more bytes than it needs") }
            return (value, position + 1)
        }
        throw .malformed("MQTT-1.5.5-1", "the remaining length takes more than four bytes")
    }

    /// Checks the flags of every packet but PUBLISH, whose flags mean something [MQTT-2.1.3-1].
    ///
    /// 3.1 sets DUP when it sends SUBSCRIBE, UNSUBSCRIBE or PUBREL again (3.1 section 2.1).
    static func checkFlags(_ flags: UInt8, of type: PacketType, version: ProtocolVersion?) throws(ProtocolViolation) {
        let required: UInt8
        switch type {
        case .pubRel, .subscribe, .unsubscribe: required = 0x02
        case .connect, .connAck, .publish, .pubAck, .pubRec, .pubComp, .subAck, .unsubAck, .pingReq, .pingResp,
            .disconnect, .auth:
            required = 0
        }
        let isRepetition = version == .v3_1 && required != 0 && flags == 0x0A
        guard flags == required || isRepetition else {
            throw .malformed("MQTT-2.1.3-1", "the flags of the fixed header are not those of the packet type")
        }
    }
}
