package import MQTTModel
package import struct NIOCore.ByteBuffer

/// The packets in the bytes of one connection, as they arrive.
package struct PacketStream: ~Copyable {
    private var decoder: PacketDecoder
    private var pool = MessagePool()
    private var bytes = ByteBuffer()

    package init(role: PacketDecoder.Role, version: ProtocolVersion, maximumPacketSize: UInt32) {
        decoder = PacketDecoder(role: role, version: version, maximumPacketSize: maximumPacketSize)
    }

    package mutating func append(_ received: ByteBuffer) {
        guard bytes.readableBytes > 0 else {
            bytes = received
            return
        }
        bytes.discardReadBytes()
        bytes.writeImmutableBuffer(received)
    }

    /// The next packet; nil when it is not there as a whole.
    package mutating func next() throws(ProtocolViolation) -> Packet? {
        let result: Result<DecodedPacket?, ProtocolViolation> = bytes.withUnsafeReadableBytes { readable in
            do throws(ProtocolViolation) {
                return .success(try decoder.decode(readable, pool: &pool))
            } catch {
                return .failure(error)
            }
        }
        guard let decoded = try result.get() else { return nil }
        bytes.moveReaderIndex(forwardBy: decoded.byteCount)
        return decoded.packet
    }
}
