import struct NIOCore.ByteBuffer
import TransportModel

/// What must hold of the formats under MQTT for any bytes: however they are cut into pieces, they mean the same.
package enum TransportCheck {
    /// Which format the bytes are for; the first byte of an input, modulo their number.
    package enum Format: UInt8, CaseIterable, Sendable {
        case proxyHeader, upgradeRequest, webSocket
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Judges an input and returns what it came to, to tell inputs apart that go different ways.
    package static func run(_ file: [UInt8]) throws(Failure) -> String {
        let format = Format(rawValue: (file.first ?? 0) % UInt8(Format.allCases.count)) ?? .proxyHeader
        let bytes = Array(file.dropFirst())
        switch format {
        case .proxyHeader: return try checkPrefixes(of: bytes, proxyHeader)
        case .upgradeRequest: return try checkPrefixes(of: bytes, upgradeRequest)
        case .webSocket: return try checkPieces(of: bytes)
        }
    }

    // MARK: What begins a connection

    /// nil: more bytes are needed.
    private static func proxyHeader(_ bytes: [UInt8]) -> String? {
        do throws(ProxyHeader.Malformed) {
            let outcome = try withMemory(bytes) { raw throws(ProxyHeader.Malformed) in try ProxyHeader.parse(raw) }
            switch outcome {
            case .incomplete: return nil
            case .header(let header, let byteCount): return "header \(byteCount) \(header)"
            }
        } catch {
            return error.reason
        }
    }

    private static func upgradeRequest(_ bytes: [UInt8]) -> String? {
        switch withMemory(bytes, { UpgradeRequest.outcome(of: $0) }) {
        case .incomplete: nil
        case .accepted(_, let byteCount): "accepted \(byteCount)"
        case .refused(_, let reason): reason
        }
    }

    /// As soon as there is an outcome, more bytes do not change it.
    private static func checkPrefixes(
        of bytes: [UInt8], _ outcome: ([UInt8]) -> String?
    ) throws(Failure) -> String {
        let whole = outcome(bytes)
        var first: String?
        for count in 0..<bytes.count {
            let part = outcome(Array(bytes[..<count]))
            if let first {
                guard part == first else { throw Failure(description: "\(first), then \(part ?? "incomplete")") }
            } else {
                first = part
            }
        }
        guard first == nil || first == whole else {
            throw Failure(description: "\(first ?? "incomplete") in pieces, \(whole ?? "incomplete") whole")
        }
        return whole ?? "incomplete"
    }

    // MARK: WebSocket

    private struct Decoded: Equatable {
        var payload: [UInt8] = []
        var controls: [WebSocketDecoder.Control] = []
        var violation: WebSocketViolation?
    }

    private static func checkPieces(of bytes: [UInt8]) throws(Failure) -> String {
        let whole = decode(bytes, piece: max(1, bytes.count))
        guard whole.payload.count <= bytes.count else { throw Failure(description: "more payload than bytes") }
        for piece in [1, 3] where decode(bytes, piece: piece) != whole {
            throw Failure(description: "\(decode(bytes, piece: piece)) in pieces of \(piece), \(whole) whole")
        }
        return "\(whole.payload.count.leadingZeroBitCount) \(whole.controls.count) \(whole.violation?.detail ?? "")"
    }

    private static func decode(_ bytes: [UInt8], piece: Int) -> Decoded {
        var decoder = WebSocketDecoder(maximumFrameSize: 1 << 16)
        var output = ByteBuffer()
        var decoded = Decoded()
        do throws(WebSocketViolation) {
            for start in stride(from: 0, to: bytes.count, by: piece) {
                let part = Array(bytes[start..<min(start + piece, bytes.count)])
                try withMemory(part) { raw throws(WebSocketViolation) in
                    try decoder.decode(raw, into: &output) { decoded.controls.append($0) }
                }
            }
        } catch {
            decoded.violation = error
        }
        decoded.payload = Array(output.readableBytesView)
        return decoded
    }

    /// A copy in memory of its own size, so that a sanitizer sees each byte read past the end.
    private static func withMemory<Result, Failure: Error>(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        return try body(UnsafeRawBufferPointer(memory))
    }
}
