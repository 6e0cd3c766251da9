import MQTTModel

extension Packet {
    /// Type and flags, the first byte on the wire.
    var firstByte: UInt8 {
        switch self {
        case .connect: PacketType.connect.rawValue << 4
        case .connAck: PacketType.connAck.rawValue << 4
        case .publish(let publish): PublishHeader(publish).firstByte
        case .acknowledgement(let acknowledgement): acknowledgement.kind.firstByte
        case .subscribe: PacketType.subscribe.rawValue << 4 | 0x02
        case .subAck: PacketType.subAck.rawValue << 4
        case .unsubscribe: PacketType.unsubscribe.rawValue << 4 | 0x02
        case .unsubAck: PacketType.unsubAck.rawValue << 4
        case .pingReq: PacketType.pingReq.rawValue << 4
        case .pingResp: PacketType.pingResp.rawValue << 4
        case .disconnect: PacketType.disconnect.rawValue << 4
        case .auth: PacketType.auth.rawValue << 4
        }
    }

    /// Writes what follows the fixed header. PUBLISH is not written here but by `PacketEncoder.appendPublish`.
    func encodeBody(to sink: inout some ByteSink, version: ProtocolVersion) {
        switch self {
        case .connect(let connect): connect.encodeBody(to: &sink)
        case .connAck(let connAck): connAck.encodeBody(to: &sink, version: version)
        case .acknowledgement(let acknowledgement): acknowledgement.encodeBody(to: &sink, version: version)
        case .subscribe(let subscribe): subscribe.encodeBody(to: &sink, version: version)
        case .subAck(let subAck): subAck.encodeBody(to: &sink, version: version)
        case .unsubscribe(let unsubscribe): unsubscribe.encodeBody(to: &sink, version: version)
        case .unsubAck(let unsubAck): unsubAck.encodeBody(to: &sink, version: version)
        case .disconnect(let disconnect): disconnect.encodeBody(to: &sink, version: version)
        case .auth(let auth): auth.encodeBody(to: &sink)
        case .publish, .pingReq, .pingResp: break
        }
    }

    func bodyLength(version: ProtocolVersion) -> Int {
        var counter = ByteCounter()
        encodeBody(to: &counter, version: version)
        return counter.count
    }
}
