package import struct NIOCore.ByteBuffer

/// Takes a client's WebSocket frames apart (RFC 6455, 5): what is in binary messages comes out as one stream, since the
/// borders of frames and messages mean nothing to MQTT [MQTT-6.0.0-2].
package struct WebSocketDecoder: Sendable {
    /// What a client asks or says beside data.
    package enum Control: Sendable, Hashable {
        /// To be answered with a pong of the same payload.
        case ping(payload: [UInt8])
        /// The client ends the connection; to be answered with a close of the same status.
        case close(status: WebSocketStatus?)
    }

    private enum Position {
        /// In a header, of which this much has come.
        case header
        case payload(remaining: Int, isControl: Bool)
    }

    /// Header of a masked frame: 2 bytes, up to 8 of length, 4 of mask.
    private static let maximumHeaderSize = 14
    private static let maximumControlPayload = 125

    private let maximumFrameSize: Int
    private var position = Position.header
    private var header: [UInt8] = []
    private var mask: UInt32 = 0
    /// Payload bytes of the frame that are through, modulo 4.
    private var maskOffset = 0
    private var opcode: UInt8 = 0
    /// Inside a message whose last frame has not come.
    private var isInMessage = false
    private var controlPayload: [UInt8] = []

    /// - Parameter maximumFrameSize: largest payload of a data frame, bytes.
    package init(maximumFrameSize: Int) { self.maximumFrameSize = maximumFrameSize }

    /// Takes bytes as they come, appends the payload of binary messages to `output`, and tells each control frame.
    ///
    /// - Throws: `WebSocketViolation`; nothing that follows can be understood.
    package mutating func decode(
        _ bytes: UnsafeRawBufferPointer, into output: inout ByteBuffer, control: (Control) -> Void
    ) throws(WebSocketViolation) {
        var rest = bytes
        while !rest.isEmpty {
            switch position {
            case .header:
                rest = try readHeader(rest)
            case .payload(let remaining, let isControl):
                let count = min(remaining, rest.count)
                let part = UnsafeRawBufferPointer(rebasing: rest[..<count])
                if isControl { appendControl(part) } else { unmask(part, into: &output) }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                position = .payload(remaining: remaining - count, isControl: isControl)
            }
            if case .payload(remaining: 0, let isControl) = position {
                position = .header
                if isControl { try finishControl(control) }
            }
        }
    }

    // MARK: Header

    private mutating func readHeader(_ bytes: UnsafeRawBufferPointer) throws(WebSocketViolation)
        -> UnsafeRawBufferPointer
    {
        var used = 0
        while used < bytes.count {
            header.append(bytes[used])
            used += 1
            if header.count == 2 { try checkStart(header[0], header[1]) }
            if header.count >= 2, header.count == Self.headerSize(header[1]) {
                try finishHeader()
                break
            }
        }
        return UnsafeRawBufferPointer(rebasing: bytes[used...])
    }

    private static func headerSize(_ second: UInt8) -> Int {
        switch second & 0x7F {
        case 126: 2 + 2 + 4
        case 127: 2 + 8 + 4
        default: 2 + 4
        }
    }

    private func checkStart(_ first: UInt8, _ second: UInt8) throws(WebSocketViolation) {
        let isFinal = first & 0x80 != 0
        guard first & 0x70 == 0 else { throw WebSocketViolation(.protocolError, "a reserved bit is set") }
        guard second & 0x80 != 0 else { throw WebSocketViolation(.protocolError, "the frame is not masked") }
        switch first & 0x0F {
        case 0x0: guard isInMessage else { throw WebSocketViolation(.protocolError, "there is nothing to continue") }
        case 0x1: throw WebSocketViolation(.unsupportedData, "[MQTT-6.0.0-1] a text frame")
        case 0x2: guard !isInMessage else { throw WebSocketViolation(.protocolError, "a message inside a message") }
        case 0x8, 0x9, 0xA:
            guard isFinal, second & 0x7F <= Self.maximumControlPayload else {
                throw WebSocketViolation(.protocolError, "a control frame that is fragmented or too long")
            }
        default: throw WebSocketViolation(.protocolError, "an unknown opcode")
        }
    }

    private mutating func finishHeader() throws(WebSocketViolation) {
        var length = UInt64(header[1] & 0x7F)
        let maskStart = header.count - 4
        if maskStart > 2 {
            length = header[2..<maskStart].reduce(0) { $0 << 8 | UInt64($1) }
            guard length > (maskStart == 4 ? 125 : 0xFFFF), length >> 63 == 0 else {
                throw WebSocketViolation(.protocolError, "the length is not in its shortest form")
            }
        }
        opcode = header[0] & 0x0F
        let isControl = opcode & 0x8 != 0
        guard isControl || length <= UInt64(maximumFrameSize) else {
            throw WebSocketViolation(.messageTooBig, "the frame is larger than \(maximumFrameSize) bytes")
        }
        // In the order of the bytes in memory, so that words of payload can be unmasked with it.
        mask = header[maskStart...].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        maskOffset = 0
        if !isControl { isInMessage = header[0] & 0x80 == 0 }
        header.removeAll(keepingCapacity: true)
        position = .payload(remaining: Int(length), isControl: isControl)
    }

    // MARK: Payload

    private mutating func unmask(_ bytes: UnsafeRawBufferPointer, into output: inout ByteBuffer) {
        let key = rotatedMask
        maskOffset = (maskOffset + bytes.count) & 3
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count) { target in
            let wide = UInt64(key) << 32 | UInt64(key)
            var index = 0
            while index + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                target.storeBytes(of: word ^ wide.littleEndian, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            while index < bytes.count {
                target[index] = bytes[index] ^ UInt8(truncatingIfNeeded: key >> (8 * UInt32(index & 3)))
                index += 1
            }
            return bytes.count
        }
    }

    /// The mask as it stands for the next byte of the payload.
    private var rotatedMask: UInt32 {
        let bits = UInt32(8 * maskOffset)
        return bits == 0 ? mask : mask >> bits | mask << (32 - bits)
    }

    private mutating func appendControl(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            controlPayload.append(byte ^ UInt8(truncatingIfNeeded: mask >> UInt32(8 * maskOffset)))
            maskOffset = (maskOffset + 1) & 3
        }
    }

    private mutating func finishControl(_ control: (Control) -> Void) throws(WebSocketViolation) {
        defer { controlPayload.removeAll(keepingCapacity: true) }
        switch opcode {
        case 0x8:
            guard controlPayload.count != 1 else {
                throw WebSocketViolation(.protocolError, "a close frame with half a status")
            }
            guard controlPayload.count >= 2 else { return control(.close(status: nil)) }
            let status = WebSocketStatus(code: UInt16(controlPayload[0]) << 8 | UInt16(controlPayload[1]))
            guard status.mayBeSent else { throw WebSocketViolation(.protocolError, "no status that may be sent") }
            control(.close(status: status))
        case 0x9: control(.ping(payload: controlPayload))
        default: break
        }
    }
}
