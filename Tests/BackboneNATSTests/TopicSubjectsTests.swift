import MQTTModel
import NATSProtocol
import Testing

@testable import BackboneNATS

@Suite("Topics as subjects")
struct TopicSubjectsTests {
    private let subjects = TopicSubjects(root: "r")

    private func subject(_ topic: String) throws -> String {
        subjects.subject(for: try #require(TopicName(topic))).description
    }

    private func filters(_ filter: String) throws -> [String] {
        subjects.filters(for: try #require(TopicFilter(filter))).map(\.description)
    }

    @Test func theFormIsFixed() throws {
        let table = [
            ("a", "r.t.a.!"), ("a/b.c//d", "r.t.a.b%2Ec.%.d.!"), ("/", "r.t.%.%.!"), ("a/", "r.t.a.%.!"),
            ("/a", "r.t.%.a.!"), ("!", "r.t.%21.!"), ("%", "r.t.%25.!"), ("*/>", "r.t.%2A.%3E.!"),
            ("a b\t", "r.t.a%20b%09.!"), ("\u{7F}", "r.t.%7F.!"), ("ä/日本", "r.t.ä.日本.!"),
            ("$SYS/x", "r.d.$SYS.x.!"), ("a/$x", "r.t.a.$x.!"), ("%2E", "r.t.%252E.!"),
        ]
        for (topic, expected) in table { #expect(try subject(topic) == expected) }
        let filterTable = [
            ("a/+", ["r.t.a.*.!", "r.h.*"]), ("a/#", ["r.t.a.>", "r.h.*"]), ("#", ["r.t.>", "r.h.*"]),
            ("+", ["r.t.*.!", "r.h.*"]), ("+/+", ["r.t.*.*.!", "r.h.*"]), ("$SYS/#", ["r.d.$SYS.>", "r.h.*"]),
            ("a/b", ["r.t.a.b.!"]), ("$share/g/a/b", ["r.t.a.b.!"]), ("$share/g/+", ["r.t.*.!", "r.h.*"]),
        ]
        for (filter, expected) in filterTable { #expect(try filters(filter) == expected) }
    }

    @Test func whatIsTooLongIsHashed() throws {
        for topic in [
            String(repeating: "a", count: 65_535), String(repeating: "/", count: 65_535),
            String(repeating: " ", count: 65_535), String(repeating: "日", count: 21_845),
            String(repeating: "a", count: TopicSubjects.maximumLength - 1),
            String(repeating: "/", count: TopicSubjects.maximumLevels),
        ] {
            let name = try #require(TopicName(topic))
            let subject = subjects.subject(for: name)
            #expect(subject.bytes.count == "r.h.".utf8.count + 64)
            #expect(subjects.meaning(of: subject) == .hashed)
            #expect(subjects.filters(for: try #require(TopicFilter(topic))) == [SubjectFilter(subject)])
            #expect(TopicSubjects.topic(encoded: TopicSubjects.encodedTopic(name)) == name)
        }
        #expect(try filters(String(repeating: "+/", count: 30_000) + "#") == ["r.h.*"])
    }

    @Test func whatJustFitsIsNotHashed() throws {
        for topic in [
            String(repeating: "a", count: TopicSubjects.maximumLength - 2),
            String(repeating: "/", count: TopicSubjects.maximumLevels - 1),
        ] {
            let name = try #require(TopicName(topic))
            #expect(subjects.meaning(of: subjects.subject(for: name)) == .topic(name))
        }
    }

    @Test func onlyTheOneFormIsRead() {
        for text in [
            "r.t.a", "r.t.!", "r.t.a.%41.!", "r.t.%2e.!", "r.t.%2.!", "r.t.a!.!", "r.t.%%.!", "r.d.a.!", "r.t.$a.!",
            "x.t.a.!", "r.t.a/b.!", "r.t.a.b.!.c", "r.t.+.!", "r", "r.t.%00.!",
        ] {
            #expect(subjects.meaning(of: Subject(unchecked: Array(text.utf8))) == .foreign, "\(text)")
        }
        #expect(
            subjects.meaning(of: Subject(unchecked: Array("r.t.\u{FFFD}".utf8) + [0xFF] + Array(".!".utf8))) == .foreign
        )
    }

    @Test(arguments: UInt64(1)...20)
    func topicsAndSubjectsAreOneToOne(seed: UInt64) throws {
        var topics = TopicGenerator(seed: seed)
        var seen: [Subject: TopicName] = [:]
        for _ in 0..<300 {
            let topic = try #require(TopicName(topics.topic()))
            let subject = subjects.subject(for: topic)
            #expect(Subject(bytes: subject.bytes) != nil, "\(topic)")
            #expect(subjects.meaning(of: subject) == .topic(topic))
            #expect(seen.updateValue(topic, forKey: subject).map { $0 == topic } ?? true)
            #expect(TopicSubjects.topic(encoded: TopicSubjects.encodedTopic(topic)) == topic)
        }
    }

    @Test(arguments: UInt64(1)...20)
    func matchingIsTheSameOnBothSides(seed: UInt64) throws {
        var topics = TopicGenerator(seed: seed)
        var matches = 0
        for _ in 0..<400 {
            let topic = try #require(TopicName(topics.topic()))
            let filter = try #require(TopicFilter(topics.filter(like: topic.string), allowsShared: false))
            let subject = subjects.subject(for: topic)
            let subjectFilters = subjects.filters(for: filter)
            #expect(subjectFilters.allSatisfy { SubjectFilter(bytes: $0.bytes) != nil })
            let isMatch = subjectFilters.contains { $0.matches(subject) }
            #expect(isMatch == filter.matches(topic.string), "\(filter) and \(topic)")
            if isMatch { matches += 1 }
        }
        #expect(matches > 40)
    }

    @Test func hashedTopicsReachEveryFilterThatMatches() throws {
        let long = String(repeating: "x", count: 3000)
        let topic = try #require(TopicName("a/\(long)/b"))
        let subject = subjects.subject(for: topic)
        for filter in ["#", "a/#", "a/+/b", "+/+/+", "a/\(long)/#", "a/\(long)/b"] {
            let filter = try #require(TopicFilter(filter))
            try #require(filter.matches(topic.string))
            #expect(subjects.filters(for: filter).contains { $0.matches(subject) }, "\(filter.string.prefix(20))")
        }
    }
}

/// Topics and filters of few, awkward levels, so that they meet.
private struct TopicGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private static let levels = [
        "", "a", "b", "a.b", ".", "..", "*", ">", "%", "%2E", "!", " ", "\t", "\u{1}", "\u{7F}", "$", "$SYS", "ä", "日本",
        "e\u{301}", "\u{1F600}", "a b", "t", "h", "d", "\"", "\\", "\r\n",
    ]

    private mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }

    mutating func topic() -> String {
        while true {
            let count = 1 + below(5)
            let topic = (0..<count).map { _ in Self.levels[below(Self.levels.count)] }.joined(separator: "/")
            if !topic.isEmpty { return topic }
        }
    }

    /// Some levels become wildcards, some another level; there may be one more or one less.
    mutating func filter(like topic: String) -> String {
        var levels = topic.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
            String(Substring($0))
        }
        for index in levels.indices {
            switch below(6) {
            case 0, 1: levels[index] = "+"
            case 2 where below(3) == 0: levels[index] = Self.levels[below(Self.levels.count)]
            default: break
            }
        }
        switch below(6) {
        case 0: levels.append("#")
        case 1: levels[levels.count - 1] = "#"
        case 2: levels.append("+")
        case 3 where levels.count > 1: levels.removeLast()
        default: break
        }
        let filter = levels.joined(separator: "/")
        return filter.isEmpty ? "#" : filter
    }
}
