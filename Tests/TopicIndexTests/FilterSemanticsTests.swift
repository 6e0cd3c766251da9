import MQTTModel
import Testing

@testable import TopicIndex

/// Section 4.7, rule by rule and then exhaustively.
@Suite struct FilterSemanticsTests {
    private func matches(_ pattern: String, _ topic: String) -> Bool {
        var index = SubscriptionIndex()
        _ = index.subscribe(1, to: pattern, options: .init(), identifier: 0)
        return !index.match(topic).isEmpty
    }

    @Test("# matches any number of levels, and the parent level [MQTT-4.7.1-2]")
    func multiLevelWildcard() {
        for topic in ["sport", "sport/", "sport/tennis", "sport/tennis/player1/ranking"] {
            #expect(matches("sport/#", topic))
            #expect(matches("#", topic))
        }
        #expect(!matches("sport/#", "sports"))
        #expect(!matches("sport/tennis/#", "sport"))
        #expect(matches("/#", "/finance"))
        #expect(!matches("/#", "finance"))
    }

    @Test("+ matches exactly one level, an empty one too [MQTT-4.7.1-3]")
    func singleLevelWildcard() {
        #expect(matches("sport/tennis/+", "sport/tennis/player1"))
        #expect(!matches("sport/tennis/+", "sport/tennis/player1/ranking"))
        #expect(!matches("sport/+", "sport"))
        #expect(matches("sport/+", "sport/"))
        #expect(matches("+/+", "/finance"))
        #expect(matches("/+", "/finance"))
        #expect(!matches("+", "/finance"))
        #expect(matches("+/tennis/#", "sport/tennis"))
    }

    @Test("A filter that begins with a wildcard does not match a topic that begins with $ [MQTT-4.7.2-1]")
    func dollarTopics() {
        #expect(!matches("#", "$SYS/broker/uptime"))
        #expect(!matches("+/broker/uptime", "$SYS/broker/uptime"))
        #expect(!matches("+", "$SYS"))
        #expect(matches("$SYS/#", "$SYS/broker/uptime"))
        #expect(matches("$SYS/#", "$SYS"))
        #expect(matches("$SYS/+/uptime", "$SYS/broker/uptime"))
        #expect(matches("+/$x", "a/$x"))
        #expect(matches("#", "a/$x"))
    }

    @Test("Topics are compared byte by byte, without normalisation [MQTT-4.7.3-4]")
    func noNormalisation() {
        #expect(!matches("ACCOUNTS", "Accounts"))
        #expect(!matches("caf\u{E9}", "cafe\u{301}"))
        #expect(matches("caf\u{E9}/+", "caf\u{E9}/a b"))
        #expect(!matches("a", "a "))
        #expect(!matches("a/", "a"))
        #expect(!matches("/a", "a"))
    }

    @Test("Every filter against every topic of up to four levels [MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.2-1]")
    func everyFilterAgainstEveryTopic() {
        var index = SubscriptionIndex(cacheCapacity: 0)
        var expected: [String: [UInt32]] = [:]
        for (position, filter) in PlainRule.matches.enumerated() {
            let subscriber = UInt32(position)
            _ = index.subscribe(subscriber, to: filter.pattern, options: .init(), identifier: 0)
            for topic in filter.topics { expected[topic, default: []].append(subscriber) }
        }
        for topic in PlainRule.topics {
            #expect(index.match(topic).subscribers.map(\.subscriber) == expected[topic, default: []], "\(topic)")
        }
        for (position, filter) in PlainRule.matches.enumerated() {
            #expect(index.unsubscribe(UInt32(position), from: filter.pattern).wasLastForPattern)
        }
        #expect(index.isEmpty == true)
    }

    @Test("The byte matcher says what the plain rule says, for every filter and topic")
    func byteMatcherAgrees() {
        var faults: [String] = []
        for (pattern, expected) in PlainRule.matches {
            let found = PlainRule.topics.filter { topic in
                withBytes(of: pattern) { pattern in
                    withBytes(of: topic) { PatternMatcher.matches(pattern, $0) }
                }
            }
            if found != expected { faults.append(pattern) }
        }
        #expect(faults == [])
    }
}
