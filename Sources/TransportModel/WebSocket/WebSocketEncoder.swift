package import struct NIOCore.ByteBuffer

/// A server's WebSocket frames, which are whole messages and not masked (RFC 6455, 5).
package enum WebSocketEncoder {
    /// A binary frame with `payload` [MQTT-6.0.0-1].
    package static func appendBinary(_ payload: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        appendHeader(0x2, payload.count, to: &buffer)
        buffer.writeBytes(payload)
    }

    package static func appendPong(_ payload: [UInt8], to buffer: inout ByteBuffer) {
        appendHeader(0xA, payload.count, to: &buffer)
        buffer.writeBytes(payload)
    }

    package static func appendClose(_ status: WebSocketStatus?, to buffer: inout ByteBuffer) {
        appendHeader(0x8, status == nil ? 0 : 2, to: &buffer)
        if let status { buffer.writeInteger(status.code) }
    }

    private static func appendHeader(_ opcode: UInt8, _ length: Int, to buffer: inout ByteBuffer) {
        buffer.writeInteger(0x80 | opcode)
        switch length {
        case 0...125: buffer.writeInteger(UInt8(length))
        case 126...0xFFFF:
            buffer.writeInteger(UInt8(126))
            buffer.writeInteger(UInt16(length))
        default:
            buffer.writeInteger(UInt8(127))
            buffer.writeInteger(UInt64(length))
        }
    }
}
