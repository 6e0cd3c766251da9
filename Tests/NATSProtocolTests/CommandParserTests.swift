import NATSProtocol
import Testing

@Suite("NATS: parser of what a server sends")
struct CommandParserTests {
    @Test func eachCommandIsFound() throws {
        #expect(
            try CommandStream.parse(
                "INFO {\"a\":1} \r\nPING\r\nPONG\r\n+OK\r\n-ERR 'Unknown Protocol Operation'\r\n-ERR bare\r\n")
                == [
                    ParsedText(name: "INFO", texts: ["{\"a\":1}"]), ParsedText(name: "PING"), ParsedText(name: "PONG"),
                    ParsedText(name: "OK"), ParsedText(name: "ERR", texts: ["Unknown Protocol Operation"]),
                    ParsedText(name: "ERR", texts: ["bare"]),
                ])
    }

    @Test func namesOfCommandsHaveNoCase() throws {
        #expect(try CommandStream.parse("ping\r\nmSg a 1 0\r\n\r\n").map(\.name) == ["PING", "MSG"])
    }

    @Test func messagesComeWithAndWithoutReplyAndHeaders() throws {
        let headers = "NATS/1.0\r\nA: b\r\n\r\n"
        let stream =
            "MSG a.b 1 5\r\nhello\r\nMSG a.b 2 r.x 0\r\n\r\nHMSG s 3 18 20\r\n\(headers)hi\r\n"
            + "HMSG s 4 r 18 18\r\n\(headers)\r\nMSG\ta  5 \t3 \r\n\r\n\n\r\n"
        #expect(
            try CommandStream.parse(stream).map(\.texts)
                == [
                    ["1", "a.b", "", "", "hello"], ["2", "a.b", "r.x", "", ""], ["3", "s", "", headers, "hi"],
                    ["4", "s", "r", headers, ""], ["5", "a", "", "", "\r\n\n"],
                ])
    }

    @Test(arguments: [
        "HELLO\r\n", "\r\n", "MSG\r\n", "MSG a\r\n", "MSG a 1\r\n", "MSG a x 1\r\n", "MSG a 1 -1\r\n",
        "MSG a 1 r 2 3\r\n", "HMSG a 1 5\r\n", "HMSG a 1 5 4\r\nabcd\r\n", "MSG a 1 2\r\nabc\r\n",
        "MSG a 1 99999999999999999999\r\n", "MSG a 1 184467440737095516150\r\n", "HMSG a 1 r 1 2 3\r\n",
    ])
    func whatIsMalformedEndsTheConnection(text: String) {
        #expect(throws: ProtocolError.self) { try CommandStream.parse(text) }
    }

    @Test func aLineIsTakenUpToItsLimit() throws {
        var limits = CommandParser.Limits()
        limits.controlLine = 20
        let fits = "-ERR '" + String(repeating: "x", count: 12) + "'\r\n"
        #expect(try CommandStream.parse(fits, limits: limits).count == 1)
        #expect(throws: ProtocolError.self) {
            try CommandStream.parse("-ERR '" + String(repeating: "x", count: 13) + "'\r\n", limits: limits)
        }
        #expect(throws: ProtocolError.self) {
            try CommandStream.parse(String(repeating: "x", count: 21), limits: limits)
        }
    }

    @Test func payloadAndHeadersAreTakenUpToTheirLimits() throws {
        var limits = CommandParser.Limits()
        limits.payload = 4
        limits.headers = 2
        #expect(try CommandStream.parse("MSG a 1 4\r\nabcd\r\n", limits: limits).count == 1)
        #expect(try CommandStream.parse("HMSG a 1 2 4\r\nabcd\r\n", limits: limits).count == 1)
        #expect(throws: ProtocolError.self) { try CommandStream.parse("MSG a 1 5\r\n", limits: limits) }
        #expect(throws: ProtocolError.self) { try CommandStream.parse("HMSG a 1 3 4\r\n", limits: limits) }
    }

    @Test(arguments: UInt64(1)...20)
    func howTheStreamIsCutDoesNotMatter(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let stream = randomStream(using: &random)
        var whole = CommandStream()
        try whole.receive(stream)
        for size in [1, 2, 7, 64, 1000] {
            var pieces = CommandStream()
            var rest = stream[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...size, using: &random)
                try pieces.receive(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(pieces.commands == whole.commands)
            #expect(pieces.unconsumed == 0)
        }
    }

    @Test(arguments: UInt64(1)...20)
    func noBytesCrashTheParser(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        for _ in 0..<500 {
            var bytes = randomStream(using: &random)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : bytes[0]
            }
            var stream = CommandStream()
            try? stream.receive(bytes)
            #expect(stream.unconsumed <= bytes.count)
        }
    }

    private func randomStream(using random: inout SeededGenerator) -> [UInt8] {
        var stream: [UInt8] = []
        for _ in 0..<Int.random(in: 1...12, using: &random) {
            let payload = (0..<Int.random(in: 0...80, using: &random)).map { _ in
                [13, 10, 32, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
            }
            let reply = Bool.random(using: &random) ? " _INBOX.a.1" : ""
            switch Int.random(in: 0..<5, using: &random) {
            case 0: stream += "PING\r\n".utf8
            case 1: stream += "-ERR 'x y'\r\n".utf8
            case 2: stream += "INFO {\"server_id\":\"x\"}\r\n".utf8
            case 3: stream += "MSG a.b 7\(reply) \(payload.count)\r\n".utf8 + payload + "\r\n".utf8
            default:
                stream += "HMSG a 7\(reply) 12 \(12 + payload.count)\r\nNATS/1.0\r\n\r\n".utf8 + payload + "\r\n".utf8
            }
        }
        return stream
    }
}
