package import MQTTModel

/// Decodes the packets of one connection, in the order they arrive.
///
/// Rules that hold for every caller:
/// 1. Hand it the bytes that arrived and are not decoded yet; drop `byteCount` of them after each packet.
/// 2. After a `ProtocolViolation` the connection is over; the decoder is not to be asked again.
/// 3. The bytes are only read during the call. Packets own what they hold.
///
/// The clauses in violations are those of 5.0 where both standards have the rule.
package struct PacketDecoder: Sendable {
    /// Which side is decoding: a server accepts the packets that a client sends, and a client those of a server.
    package enum Role: Sendable { case server, client }

    private let role: Role
    /// Bytes of a whole packet, fixed header included.
    private let maximumPacketSize: Int

    /// The version the connection speaks. A server has none until CONNECT told it, from the moment the protocol level is
    /// read, be the rest malformed; for a CONNECT that is refused because of its protocol level it is the version whose
    /// form of CONNACK answers it. While it is nil there is nobody to answer: the connection is just closed.
    package private(set) var version: ProtocolVersion?

    /// - Parameters:
    ///   - version: what the connection speaks, if that is settled; a client always knows.
    ///   - maximumPacketSize: bytes of the largest packet that is accepted, fixed header included.
    package init(role: Role, version: ProtocolVersion? = nil, maximumPacketSize: UInt32) {
        assert(role == .server || version != nil, "a client knows what version it asked for")
        self.role = role
        self.version = role == .client ? version ?? .v5_0 : version
        self.maximumPacketSize = Int(maximumPacketSize)
    }

    /// Decodes the packet at the start of `bytes`; nil when more bytes are needed.
    ///
    /// What the fixed header tells (packet type, flags, length) is refused as soon as it is there, before the packet
    /// is, so that a peer cannot make the server wait for, or make room for, what it will not accept.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer, pool: inout MessagePool
    ) throws(ProtocolViolation) -> DecodedPacket? {
        var byteCount = 0
        guard let packet = try decode(bytes, pool: &pool, byteCount: &byteCount) else { return nil }
        return DecodedPacket(packet: packet, byteCount: byteCount)
    }

    /// The same, with the bytes that the packet took in `byteCount`: taking it out of a `DecodedPacket` would copy it,
    /// which is four reference counts.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer, pool: inout MessagePool, byteCount: inout Int
    ) throws(ProtocolViolation) -> Packet? {
        guard let base = bytes.baseAddress, let firstByte = bytes.first else { return nil }
        let type = try checkedType(firstByte)
        guard let (remainingLength, lengthBytes) = try FixedHeader.remainingLength(bytes) else { return nil }
        let bodyStart = 1 &+ lengthBytes
        byteCount = bodyStart &+ remainingLength
        guard byteCount <= maximumPacketSize else {
            throw ProtocolViolation(
                .packetTooLarge, clause: "MQTT-3.2.2-15", "the packet is larger than the Maximum Packet Size")
        }
        guard byteCount <= bytes.count else { return nil }
        var reader = ByteReader(base: base, range: bodyStart..<byteCount)
        guard let version else {
            return .connect(try decodeConnect(&reader, pool: &pool))
        }
        return try decodeBody(type, flags: firstByte & 0x0F, &reader, version: version, pool: &pool)
    }

    /// The type of the packet, if this side accepts it now and its flags are right.
    @inline(__always)
    private func checkedType(_ firstByte: UInt8) throws(ProtocolViolation) -> PacketType {
        guard version != nil || firstByte >> 4 == PacketType.connect.rawValue else {
            throw .protocolError("MQTT-3.1.0-1", "the first packet is not CONNECT")
        }
        guard let type = PacketType(rawValue: firstByte >> 4) else {
            throw .malformed("5.0 section 2.1.2", "packet type 0")
        }
        switch type {
        case .publish: _ = try Publish.checkedQoS(firstByte & 0x0F)
        case .pubAck where firstByte & 0x0F == 0: break
        default:
            try checkDirection(of: type)
            try FixedHeader.checkFlags(firstByte & 0x0F, of: type, version: version)
        }
        return type
    }

    private func checkDirection(of type: PacketType) throws(ProtocolViolation) {
        switch type {
        case .publish, .pubAck, .pubRec, .pubRel, .pubComp: return
        case .connect:
            guard role == .server else { break }
            guard version == nil else { throw .protocolError("MQTT-3.1.0-2", "a second CONNECT") }
            return
        case .subscribe, .unsubscribe, .pingReq:
            if role == .server { return }
        case .connAck, .subAck, .unsubAck, .pingResp:
            if role == .client { return }
        case .disconnect:
            if role == .server || version == .v5_0 { return }
        case .auth:
            guard version == .v5_0 else { throw .malformed("5.0 section 2.1.2", "packet type 15") }
            return
        }
        throw .protocolError("5.0 section 2.1.2", "a packet of this type is not sent in this direction")
    }

    private mutating func decodeConnect(
        _ reader: inout ByteReader, pool: inout MessagePool
    ) throws(ProtocolViolation) -> Connect {
        switch try ConnectProtocol.decode(&reader) {
        case .supported(let spoken):
            version = spoken
            return try Connect.decode(&reader, version: spoken, pool: &pool)
        case .unsupported(let answeredAs):
            version = answeredAs
            throw ProtocolViolation(
                .unsupportedProtocolVersion, clause: "MQTT-3.1.2-2", "the protocol level is not supported")
        }
    }

    @inline(__always)
    private func decodeBody(
        _ type: PacketType, flags: UInt8, _ reader: inout ByteReader, version: ProtocolVersion,
        pool: inout MessagePool
    ) throws(ProtocolViolation) -> Packet {
        switch type {
        case .publish:
            .publish(try Publish.decode(flags: flags, &reader, version: version, role: role, pool: &pool))
        case .pubAck: .acknowledgement(try Acknowledgement.decode(.pubAck, &reader, version: version))
        case .pubRec: .acknowledgement(try Acknowledgement.decode(.pubRec, &reader, version: version))
        case .pubRel: .acknowledgement(try Acknowledgement.decode(.pubRel, &reader, version: version))
        case .pubComp: .acknowledgement(try Acknowledgement.decode(.pubComp, &reader, version: version))
        case .connect, .connAck, .subscribe, .subAck, .unsubscribe, .unsubAck, .pingReq, .pingResp, .disconnect, .auth:
            try decodeRareBody(type, &reader, version: version)
        }
    }

    private func decodeRareBody(
        _ type: PacketType, _ reader: inout ByteReader, version: ProtocolVersion
    ) throws(ProtocolViolation) -> Packet {
        switch type {
        case .connAck: return .connAck(try ConnAck.decode(&reader, version: version))
        case .subscribe: return .subscribe(try Subscribe.decode(&reader, version: version))
        case .subAck: return .subAck(try SubAck.decode(&reader, version: version))
        case .unsubscribe: return .unsubscribe(try Unsubscribe.decode(&reader, version: version))
        case .unsubAck: return .unsubAck(try UnsubAck.decode(&reader, version: version))
        case .disconnect: return .disconnect(try Disconnect.decode(&reader, version: version, role: role))
        case .auth: return .auth(try Auth.decode(&reader, role: role))
        case .pingReq:
            try reader.requireEnd()
            return .pingReq
        case .pingResp:
            try reader.requireEnd()
            return .pingResp
        case .connect, .publish, .pubAck, .pubRec, .pubRel, .pubComp:
            // Decoded elsewhere; `checkedType` and `decodeBody` let none of them come here.
            throw .protocolError("MQTT-3.1.0-2", "a packet that is not expected here")
        }
    }
}

/// A packet and the bytes it took.
package struct DecodedPacket: Sendable {
    package var packet: Packet
    /// Bytes from the start of the input that the packet was made from, fixed header included.
    package var byteCount: Int
}
