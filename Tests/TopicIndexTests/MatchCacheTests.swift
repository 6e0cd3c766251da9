import MQTTModel
import Testing

@testable import TopicIndex

@Suite struct MatchCacheTests {
    private func subscribed(_ patterns: String...) -> SubscriptionIndex {
        var index = SubscriptionIndex()
        for pattern in patterns { _ = index.subscribe(1, to: pattern, options: .init(), identifier: 0) }
        return index
    }

    @Test("A topic is matched once, until something changes")
    func matchedOnce() {
        var index = subscribed("a/+")
        let matches = index.match("a/b")
        #expect(index.match("a/b") === matches)
        _ = index.subscribe(1, to: "a/+", options: .init(), identifier: 0)
        #expect(index.match("a/b") === matches, "the same subscription again is no change")
        _ = index.unsubscribe(2, from: "a/+")
        #expect(index.match("a/b") === matches)
        _ = index.unsubscribe(1, from: "a/+")
        #expect(index.match("a/b").isEmpty)
    }

    @Test("A filter without wildcards drops only the entry of its own topic")
    func exactFilterDropsItsTopic() {
        var index = subscribed("a/#")
        let first = index.match("a/b")
        let second = index.match("a/c")
        _ = index.subscribe(2, to: "a/b", options: .init(), identifier: 0)
        #expect(index.match("a/c") === second)
        #expect(index.match("a/b") !== first)
        #expect(index.match("a/b").subscribers.map(\.subscriber) == [1, 2])
    }

    @Test(
        "A filter with wildcards drops the entries that share its literal levels, its parent level included",
        arguments: ["a/#", "a/b/#", "a/b/+", "a/b/c/#", "a/b/c/+/#", "+/b/#", "#", "a/+/c", "a/b/c/d/#", "a/b/c/d/e/+"])
    func wildcardFilterDropsItsPrefix(pattern: String) {
        let topics = ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e", "a/b/c/d/e/f"]
        var index = subscribed("+/#")
        for topic in topics { _ = index.match(topic) }
        let other = index.match("x/b/c")
        _ = index.subscribe(2, to: pattern, options: .init(), identifier: 0)
        for topic in topics {
            let expected: [UInt32] = TopicFilter(pattern)?.matches(topic) == true ? [1, 2] : [1]
            #expect(index.match(topic).subscribers.map(\.subscriber) == expected, "\(topic)")
        }
        if pattern.hasPrefix("a") { #expect(index.match("x/b/c") === other) }
    }

    @Test("No more entries than the capacity, however many topics", arguments: [0, 1, 2, 3, 5, 64, 100, 1000])
    func entriesAreBounded(capacity: Int) {
        var index = SubscriptionIndex(cacheCapacity: capacity)
        _ = index.subscribe(1, to: "#", options: .init(), identifier: 0)
        for number in 0..<3000 {
            #expect(index.match("t/\(number % 1500)").subscribers.count == 1)
        }
        #expect(index.cache.count <= capacity)
        #expect(index.cache.count * 3 >= capacity, "and most of the capacity is used")
    }

    @Test("Topics that were matched last are found again, in a cache that has room for them")
    func cacheKeepsWhatFits() {
        var index = SubscriptionIndex(cacheCapacity: 4096)
        _ = index.subscribe(1, to: "#", options: .init(), identifier: 0)
        let matches = (0..<1000).map { index.match("t/\($0)") }
        let kept = (0..<1000).count { index.match("t/\($0)") === matches[$0] }
        #expect(kept > 900)
    }
}
