import NIOCore
import Testing
import TransportModel

@Suite("WebSocket frames")
struct WebSocketDecoderTests {
    /// A client's frame, masked, in the shortest form of its length.
    static func frame(
        _ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, mask: [UInt8] = [0x11, 0x22, 0x33, 0x44]
    ) -> [UInt8] {
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
        switch payload.count {
        case 0...125: bytes.append(0x80 | UInt8(payload.count))
        case 126...0xFFFF: bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            bytes.append(0x80 | 127)
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    struct Result {
        var payload: [UInt8] = []
        var controls: [WebSocketDecoder.Control] = []
        var violation: WebSocketViolation?
    }

    /// Decodes in pieces of a size.
    private func decode(_ bytes: [UInt8], piece: Int, maximumFrameSize: Int = 1 << 20) -> Result {
        var decoder = WebSocketDecoder(maximumFrameSize: maximumFrameSize)
        var output = ByteBuffer()
        var result = Result()
        do {
            for start in stride(from: 0, to: bytes.count, by: piece) {
                let part = Array(bytes[start..<min(start + piece, bytes.count)])
                try part.withUnsafeBytes { raw in
                    try decoder.decode(raw, into: &output) { result.controls.append($0) }
                }
            }
        } catch {
            result.violation = error as? WebSocketViolation
        }
        result.payload = Array(output.readableBytesView)
        return result
    }

    /// [MQTT-6.0.0-2]
    @Test(arguments: [1, 2, 3, 7, 13, 64, 100_000])
    func framesOfAnyLengthInPiecesOfAnySizeAreOneStream(piece: Int) {
        var wanted: [UInt8] = []
        var bytes: [UInt8] = []
        for length in [0, 1, 2, 3, 4, 5, 7, 8, 9, 125, 126, 127, 1000, 65_535, 65_536, 70_001] {
            let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ length) }
            wanted += payload
            bytes += Self.frame(0x2, payload, mask: [UInt8(truncatingIfNeeded: length), 0xFF, 0x00, 0x5A])
        }
        let result = decode(bytes, piece: piece)
        #expect(result.violation == nil)
        #expect(result.payload == wanted)
    }

    @Test(arguments: [1, 5, 1000])
    func aMessageInPartsWithAPingBetweenIsOneStream(piece: Int) {
        let bytes =
            Self.frame(0x2, [1, 2], isFinal: false) + Self.frame(0x0, [], isFinal: false)
            + Self.frame(0x9, [9, 8, 7, 6, 5]) + Self.frame(0xA, [1]) + Self.frame(0x0, [3]) + Self.frame(0x2, [4])
        let result = decode(bytes, piece: piece)
        #expect(result.violation == nil)
        #expect(result.payload == [1, 2, 3, 4])
        #expect(result.controls == [.ping(payload: [9, 8, 7, 6, 5])])
    }

    @Test func aCloseTellsItsStatus() {
        #expect(decode(Self.frame(0x8, []), piece: 1).controls == [.close(status: nil)])
        #expect(
            decode(Self.frame(0x8, [0x03, 0xE8] + Array("bye".utf8)), piece: 1).controls == [.close(status: .normal)])
    }

    @Test(
        "[MQTT-6.0.0-1] and RFC 6455: what a client must not send",
        arguments: [
            ([0x81, 0x80, 0, 0, 0, 0], WebSocketStatus.unsupportedData), ([0x82, 0x01, 0x00], .protocolError),
            ([0xC2, 0x80, 0, 0, 0, 0], .protocolError), ([0x80, 0x80, 0, 0, 0, 0], .protocolError),
            ([0x83, 0x80, 0, 0, 0, 0], .protocolError), ([0x8B, 0x80, 0, 0, 0, 0], .protocolError),
            ([0x09, 0x80, 0, 0, 0, 0], .protocolError), ([0x89, 0xFE, 0, 126], .protocolError),
            ([0x82, 0xFE, 0, 125, 0, 0, 0, 0], .protocolError),
            ([0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0], .protocolError),
            ([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], .protocolError),
            ([0x82, 0xFE, 0x04, 0x01, 0, 0, 0, 0], .messageTooBig),
            ([0x88, 0x81, 0, 0, 0, 0, 1], .protocolError), ([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED], .protocolError),
        ] as [([UInt8], WebSocketStatus)])
    func aWrongFrameEndsTheConnection(bytes: [UInt8], status: WebSocketStatus) {
        for piece in [1, 100] {
            #expect(decode(bytes, piece: piece, maximumFrameSize: 1024).violation?.status == status, "\(bytes)")
        }
    }

    @Test func aMessageInsideAMessageEndsTheConnection() {
        let bytes = Self.frame(0x2, [1], isFinal: false) + Self.frame(0x2, [2])
        #expect(decode(bytes, piece: 1).violation?.status == .protocolError)
    }

    @Test(arguments: [0, 1, 125, 126, 65_535, 65_536])
    func theServersFramesAreWholeAndNotMasked(length: Int) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        var buffer = ByteBuffer()
        payload.withUnsafeBytes { WebSocketEncoder.appendBinary($0, to: &buffer) }
        let bytes = Array(buffer.readableBytesView)
        #expect(bytes[0] == 0x82)
        let size = bytes[1] < 126 ? 2 : bytes[1] == 126 ? 4 : 10
        #expect(Array(bytes[size...]) == payload)
    }
}
