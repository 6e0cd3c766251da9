import MQTTModel
import Testing

@testable import TopicIndex

/// Random operations, on the index and on plain lists.
@Suite struct SubscriptionIndexChurnTests {
    /// What one operation did, for the index and the lists at once.
    private struct Run: ~Copyable {
        var index: SubscriptionIndex
        var lists = BruteForceIndex()
        var random: SeededGenerator
        let alphabet: Int

        init(cacheCapacity: Int, cacheByteCapacity: Int = 1 << 24, hashSeed: UInt64 = 0, seed: UInt64) {
            index = SubscriptionIndex(
                cacheCapacity: cacheCapacity, cacheByteCapacity: cacheByteCapacity, hashSeed: hashSeed)
            random = SeededGenerator(seed: seed)
            alphabet = seed % 2 == 0 ? 3 : Sample.levels.count
        }

        /// - Returns: what went wrong.
        mutating func operate() -> String? {
            let pattern = Sample.pattern(using: &random, alphabet: alphabet)
            guard let filter = TopicFilter(pattern) else { return "\(pattern) is no filter" }
            let subscriber = UInt32.random(in: 0..<12, using: &random)
            let peer = UInt16.random(in: 0..<5, using: &random)
            let name = ["g", "h", "i"][Int.random(in: 0..<3, using: &random)]
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2: return subscribe(subscriber, filter)
            case 3...4: return unsubscribe(subscriber, existingFilter() ?? filter)
            case 5: return route(peer, filter, isPresent: true)
            case 6: return route(peer, filter, isPresent: false)
            case 7: return join(subscriber, name, filter)
            case 8: return leave(subscriber, name, lists.groups.randomElement(using: &random)?.filter ?? filter)
            default: return setPeer(peer, name, filter)
            }
        }

        mutating func existingFilter() -> TopicFilter? { lists.subscriptions.randomElement(using: &random)?.filter }

        mutating func subscribe(_ subscriber: UInt32, _ filter: TopicFilter) -> String? {
            let options = Sample.options(using: &random)
            let identifier = UInt32.random(in: 0..<4, using: &random)
            let outcome = index.subscribe(subscriber, to: filter.pattern, options: options, identifier: identifier)
            let expected = lists.subscribe(
                .init(subscriber: subscriber, filter: filter, options: options, identifier: identifier))
            return outcome == expected ? nil : "subscribe \(filter): \(outcome), expected \(expected)"
        }

        mutating func unsubscribe(_ subscriber: UInt32, _ filter: TopicFilter) -> String? {
            let outcome = index.unsubscribe(subscriber, from: filter.pattern)
            let expected = lists.unsubscribe(subscriber, from: filter)
            return outcome == expected ? nil : "unsubscribe \(filter): \(outcome), expected \(expected)"
        }

        mutating func route(_ peer: UInt16, _ filter: TopicFilter, isPresent: Bool) -> String? {
            if isPresent {
                index.addRoute(to: peer, for: filter.pattern)
            } else {
                index.removeRoute(to: peer, for: filter.pattern)
            }
            lists.setRoute(peer, filter, isPresent: isPresent)
            return nil
        }

        mutating func join(_ subscriber: UInt32, _ name: String, _ filter: TopicFilter) -> String? {
            let (group, isNew) = index.join(
                subscriber, group: name, pattern: filter.pattern, options: .init(), identifier: 0)
            var wasNew = false
            lists.changeGroup(name, filter) { group in
                wasNew = !group.members.contains(subscriber)
                if wasNew { group.members.append(subscriber) }
            }
            guard group.name == name, group.pattern == filter.pattern else { return "join \(filter): wrong group" }
            return isNew == wasNew ? nil : "join \(filter): \(isNew)"
        }

        mutating func leave(_ subscriber: UInt32, _ name: String, _ filter: TopicFilter) -> String? {
            let group = index.leave(subscriber, group: name, pattern: filter.pattern)
            var wasMember = false
            lists.changeGroup(name, filter) { group in
                wasMember = group.members.contains(subscriber)
                group.members.removeAll { $0 == subscriber }
            }
            return (group != nil) == wasMember ? nil : "leave \(filter)"
        }

        mutating func setPeer(_ peer: UInt16, _ name: String, _ filter: TopicFilter) -> String? {
            let members = UInt32.random(in: 0..<3, using: &random)
            index.setPeerMembers(
                of: peer, group: name, pattern: filter.pattern, members: members, connectedMembers: members)
            lists.changeGroup(name, filter) { $0.peers[peer] = members == 0 ? nil : members }
            return nil
        }

        /// Takes away all there is.
        mutating func clear() {
            for entry in lists.subscriptions { _ = index.unsubscribe(entry.subscriber, from: entry.filter.pattern) }
            for route in lists.routes { index.removeRoute(to: route.peer, for: route.filter.pattern) }
            for group in lists.groups {
                for member in group.members {
                    _ = index.leave(member, group: group.name, pattern: group.filter.pattern)
                }
                for peer in group.peers.keys.sorted() {
                    index.setPeerMembers(
                        of: peer, group: group.name, pattern: group.filter.pattern, members: 0, connectedMembers: 0)
                }
            }
            lists = BruteForceIndex()
        }
    }

    @Test(
        "What matches is what the plain rule says, through any churn [MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.2-1]",
        arguments: [0, 1, 3, 64, 16_384], [1, 2] as [UInt64])
    func matchesAreWhatThePlainRuleSays(cacheCapacity: Int, seed: UInt64) {
        var run = Run(cacheCapacity: cacheCapacity, seed: seed)
        for _ in 0..<2 {
            for step in 0..<250 {
                if let fault = run.operate() {
                    Issue.record("step \(step): \(fault)")
                    return
                }
                for _ in 0..<2 {
                    let topic = Sample.topic(using: &run.random, alphabet: run.alphabet)
                    if let fault = run.lists.difference(topic, run.index.match(topic)) {
                        Issue.record("step \(step): \(fault)")
                        return
                    }
                }
            }
            let members = run.lists.groups.map(\.members.count).reduce(0, +)
            #expect(run.index.subscriptionCount == run.lists.subscriptions.count + members)
            run.clear()
            #expect(run.index.isEmpty == true)
            #expect(run.index.match("a/b").isEmpty)
        }
    }

    @Test("A cache bounded by bytes forgets and stays right", arguments: [0, 200, 2_000])
    func cacheBoundedByBytesStaysRight(bytes: Int) {
        var run = Run(cacheCapacity: 64, cacheByteCapacity: bytes, seed: 5)
        for _ in 0..<500 {
            #expect(run.operate() == nil)
            let topic = Sample.topic(using: &run.random)
            #expect(run.lists.difference(topic, run.index.match(topic)) == nil)
            #expect(run.index.cache.byteCount <= bytes || run.index.cache.count == 1)
        }
    }

    @Test("The same operations give the same answers in the same order, whatever the hash seed")
    func sameOperationsGiveTheSameAnswers() {
        var first = Run(cacheCapacity: 16_384, hashSeed: 1, seed: 7)
        var second = Run(cacheCapacity: 2, hashSeed: 0xDEAD_BEEF, seed: 7)
        for _ in 0..<600 {
            #expect(first.operate() == nil)
            #expect(second.operate() == nil)
            let topic = Sample.topic(using: &first.random)
            _ = Sample.topic(using: &second.random)
            #expect(first.index.match(topic).summary == second.index.match(topic).summary)
        }
    }
}
