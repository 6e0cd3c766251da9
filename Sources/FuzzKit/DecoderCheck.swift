import MQTTCodec
import MQTTModel
import struct NIOCore.ByteBuffer

/// What must hold of the decoder for any bytes. The first of it, that it neither crashes nor reads past the end, needs
/// no line here.
package enum DecoderCheck {
    /// What a stream came to, to tell inputs apart that go different ways.
    package struct Outcome: Hashable, Sendable {
        package var packetCount = 0
        /// The clause and the detail of the violation that ended it.
        package var violation: String?
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Decodes the whole stream.
    package static func run(_ input: DecoderInput) throws(Failure) -> Outcome {
        var decoder = PacketDecoder(
            role: input.role, version: input.version, maximumPacketSize: UInt32(VariableByteInteger.maximum) + 5)
        var outcome = Outcome()
        var rest = input.stream[...]
        while true {
            let before = decoder
            let decoded: DecodedPacket?
            do { decoded = try decode(rest, with: &decoder) } catch {
                outcome.violation = "\(error.clause) \(error.detail)"
                return outcome
            }
            guard let decoded else { return outcome }
            guard decoded.byteCount >= 2, decoded.byteCount <= rest.count else {
                throw Failure(description: "byteCount \(decoded.byteCount) of \(rest.count) bytes")
            }
            let bytes = rest.prefix(decoded.byteCount)
            try checkPrefixes(of: bytes, with: before)
            try checkEncoding(of: decoded.packet, from: bytes, decodedBy: before, now: decoder)
            outcome.packetCount += 1
            rest = rest.dropFirst(decoded.byteCount)
        }
    }

    /// A part of a packet is a request for more bytes.
    private static func checkPrefixes(
        of bytes: ArraySlice<UInt8>, with decoder: PacketDecoder
    ) throws(Failure) {
        for count in bytes.count <= 64 ? Array(0..<bytes.count) : [0, 1, 2, 3, 4, bytes.count / 2, bytes.count - 1] {
            var copy = decoder
            do {
                guard try decode(bytes.prefix(count), with: &copy) == nil else {
                    throw Failure(description: "\(count) of \(bytes.count) bytes already gave a packet")
                }
            } catch {
                throw Failure(description: "\(count) of \(bytes.count) good bytes were refused: \(error)")
            }
        }
    }

    /// What was decoded is encoded to something that is decoded to the same.
    private static func checkEncoding(
        of packet: Packet, from bytes: ArraySlice<UInt8>, decodedBy before: PacketDecoder, now: PacketDecoder
    ) throws(Failure) {
        guard let version = now.version else { throw Failure(description: "a packet was decoded without a version") }
        var buffer = ByteBuffer()
        PacketEncoder.append(packet, version: version, to: &buffer)
        let encoded = Array(buffer.readableBytesView)
        let length = PacketEncoder.encodedLength(packet, version: version)
        guard length == encoded.count else {
            throw Failure(description: "encodedLength \(length), but \(encoded.count) bytes: \(packet)")
        }
        var decoder = before
        let again: DecodedPacket?
        do { again = try decode(encoded[...], with: &decoder) } catch {
            throw Failure(description: "decoded \(packet), but its encoding is refused: \(error)")
        }
        guard let again, again.byteCount == encoded.count, again.packet.isSame(as: packet) else {
            throw Failure(description: "decoded \(packet), encoded, decoded \(String(describing: again))")
        }
    }

    /// A copy in memory of its own size, so that a sanitizer sees each byte read past the end.
    private static func decode(
        _ bytes: ArraySlice<UInt8>, with decoder: inout PacketDecoder
    ) throws(ProtocolViolation) -> DecodedPacket? {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        var pool = MessagePool()
        return try decoder.decode(UnsafeRawBufferPointer(memory), pool: &pool)
    }
}
