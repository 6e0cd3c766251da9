import NATSProtocol
import NIOCore
import Testing

@Suite("NATS: what a client sends")
struct EncodingTests {
    private func encoded(_ body: (inout ByteBuffer) -> Void) -> String {
        var buffer = ByteBuffer()
        body(&buffer)
        return String(buffer: buffer)
    }

    @Test func commandsAreWrittenAsTheProtocolSaysThem() throws {
        var headers = HeaderBlock()
        try headers.append("Nats-Msg-Id", "x")
        #expect(
            encoded { CommandEncoder.appendPublish(subject: "a.b", payload: ByteBuffer(string: "hello"), to: &$0) }
                == "PUB a.b 5\r\nhello\r\n")
        #expect(
            encoded {
                CommandEncoder.appendPublish(
                    subject: "a", reply: Array("r.1".utf8), headers: headers, payload: ByteBuffer(string: "hi"), to: &$0
                )
            } == "HPUB a r.1 28 30\r\nNATS/1.0\r\nNats-Msg-Id: x\r\n\r\nhi\r\n")
        #expect(encoded { CommandEncoder.appendSubscribe("a.*", subscription: 12, to: &$0) } == "SUB a.* 12\r\n")
        #expect(
            encoded { CommandEncoder.appendSubscribe("a.>", queueGroup: "q", subscription: 0, to: &$0) }
                == "SUB a.> q 0\r\n")
        #expect(
            encoded { CommandEncoder.appendUnsubscribe(UInt64.max, to: &$0) } == "UNSUB 18446744073709551615\r\n")
        #expect(encoded { CommandEncoder.appendConnect(options: Array("{}".utf8), to: &$0) } == "CONNECT {}\r\n")
        #expect(encoded { CommandEncoder.appendPing(to: &$0) } == "PING\r\n")
        #expect(encoded { CommandEncoder.appendPong(to: &$0) } == "PONG\r\n")
    }

    @Test func theLengthOfAPublicationIsABound() {
        let payload = ByteBuffer(string: "hello")
        let text = encoded {
            CommandEncoder.appendPublish(
                subject: "a", reply: Array("r".utf8), headers: HeaderBlock(), payload: payload, to: &$0)
        }
        let bound = CommandEncoder.publishLength(
            subject: "a", reply: Array("r".utf8), headers: HeaderBlock(), payload: payload)
        #expect(text.utf8.count <= bound)
    }

    @Test(arguments: ["a", "a.b", "$KV.x.y", "ä.日本", "a.*b", "a.b>", "%", "a.b-c_d/e"])
    func subjectsAreWordsBetweenDots(text: String) { #expect(Subject(text) != nil) }

    @Test(arguments: ["", ".", "a.", ".a", "a..b", "a b", "a\tb", "a\r\nb", "a\0", "*", "a.*", "a.>", ">", "a.\u{7F}"])
    func whatClosesTheConnectionIsNoSubject(text: String) { #expect(Subject(text) == nil) }

    @Test func subjectsHaveALongestLength() {
        #expect(Subject(String(repeating: "a", count: Subject.maximumLength)) != nil)
        #expect(Subject(String(repeating: "a", count: Subject.maximumLength + 1)) == nil)
    }

    @Test func filtersHaveWildcardsAsWholeWords() {
        for text in ["*", ">", "a.*.b", "a.>", "*.*", "a*", "a.b>"] { #expect(SubjectFilter(text) != nil) }
        for text in ["", "a.>.b", ">.a", "a..*", "a. "] { #expect(SubjectFilter(text) == nil) }
    }

    @Test func filtersMatchAsServersDo() {
        let table: [(SubjectFilter, Subject, Bool)] = [
            ("a.*", "a.b", true), ("a.*", "a", false), ("a.*", "a.b.c", false), ("a.>", "a.b.c", true),
            ("a.>", "a", false), (">", "a", true), ("*.b", "a.b", true), ("a*", "ab", false), ("a*", "a*", true),
            ("a", "a", true), ("a", "b", false),
        ]
        for (filter, subject, matches) in table {
            #expect(filter.matches(subject) == matches, "\(filter) and \(subject)")
        }
    }

    @Test func headersAreReadAsTheyWereWritten() throws {
        var headers = HeaderBlock()
        try headers.append("A", "1")
        try headers.append("Long-Name", " with: colon, ünicode ")
        headers.append("Number", 18_446_744_073_709_551_615)
        let received = HeaderBlock(received: headers.bytes)
        #expect(received["A"] == "1")
        #expect(received["a"] == nil)
        #expect(received["Long-Name"] == "with: colon, ünicode ")
        #expect(received.number("Number") == .max)
        #expect(received.number("A") == 1)
        #expect(received.status == nil)
        #expect(received.fields.map(\.name) == ["A", "Long-Name", "Number"])
    }

    @Test func aStatusStandsBehindTheVersion() {
        let block = HeaderBlock(
            received: ByteBuffer(string: "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 7\r\n\r\n"))
        #expect(block.status == 100)
        #expect(block.statusText == "Idle Heartbeat")
        #expect(block.number("Nats-Last-Consumer") == 7)
        #expect(HeaderBlock(received: ByteBuffer(string: "NATS/1.0 503\r\n\r\n")).status == 503)
        #expect(HeaderBlock(received: ByteBuffer(string: "NATS")).status == nil)
        #expect(HeaderBlock(received: ByteBuffer()).fields.isEmpty)
    }

    @Test func aFieldCannotSmuggleAnother() {
        var headers = HeaderBlock()
        for (name, value) in [("A", "x\r\nB: y"), ("A", "x\ny"), ("", "x"), ("A b", "x"), ("A:", "x"), ("A\r", "x")] {
            #expect(throws: HeaderBlock.InvalidField.self) { try headers.append(name, value) }
        }
        #expect(headers == HeaderBlock())
    }
}
