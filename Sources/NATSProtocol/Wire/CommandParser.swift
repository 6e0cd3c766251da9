/// Finds the commands of a server in a stream of bytes, however it was cut.
///
/// The caller keeps the bytes. It offers those from the first one that is not consumed yet, and consumes `byteCount` of
/// them for each command it gets; while a command is incomplete it offers the same bytes again with more behind them.
package struct CommandParser: Sendable {
    /// The most a client takes; more is a `ProtocolError`.
    package struct Limits: Hashable, Sendable {
        /// Bytes of a line, its end not counted: INFO with the addresses of a large cluster is the longest.
        package var controlLine = 1 << 16
        /// Bytes of a header block.
        package var headers = 1 << 18
        /// Bytes of a payload together with its header block: what the protocol allows a server at most.
        package var payload = 1 << 26

        package init() {}
    }

    private let limits: Limits
    /// Bytes that the command under way has at least: before they are there it is not looked at again.
    private var needed = 0
    /// Bytes at the start that are known to hold no end of a line.
    private var scanned = 0

    package init(limits: Limits = Limits()) { self.limits = limits }

    /// The command at the start of `bytes`; nil when it is not there as a whole.
    package mutating func next(_ bytes: Span<UInt8>) throws(ProtocolError) -> ParsedCommand? {
        guard bytes.count >= needed, bytes.count > scanned else { return nil }
        guard let end = endOfLine(in: bytes) else {
            scanned = bytes.count
            guard scanned <= limits.controlLine else { throw ProtocolError("a control line is too long") }
            return nil
        }
        scanned = end
        guard end <= limits.controlLine else { throw ProtocolError("a control line is too long") }
        // The line ends with CR LF; like servers, the client takes a lone LF too.
        let lineEnd = end > 0 && bytes[end - 1] == Byte.carriageReturn ? end - 1 : end
        let parsed = try command(in: bytes, lineEnd: lineEnd, bodyStart: end + 1)
        if parsed != nil { (needed, scanned) = (0, 0) }
        return parsed
    }

    private func endOfLine(in bytes: Span<UInt8>) -> Int? {
        var index = scanned
        while index < bytes.count {
            if bytes[index] == Byte.lineFeed { return index }
            index &+= 1
        }
        return nil
    }

    private mutating func command(
        in bytes: Span<UInt8>, lineEnd: Int, bodyStart: Int
    ) throws(ProtocolError) -> ParsedCommand? {
        var line = LineReader(end: lineEnd)
        let name = line.readToken(bytes)
        let word = Keyword(bytes: bytes, range: name)
        switch word {
        case .msg: return try message(in: bytes, &line, hasHeaders: false, bodyStart: bodyStart)
        case .hmsg: return try message(in: bytes, &line, hasHeaders: true, bodyStart: bodyStart)
        case .ping: return ParsedCommand(command: .ping, byteCount: bodyStart)
        case .pong: return ParsedCommand(command: .pong, byteCount: bodyStart)
        case .ok: return ParsedCommand(command: .ok, byteCount: bodyStart)
        case .info: return ParsedCommand(command: .info(line.readRest(bytes)), byteCount: bodyStart)
        case .error: return ParsedCommand(command: .error(line.readQuotedRest(bytes)), byteCount: bodyStart)
        case nil: throw ProtocolError("a command is not known")
        }
    }

    private mutating func message(
        in bytes: Span<UInt8>, _ line: inout LineReader, hasHeaders: Bool, bodyStart: Int
    ) throws(ProtocolError) -> ParsedCommand? {
        let subject = line.readToken(bytes)
        let subscription = line.readNumber(bytes)
        // SUBJECT SID [REPLY] [HEADERS] TOTAL: whether there is a reply shows in the number of words.
        let third = line.readToken(bytes)
        let fourth = line.readToken(bytes)
        let fifth = hasHeaders ? line.readToken(bytes) : fourth.upperBound..<fourth.upperBound
        let hasReply = hasHeaders ? !fifth.isEmpty : !fourth.isEmpty
        let reply = hasReply ? third : subject.upperBound..<subject.upperBound
        let headerToken = hasReply ? fourth : third
        let totalToken = hasHeaders ? (hasReply ? fifth : fourth) : (hasReply ? fourth : third)
        let headerCount = hasHeaders ? DecimalNumber.parse(bytes, headerToken) : 0
        guard let subscription, let headerCount, let total = DecimalNumber.parse(bytes, totalToken),
            line.isAtEnd(bytes),
            !subject.isEmpty, headerCount <= total
        else { throw ProtocolError("the line of a message is malformed") }
        guard headerCount <= UInt64(limits.headers) else { throw ProtocolError("a header block is too long") }
        guard total <= UInt64(limits.payload) else { throw ProtocolError("a payload is too long") }
        let bodyEnd = bodyStart + Int(total)
        guard bytes.count >= bodyEnd + 2 else {
            needed = bodyEnd + 2
            return nil
        }
        guard bytes[bodyEnd] == Byte.carriageReturn, bytes[bodyEnd + 1] == Byte.lineFeed else {
            throw ProtocolError("a payload has another length than its line says")
        }
        let headersEnd = bodyStart + Int(headerCount)
        let layout = MessageLayout(
            subscription: subscription, subject: subject, reply: reply, headers: bodyStart..<headersEnd,
            payload: headersEnd..<bodyEnd)
        return ParsedCommand(command: .message(layout), byteCount: bodyEnd + 2)
    }
}

/// The commands of a server by name; the case of letters does not matter.
private enum Keyword {
    case info, msg, hmsg, ping, pong, ok, error

    init?(bytes: Span<UInt8>, range: Range<Int>) {
        guard range.count >= 3, range.count <= 4 else { return nil }
        var word: UInt32 = 0
        for index in range { word = word << 8 | UInt32(bytes[index] | 0x20) }
        // In lower case; bit 5 of '+' and '-' is set anyway.
        switch word {
        case 0x6D_7367: self = .msg
        case 0x686D_7367: self = .hmsg
        case 0x7069_6E67: self = .ping
        case 0x706F_6E67: self = .pong
        case 0x696E_666F: self = .info
        case 0x2B_6F6B: self = .ok
        case 0x2D65_7272: self = .error
        default: return nil
        }
    }
}
