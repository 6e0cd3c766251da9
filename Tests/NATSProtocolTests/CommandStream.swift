import NATSProtocol
import NIOCore

/// What a parser made of a stream, with the texts instead of their places.
struct ParsedText: Equatable {
    var name: String
    var texts: [String] = []
}

/// Feeds a parser with a stream in pieces as a network would, and keeps what is not consumed.
struct CommandStream {
    var parser: CommandParser
    private var inbound = ByteBuffer()
    private(set) var commands: [ParsedText] = []

    init(limits: CommandParser.Limits = .init()) { parser = CommandParser(limits: limits) }

    var unconsumed: Int { inbound.readableBytes }

    mutating func receive(_ bytes: [UInt8]) throws(ProtocolError) {
        inbound.writeBytes(bytes)
        while true {
            let bytes = inbound
            guard let parsed = try parser.next(bytes.readableBytesUInt8Span) else { return }
            commands.append(text(of: parsed.command))
            inbound.moveReaderIndex(forwardBy: parsed.byteCount)
        }
    }

    private func text(of command: ServerCommand) -> ParsedText {
        func text(_ range: Range<Int>) -> String {
            let bytes = inbound.getBytes(at: inbound.readerIndex + range.lowerBound, length: range.count)
            return String(decoding: bytes ?? [], as: UTF8.self)
        }
        switch command {
        case .info(let range): return ParsedText(name: "INFO", texts: [text(range)])
        case .error(let range): return ParsedText(name: "ERR", texts: [text(range)])
        case .ping: return ParsedText(name: "PING")
        case .pong: return ParsedText(name: "PONG")
        case .ok: return ParsedText(name: "OK")
        case .message(let layout):
            return ParsedText(
                name: "MSG",
                texts: [
                    "\(layout.subscription)", text(layout.subject), text(layout.reply), text(layout.headers),
                    text(layout.payload),
                ])
        }
    }

    static func parse(_ text: String, limits: CommandParser.Limits = .init()) throws(ProtocolError) -> [ParsedText] {
        var stream = CommandStream(limits: limits)
        try stream.receive(Array(text.utf8))
        return stream.commands
    }
}

/// SplitMix64: the same numbers for the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
