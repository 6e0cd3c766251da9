import NATSProtocol
import struct NIOCore.ByteBuffer

/// What must hold of the parser of what a NATS server sends, for any bytes: it neither crashes nor reads past the end,
/// and how the stream is cut makes no difference.
package enum NATSParserCheck {
    /// What a stream came to, to tell inputs apart that go different ways.
    package struct Outcome: Hashable, Sendable {
        package var commands: [String] = []
        package var error: String?
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Streams to start from.
    package static let seeds: [[UInt8]] = [
        "INFO {\"server_id\":\"x\",\"max_payload\":1048576}\r\nPING\r\n+OK\r\n",
        "MSG a.b 1 5\r\nhello\r\nMSG a.b 12 _INBOX.x.1 0\r\n\r\n",
        "HMSG a 1 30 35\r\nNATS/1.0\r\nNats-Sequence: 7\r\n\r\nhello\r\n",
        "HMSG a 1 r.x 41 41\r\nNATS/1.0 100 Idle\r\nNats-Last-Consumer: 4\r\n\r\n\r\n",
        "MSG _INBOX.a 3 $JS.ACK.LOG.c.1.2.3.1700000000000000000.5 2\r\nhi\r\nPONG\r\n-ERR 'Stale Connection'\r\n",
        "MSG _INBOX.a 3 26\r\n{\"stream\":\"LOG\",\"seq\":77}\r\n\r\n",
    ].map { Array($0.utf8) }

    package static func run(_ stream: [UInt8]) throws(Failure) -> Outcome {
        let whole = parse(stream, pieceLength: max(stream.count, 1))
        for length in [1, 3] {
            let pieces = parse(stream, pieceLength: length)
            guard pieces == whole else {
                throw Failure(description: "in one piece \(whole), in pieces of \(length) \(pieces)")
            }
        }
        return Outcome(commands: whole.commands.map { String($0.prefix(4)) }, error: whole.error)
    }

    private static func parse(_ stream: [UInt8], pieceLength: Int) -> Outcome {
        var limits = CommandParser.Limits()
        limits.controlLine = 200
        limits.headers = 100
        limits.payload = 1000
        var parser = CommandParser(limits: limits)
        var outcome = Outcome()
        var inbound = ByteBuffer()
        var rest = stream[...]
        while !rest.isEmpty {
            inbound.writeBytes(rest.prefix(pieceLength))
            rest = rest.dropFirst(pieceLength)
            do throws(ProtocolError) {
                while true {
                    let bytes = inbound
                    guard let parsed = try parser.next(bytes.readableBytesUInt8Span) else { break }
                    outcome.commands.append(describe(parsed.command, in: bytes))
                    inbound.moveReaderIndex(forwardBy: parsed.byteCount)
                }
            } catch {
                outcome.error = error.description
                return outcome
            }
        }
        return outcome
    }

    /// Reads all that can be read of a command.
    private static func describe(_ command: ServerCommand, in bytes: ByteBuffer) -> String {
        func slice(_ range: Range<Int>) -> ByteBuffer {
            bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
        }
        switch command {
        case .info(let range): return "INFO \(slice(range).readableBytes)"
        case .error(let range): return "ERR \(slice(range).readableBytes)"
        case .ping: return "PING"
        case .pong: return "PONG"
        case .ok: return "OK"
        case .message(let layout):
            let headers = HeaderBlock(received: slice(layout.headers))
            let delivery = DeliverySubject(slice(layout.reply).readableBytesUInt8Span)
            let acknowledgement = PublishAcknowledgement(json: slice(layout.payload))
            let fields = headers.fields.count
            return
                "MSG \(layout) \(headers.status ?? 0) \(headers.statusText) \(fields) \(String(describing: delivery)) "
                + String(describing: acknowledgement)
        }
    }
}
