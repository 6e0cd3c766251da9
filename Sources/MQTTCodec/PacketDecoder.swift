package import MQTTModel

/// Decodes the packets of one connection, in the order they arrive.
package struct PacketDecoder: Sendable {
    /// Which side is decoding: a server accepts the packets that a client sends, and a client those of a server.
    package enum Role: Sendable { case server, client }

    private let role: Role
    private let maximumPacketSize: UInt32

    /// The version the connection speaks. A server has none until CONNECT told it; for a CONNECT that is refused because
    /// of its protocol level it is the version whose form of CONNACK answers it.
    package private(set) var version: ProtocolVersion?

    package init(role: Role, version: ProtocolVersion? = nil, maximumPacketSize: UInt32) {
        self.role = role
        self.version = version
        self.maximumPacketSize = maximumPacketSize
    }

    /// Decodes the packet at the start of `bytes`; nil when more bytes are needed.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer, pool: inout MessagePool
    ) throws(ProtocolViolation) -> DecodedPacket? {
        nil
    }
}

/// A packet and the bytes it took.
package struct DecodedPacket: Sendable {
    package var packet: Packet
    /// Bytes from the start of the input that the packet was made from, fixed header included.
    package var byteCount: Int
}
