package import MQTTCodec
package import MQTTModel
import struct NIOCore.ByteBuffer

/// Takes packets out of a stream of bytes that arrives in pieces of any size.
package final class PacketReceiver {
    private var decoder: PacketDecoder
    private var pool = MessagePool()
    private var bytes = ByteBuffer()

    package init(role: PacketDecoder.Role, version: ProtocolVersion?, maximumPacketSize: UInt32 = 268_435_460) {
        decoder = PacketDecoder(role: role, version: version, maximumPacketSize: maximumPacketSize)
    }

    package func append(_ piece: [UInt8]) { bytes.writeBytes(piece) }

    /// Bytes that are not a whole packet yet.
    package var pendingCount: Int { bytes.readableBytes }

    /// The next packet and its length on the wire; nil when more bytes are needed.
    package func next() throws(ProtocolViolation) -> DecodedPacket? {
        try bytes.decodePacket(with: &decoder, pool: &pool)
    }
}

extension ByteBuffer {
    /// Decodes the packet at the reader index and moves the index behind it.
    mutating func decodePacket(
        with decoder: inout PacketDecoder, pool: inout MessagePool
    ) throws(ProtocolViolation) -> DecodedPacket? {
        let outcome = withUnsafeReadableBytes { readable in
            Result { () throws(ProtocolViolation) in try decoder.decode(readable, pool: &pool) }
        }
        guard let decoded = try outcome.get() else { return nil }
        moveReaderIndex(forwardBy: decoded.byteCount)
        discardReadBytes()
        return decoded
    }
}
