import MQTTModel
import Testing

@Suite struct TopicNameTests {
    @Test("topic names", arguments: ["a", "/", "//", "a/b", "$SYS/x", " ", "\u{FEFF}", "ä/€/𝄞", "a b", "A"])
    func valid(_ topic: String) {
        #expect(TopicName(topic)?.string == topic)
    }

    @Test(
        "MQTT-3.3.2-2, MQTT-4.7.3-1, MQTT-4.7.3-2: no topic names", arguments: ["", "+", "#", "a/+", "a#b", "a\u{0}b"])
    func invalid(_ topic: String) {
        #expect(TopicName(topic) == nil)
    }

    @Test("MQTT-4.7.3-3: 65,535 bytes are the most")
    func lengthIsBounded() {
        #expect(TopicName(String(repeating: "a", count: 65_535)) != nil)
        #expect(TopicName(String(repeating: "a", count: 65_536)) == nil)
    }

    @Test("the quick look at a topic sees every byte that is 0, not ASCII or a wildcard, and no other")
    func plainTopics() {
        for length in 0...40 {
            var bytes = [UInt8](repeating: 0x61, count: length)
            #expect(bytes.withUnsafeBytes { TopicName.isPlain($0) })
            for position in 0..<length {
                for byte in UInt8.min...UInt8.max {
                    bytes[position] = byte
                    let isPlain = byte != 0 && byte < 0x80 && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "#")
                    if bytes.withUnsafeBytes({ TopicName.isPlain($0) }) != isPlain {
                        Issue.record("\(byte) at \(position) of \(length)")
                    }
                }
                bytes[position] = 0x61
            }
        }
    }

    @Test("a wildcard is found at every place of topics of every length up to 40")
    func wildcardIsFoundAnywhere() {
        for length in 1...40 {
            var bytes = [UInt8](repeating: 0xAB, count: length)
            #expect(!bytes.withUnsafeBytes { TopicName.containsWildcard($0) })
            for position in 0..<length {
                for wildcard in "+#".utf8 {
                    bytes[position] = wildcard
                    #expect(bytes.withUnsafeBytes { TopicName.containsWildcard($0) })
                }
                for neighbour in "*,\"$".utf8 {
                    bytes[position] = neighbour
                    #expect(!bytes.withUnsafeBytes { TopicName.containsWildcard($0) })
                }
                bytes[position] = 0xAB
            }
        }
    }
}

@Suite struct TopicFilterTests {
    @Test(
        "filters",
        arguments: [
            "a", "/", "#", "+", "a/#", "+/+", "/+", "+/", "a/+/b", "a/+/#", "//", "$SYS/#", "$share", "$shared/a", " ",
            "ä/+",
        ])
    func valid(_ filter: String) throws {
        let parsed = try #require(TopicFilter(filter))
        #expect(parsed.string == filter && parsed.pattern == filter && !parsed.isShared)
    }

    @Test(
        "MQTT-4.7.1-1 and -2 of 5.0, MQTT-4.7.3-1, MQTT-4.8.2-1 and -2: no filters",
        arguments: [
            "", "a#", "#/a", "a/#/b", "a/b#", "a+", "+a", "a/+b", "a+/b", "##", "++", "a\u{0}", "$share/", "$share/g",
            "$share//a", "$share/g/", "$share/+/a", "$share/g#/a", "$share/a+/x", "$share/g/a#",
        ])
    func invalid(_ filter: String) {
        #expect(TopicFilter(filter) == nil)
    }

    @Test("MQTT-4.8.2-1: the parts of a shared subscription")
    func sharedSubscriptions() throws {
        let filter = try #require(TopicFilter("$share/group/a/+"))
        #expect(filter.shareName == "group" && filter.pattern == "a/+" && filter.hasWildcard && filter.isShared)
        let empty = try #require(TopicFilter("$share/g//"))
        #expect(empty.pattern == "/" && !empty.hasWildcard)
        let plain = try #require(TopicFilter("$share/g/a", allowsShared: false))
        #expect(plain.pattern == "$share/g/a" && !plain.isShared)
    }

    @Test("MQTT-4.7.3-3: 65,535 bytes are the most")
    func lengthIsBounded() {
        #expect(TopicFilter(String(repeating: "a", count: 65_535)) != nil)
        #expect(TopicFilter(String(repeating: "a", count: 65_536)) == nil)
        #expect(TopicFilter("$share/g/" + String(repeating: "a", count: 65_535)) == nil)
    }

    struct Match: Sendable {
        let filter: String
        let topic: String
        let isMatch: Bool

        init(_ filter: String, _ topic: String, _ isMatch: Bool = true) {
            self.filter = filter
            self.topic = topic
            self.isMatch = isMatch
        }
    }

    static let matches: [Match] = [
        .init("sport/tennis/player1/#", "sport/tennis/player1"),
        .init("sport/tennis/player1/#", "sport/tennis/player1/a/b"),
        .init("sport/#", "sport"), .init("#", "a/b/c"), .init("#", "/"), .init("sport/tennis/+", "sport/tennis/p"),
        .init("sport/tennis/+", "sport/tennis/p/q", false), .init("sport/+", "sport", false),
        .init("sport/+", "sport/"),
        .init("+/+", "/finance"), .init("/+", "/finance"), .init("+", "/finance", false), .init("+", "a"),
        .init("+", ""),
        .init("#", "$SYS/a", false), .init("+/monitor", "$SYS/monitor", false), .init("+", "$SYS", false),
        .init("$SYS/#", "$SYS/a"), .init("$SYS/#", "$SYS"), .init("$SYS/monitor/+", "$SYS/monitor/a"),
        .init("a/$b", "a/$b"), .init("a/+", "a/$b"), .init("A", "a", false), .init("a", "a/", false),
        .init("a/", "a", false), .init("a//b", "a//b"), .init("a/+/b", "a//b"), .init("a/#", "ab", false),
        .init("+/b/#", "a/b"), .init("a/+/#", "a", false), .init("\u{E9}", "e\u{301}", false),
    ]

    @Test("MQTT-4.7.2-1, MQTT-4.7.3-4 and the examples of section 4.7", arguments: matches)
    func matching(_ match: Match) throws {
        #expect(try #require(TopicFilter(match.filter)).matches(match.topic) == match.isMatch, "\(match)")
    }
}
