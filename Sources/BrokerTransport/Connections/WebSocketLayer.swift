import NIOCore
import TransportModel

/// WebSocket of one connection, server's side, behind the upgrade. Confined to the connection's loop.
final class WebSocketLayer {
    private var decoder: WebSocketDecoder
    /// The client has said that it ends the connection.
    private(set) var isClosed = false

    init(maximumFrameSize: Int) { decoder = WebSocketDecoder(maximumFrameSize: maximumFrameSize) }

    /// Takes frames apart; what is MQTT goes to `output`, what has to be answered at once is returned.
    func receive(_ bytes: ByteBuffer, into output: inout ByteBuffer) throws(WebSocketViolation) -> ByteBuffer? {
        guard !isClosed else { return nil }
        var answer: ByteBuffer?
        var pong: [UInt8]?
        var close: WebSocketStatus??
        try bytes.withUnsafeReadableBytes { raw throws(WebSocketViolation) in
            try decoder.decode(raw, into: &output) { control in
                switch control {
                // Of several pings only the last has to be answered.
                case .ping(let payload): pong = payload
                case .close(let status): if close == nil { close = .some(status) }
                }
            }
        }
        if let pong {
            var frame = ByteBuffer()
            WebSocketEncoder.appendPong(pong, to: &frame)
            answer = frame
        }
        if let close {
            isClosed = true
            var frame = answer ?? ByteBuffer()
            WebSocketEncoder.appendClose(close, to: &frame)
            answer = frame
        }
        return answer
    }
}
