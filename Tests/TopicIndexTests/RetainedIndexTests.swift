import MQTTModel
import Testing

@testable import TopicIndex

extension RetainedIndex {
    fileprivate func topics(matching pattern: String) -> [String] {
        var topics: [String] = []
        forEachMatch(of: pattern) { topics.append($0.topicString) }
        return topics
    }

    fileprivate mutating func set(_ topic: String, _ payload: String = "x") -> ApplicationMessage? {
        set(ApplicationMessage(topic: topic, payload: payload.utf8, isRetained: true))
    }

    fileprivate mutating func remove(_ topic: String) -> ApplicationMessage? {
        withBytes(of: topic) { remove(topic: $0) }
    }

    fileprivate func message(_ topic: String) -> ApplicationMessage? { withBytes(of: topic) { message(topic: $0) } }
}

@Suite struct RetainedIndexTests {
    @Test("A message replaces the one of its topic [MQTT-3.3.1-5]")
    func setReplaces() {
        var index = RetainedIndex()
        #expect(index.set("a/b", "one") == nil)
        #expect(index.byteCount == 6)
        let first = index.message("a/b")
        #expect(index.set("a/b", "three") === first)
        #expect(index.count == 1 && index.byteCount == 8)
        #expect(index.message("a") == nil && index.message("a/b/") == nil)
        #expect(index.remove("a") == nil)
        let removed = index.remove("a/b")
        withExtendedLifetime(removed) { #expect(removed?.payload.elementsEqual("three".utf8) == true) }
        #expect(index.count == 0 && index.byteCount == 0)
    }

    @Test("Matches come in lexical order of their levels")
    func lexicalOrder() {
        var index = RetainedIndex()
        for topic in ["a!b", "a/b", "a", "a/b/c", "a/", "a/!", "b", "A", "/a", "/", "$x", "$x/a", "a b"] {
            _ = index.set(topic)
        }
        #expect(
            index.topics(matching: "#") == ["/", "/a", "A", "a", "a/", "a/!", "a/b", "a/b/c", "a b", "a!b", "b"])
        #expect(index.topics(matching: "a/#") == ["a", "a/", "a/!", "a/b", "a/b/c"])
        #expect(index.topics(matching: "a/+") == ["a/", "a/!", "a/b"])
        #expect(index.topics(matching: "/+") == ["/", "/a"])
        #expect(index.topics(matching: "$x/#") == ["$x", "$x/a"])
        #expect(index.topics(matching: "a/b") == ["a/b"])
    }

    @Test("Every filter against every topic of up to four levels [MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.2-1]")
    func everyFilterAgainstEveryTopic() {
        var index = RetainedIndex()
        var random = SeededGenerator(seed: 3)
        for topic in PlainRule.topics.shuffled(using: &random) { _ = index.set(topic) }
        for (pattern, expected) in PlainRule.matches {
            #expect(index.topics(matching: pattern) == expected, "\(pattern)")
        }
    }

    @Test("What is found is what the plain rule says, through any churn", arguments: [1, 2, 3] as [UInt64])
    func churn(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var index = RetainedIndex(hashSeed: seed)
        var plain: [String: ApplicationMessage] = [:]
        for step in 0..<4000 {
            let topic = Sample.topic(using: &random)
            if step % 3 == 0 {
                #expect(index.remove(topic) === plain.removeValue(forKey: topic))
            } else {
                let message = ApplicationMessage(topic: topic, payload: [UInt8](repeating: 1, count: step % 7))
                #expect(index.set(message) === plain.updateValue(message, forKey: topic))
            }
            guard step % 40 == 0, let filter = TopicFilter(Sample.pattern(using: &random)) else { continue }
            let expected = plain.keys.filter { filter.matches($0) }.sorted(by: PlainRule.comesBefore)
            #expect(index.topics(matching: filter.pattern) == expected)
            #expect(index.count == plain.count)
            #expect(index.byteCount == plain.values.map(\.byteCount).reduce(0, +))
        }
        for (topic, message) in plain { #expect(index.remove(topic) === message) }
        #expect(index.count == 0 && index.byteCount == 0)
        #expect(index.topics(matching: "#").isEmpty)
    }

    @Test("Expired messages go, a few at each call, the others stay [MQTT-3.3.2-5]")
    func expiry() {
        var index = RetainedIndex()
        for number in 0..<10 {
            let message = ApplicationMessage(topic: "t/\(number)", payload: [])
            message.expiryInterval = number % 2 == 0 ? UInt32(number + 1) : nil
            message.receivedAt = .zero
            _ = index.set(message)
        }
        #expect(index.removeExpired(at: .zero, visiting: 100) == 0)
        let now = Instant.zero.advanced(seconds: 5)
        #expect(index.removeExpired(at: now, visiting: 0) == 0)
        #expect(index.removeExpired(at: now, visiting: 3) == 2)
        #expect(index.removeExpired(at: now, visiting: 3) == 1)
        #expect(index.removeExpired(at: now, visiting: 4) == 0)
        #expect(index.count == 7)
        #expect(index.removeExpired(at: .distantFuture, visiting: 10) == 2)
        #expect(index.topics(matching: "t/#") == ["t/1", "t/3", "t/5", "t/7", "t/9"])
        var empty = RetainedIndex()
        #expect(empty.removeExpired(at: now, visiting: 5) == 0)
    }
}
