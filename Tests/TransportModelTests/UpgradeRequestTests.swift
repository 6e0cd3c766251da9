import Testing
import TransportModel

@Suite("Request for WebSocket")
struct UpgradeRequestTests {
    /// RFC 6455, 1.3, with our subprotocol; `replacing` changes a line, and nil takes it away.
    private func request(_ changes: [String: String?] = [:], first: String = "GET /any/path?x HTTP/1.1") -> [UInt8] {
        var fields = [
            ("Host", "server.example.com"), ("Upgrade", "websocket"), ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Origin", "http://example.com"),
            ("Sec-WebSocket-Protocol", "chat, mqtt"), ("Sec-WebSocket-Version", "13"),
        ].filter { changes[$0.0] == nil }
        for (name, value) in changes.sorted(by: { $0.key < $1.key }) { if let value { fields.append((name, value)) } }
        return Array((first + "\r\n" + fields.map { "\($0.0): \($0.1)\r\n" }.joined() + "\r\n").utf8)
    }

    private func outcome(_ bytes: [UInt8]) -> UpgradeRequest.Outcome {
        bytes.withUnsafeBytes { UpgradeRequest.outcome(of: $0) }
    }

    private func status(_ bytes: [UInt8]) -> String? {
        guard case .refused(let response, _) = outcome(bytes) else { return nil }
        return String(String(decoding: response, as: UTF8.self).split(separator: " ")[1])
    }

    @Test("[MQTT-6.0.0-4] the broker selects mqtt")
    func theExampleOfTheStandardIsAccepted() {
        let bytes = request()
        guard case .accepted(let response, let byteCount) = outcome(bytes + [0x82, 0x80]) else {
            Issue.record("\(outcome(bytes))")
            return
        }
        #expect(byteCount == bytes.count)
        let text = String(decoding: response, as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        #expect(text.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(text.contains("\r\nSec-WebSocket-Protocol: mqtt\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func everyBeginningIsIncomplete() {
        let bytes = request()
        for count in 0..<bytes.count { #expect(outcome(Array(bytes[..<count])) == .incomplete, "\(count)") }
    }

    @Test(
        arguments: [
            ["Connection": "keep-alive, UPGRADE", "Upgrade": "WebSocket"], ["Sec-WebSocket-Protocol": "mqttv3.1"],
            ["Content-Length": "0"], ["X": ""],
        ])
    func variantsAreAccepted(changes: [String: String]) {
        guard case .accepted = outcome(request(changes)) else {
            Issue.record("\(outcome(request(changes)))")
            return
        }
    }

    @Test(
        "What is no WebSocket gets a clear answer; [MQTT-6.0.0-3] mqtt has to be offered",
        arguments: [
            ("Upgrade", nil, "426"), ("Upgrade", "h2c", "426"), ("Connection", nil, "426"),
            ("Sec-WebSocket-Version", "8", "426"), ("Sec-WebSocket-Version", nil, "426"),
            ("Sec-WebSocket-Key", nil, "400"), ("Sec-WebSocket-Key", "short", "400"),
            ("Sec-WebSocket-Protocol", nil, "400"), ("Sec-WebSocket-Protocol", "chat, mqtt2", "400"),
            ("Host", nil, "400"), ("Content-Length", "5", "400"), ("Transfer-Encoding", "chunked", "400"),
        ] as [(String, String?, String)])
    func aFieldThatIsWrong(name: String, value: String?, status: String) {
        #expect(self.status(request([name: value])) == status)
    }

    @Test(
        arguments: [
            ("GET / HTTP/1.0", "400"), ("GET /", "400"), ("GET  / HTTP/1.1", "400"), ("POST / HTTP/1.1", "405"),
            ("GET x HTTP/1.1", "400"),
        ])
    func aRequestLineThatIsWrong(line: String, status: String) {
        #expect(self.status(request(first: line)) == status)
    }

    @Test func whatIsNoHTTPIsToldAtOnce() {
        #expect(status([0x10, 0x0C, 0x00, 0x04]) == "400")
        #expect(status(Array("get / ".utf8)) == "400")
    }

    @Test func whatTwoReadersCouldTakeForTwoThingsIsRefused() {
        let good = String(decoding: request(), as: UTF8.self)
        #expect(status(Array(good.replacing("\r\nUpgrade", with: "\nUpgrade").utf8)) == "400")
        #expect(status(Array(good.replacing("Upgrade:", with: "Upgrade :").utf8)) == "400")
        #expect(status(Array(good.replacing("\r\nUpgrade:", with: "\r\n Upgrade:").utf8)) == "400")
        #expect(status(Array(good.replacing("websocket", with: "web\rsocket").utf8)) == "400")
        #expect(status(Array(good.replacing("websocket", with: "web\0socket").utf8)) == "400")
        #expect(status(Array(good.replacing("chat", with: "ch\u{7F}at").utf8)) == "400")
    }

    @Test func aRequestThatDoesNotEndIsRefusedAtItsBound() {
        let start = Array("GET / HTTP/1.1\r\nX: ".utf8)
        let long = start + [UInt8](repeating: 0x41, count: UpgradeRequest.maximumSize - start.count)
        #expect(outcome(long.dropLast()) == .incomplete)
        #expect(status(long) == "431")
        let many = Array(("GET / HTTP/1.1\r\n" + String(repeating: "A:\r\n", count: 200) + "\r\n").utf8)
        #expect(status(many) == "431")
    }
}
