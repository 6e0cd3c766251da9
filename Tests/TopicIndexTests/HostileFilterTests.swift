import MQTTModel
import Testing

@testable import TopicIndex

/// Filters and topics made to be dear.
@Suite struct HostileFilterTests {
    @Test("A topic of 128 levels against +/+/… and # of every depth visits each pattern once")
    func deepWildcards() {
        var index = SubscriptionIndex(cacheCapacity: 0)
        for depth in 1...128 {
            let plus = Array(repeating: "+", count: depth).joined(separator: "/")
            _ = index.subscribe(UInt32(depth), to: plus, options: .init(), identifier: 0)
            _ = index.subscribe(UInt32(depth), to: plus + "/#", options: .init(), identifier: 0)
        }
        let topic = Array(repeating: "a", count: 128).joined(separator: "/")
        let matches = index.match(topic)
        #expect(matches.subscribers.map(\.subscriber) == Array(1...128))
        #expect(index.trie.matchedEntries.count == 129)
    }

    @Test("A topic of 65,535 levels ends the walk where the filters end, without recursion")
    func manyLevels() {
        var index = SubscriptionIndex()
        _ = index.subscribe(1, to: "+/+/#", options: .init(), identifier: 0)
        _ = index.subscribe(2, to: String(repeating: "/", count: 65_534), options: .init(), identifier: 0)
        #expect(index.match(String(repeating: "/", count: 65_534)).subscribers.map(\.subscriber) == [1, 2])
        #expect(index.match(String(repeating: "/", count: 65_533)).subscribers.map(\.subscriber) == [1])
        _ = index.unsubscribe(2, from: String(repeating: "/", count: 65_534))
        _ = index.unsubscribe(1, from: "+/+/#")
        #expect(index.isEmpty == true)
    }

    @Test("Every mix of a and + over 12 levels: as many entries as filters that match")
    func everyMix() {
        var index = SubscriptionIndex()
        for mask in 0..<(1 << 12) {
            let pattern = (0..<12).map { mask >> $0 & 1 == 0 ? "a" : "+" }.joined(separator: "/")
            _ = index.subscribe(1, to: pattern, options: .init(), identifier: UInt32(mask + 1))
        }
        let matches = index.match(Array(repeating: "a", count: 12).joined(separator: "/"))
        #expect(matches.subscribers.count == 1)
        #expect(matches.identifiers(of: 1).sorted() == Array(1...4096))
    }

    @Test("More than 65,535 identifiers of one session are cut, not counted over")
    func identifierCountIsBounded() {
        var index = SubscriptionIndex()
        for mask in 0..<(1 << 17) {
            let pattern = (0..<17).map { mask >> $0 & 1 == 0 ? "a" : "+" }.joined(separator: "/")
            _ = index.subscribe(1, to: pattern, options: .init(), identifier: 1)
        }
        _ = index.subscribe(2, to: "#", options: .init(), identifier: 9)
        let matches = index.match(Array(repeating: "a", count: 17).joined(separator: "/"))
        #expect(matches.entry(of: 1)?.identifierCount == .max)
        #expect(matches.identifiers(of: 2) == [9])
    }
}
