import MQTTModel
import Testing

@testable import TopicIndex

@Suite struct SubscriptionIndexTests {
    @Test("Of overlapping subscriptions the highest QoS counts, in one entry [MQTT-3.3.4-2]")
    func overlappingSubscriptionsMerge() {
        var index = SubscriptionIndex()
        _ = index.subscribe(7, to: "a/b", options: .init(maximumQoS: .atMostOnce), identifier: 30)
        _ = index.subscribe(7, to: "a/+", options: .init(maximumQoS: .exactlyOnce), identifier: 10)
        _ = index.subscribe(7, to: "#", options: .init(maximumQoS: .atLeastOnce), identifier: 0)
        let matches = index.match("a/b")
        #expect(matches.subscribers.count == 1)
        #expect(matches.entry(of: 7)?.maximumQoS == .exactlyOnce)
        #expect(matches.identifiers(of: 7) == [10, 30])
    }

    @Test("The same identifier of two matching subscriptions is sent twice [MQTT-3.3.4-4]")
    func sameIdentifierTwice() {
        var index = SubscriptionIndex()
        _ = index.subscribe(1, to: "a/b", options: .init(), identifier: 5)
        _ = index.subscribe(1, to: "a/#", options: .init(), identifier: 5)
        #expect(index.match("a/b").identifiers(of: 1) == [5, 5])
    }

    @Test("No Local on each subscription excludes the publisher, on some it takes their part away [MQTT-3.8.3-3]")
    func noLocal() {
        var index = SubscriptionIndex()
        let noLocal = SubscriptionOptions(maximumQoS: .exactlyOnce, noLocal: true, retainAsPublished: true)
        _ = index.subscribe(1, to: "a/b", options: noLocal, identifier: 1)
        #expect(index.match("a/b").entry(of: 1)?.excludesPublisher == true)
        _ = index.subscribe(1, to: "a/+", options: .init(maximumQoS: .atLeastOnce), identifier: 2)
        let matches = index.match("a/b")
        let entry = matches.entry(of: 1)
        #expect(entry?.excludesPublisher == false)
        #expect(entry?.maximumQoS == .exactlyOnce)
        #expect(entry?.maximumQoSForPublisher == .atLeastOnce)
        #expect(entry?.retainAsPublished == true)
        #expect(entry?.retainAsPublishedForPublisher == false)
        #expect(matches.identifiers(of: 1) == [2, 1])
        #expect(entry?.identifierCountForPublisher == 1)
    }

    @Test("A subscription to the same filter replaces the options and the identifier [MQTT-3.8.4-3]")
    func resubscribeReplaces() {
        var index = SubscriptionIndex()
        #expect(
            index.subscribe(1, to: "a/+", options: .init(maximumQoS: .exactlyOnce), identifier: 1)
                == SubscribeOutcome(isNew: true, isFirstForPattern: true))
        _ = index.match("a/b")
        #expect(
            index.subscribe(1, to: "a/+", options: .init(maximumQoS: .atLeastOnce), identifier: 2)
                == SubscribeOutcome(isNew: false, isFirstForPattern: false))
        #expect(
            index.subscribe(2, to: "a/+", options: .init(), identifier: 0)
                == SubscribeOutcome(isNew: true, isFirstForPattern: false))
        let matches = index.match("a/b")
        #expect(matches.entry(of: 1)?.maximumQoS == .atLeastOnce)
        #expect(matches.identifiers(of: 1) == [2])
        #expect(index.subscriptionCount == 2)
    }

    @Test("The greatest subscription identifier comes back whole")
    func greatestIdentifier() {
        var index = SubscriptionIndex()
        let options = SubscriptionOptions(maximumQoS: .exactlyOnce, noLocal: true, retainAsPublished: true)
        _ = index.subscribe(.max, to: "a", options: options, identifier: 268_435_455)
        #expect(index.match("a").identifiers(of: .max) == [268_435_455])
    }

    @Test("Unsubscribing tells whether there was a subscription and whether it was the last [MQTT-3.10.4-1]")
    func unsubscribeOutcomes() {
        var index = SubscriptionIndex()
        _ = index.subscribe(1, to: "a/#", options: .init(), identifier: 0)
        _ = index.subscribe(2, to: "a/#", options: .init(), identifier: 0)
        #expect(index.unsubscribe(1, from: "a/+") == UnsubscribeOutcome(existed: false, wasLastForPattern: false))
        #expect(index.unsubscribe(3, from: "a/#") == UnsubscribeOutcome(existed: false, wasLastForPattern: false))
        #expect(index.unsubscribe(1, from: "a/#") == UnsubscribeOutcome(existed: true, wasLastForPattern: false))
        #expect(index.unsubscribe(2, from: "a/#") == UnsubscribeOutcome(existed: true, wasLastForPattern: true))
        #expect(index.unsubscribe(2, from: "a/#") == UnsubscribeOutcome(existed: false, wasLastForPattern: false))
        #expect(index.isEmpty == true)
    }

    @Test("Matches that were handed out do not change when subscriptions do")
    func handedOutMatchesStay() {
        var index = SubscriptionIndex()
        _ = index.subscribe(1, to: "a", options: .init(), identifier: 0)
        let before = index.match("a")
        _ = index.subscribe(2, to: "a", options: .init(), identifier: 0)
        #expect(before.subscribers.count == 1)
        #expect(index.match("a").subscribers.count == 2)
    }

    @Test("Routes are a set, united over the patterns and ascending")
    func routes() {
        var index = SubscriptionIndex()
        for (peer, pattern) in [(9, "a/+"), (2, "a/b"), (9, "a/b"), (2, "#"), (300, "a/#"), (9, "a/+")] {
            index.addRoute(to: UInt16(peer), for: pattern)
        }
        #expect(index.match("a/b").peers == [2, 9, 300])
        index.removeRoute(to: 9, for: "a/+")
        #expect(index.match("a/b").peers == [2, 9, 300])
        index.removeRoute(to: 9, for: "a/b")
        #expect(index.match("a/b").peers == [2, 300])
        index.removeRoute(to: 77, for: "a/b")
        #expect(index.subscriptionCount == 0)
    }

    @Test("Members come and go in a group without another match; their order is that of joining")
    func groupMembersAreLive() {
        var index = SubscriptionIndex()
        let (group, isNew) = index.join(
            5, group: "g", pattern: "a/+", options: .init(maximumQoS: .atLeastOnce), identifier: 3)
        #expect(isNew)
        let matches = index.match("a/b")
        #expect(matches.groups.count == 1 && matches.groups[0] === group)
        _ = index.join(2, group: "g", pattern: "a/+", options: .init(), identifier: 0)
        #expect(index.match("a/b") === matches)
        let again = index.join(
            5, group: "g", pattern: "a/+", options: .init(maximumQoS: .exactlyOnce), identifier: 4)
        #expect(!again.isNew)
        #expect(
            group.members == [
                .init(subscriber: 5, identifier: 4, options: .init(maximumQoS: .exactlyOnce)),
                .init(subscriber: 2, identifier: 0, options: .init()),
            ])
        #expect(index.subscriptionCount == 2)
        #expect(index.leave(9, group: "g", pattern: "a/+") == nil)
        #expect(index.leave(5, group: "h", pattern: "a/+") == nil)
        #expect(index.leave(5, group: "g", pattern: "a/+") === group)
        #expect(index.leave(2, group: "g", pattern: "a/+")?.isEmpty == true)
        #expect(index.match("a/b").isEmpty)
        #expect(index.isEmpty == true)
    }

    @Test("A group lives while another shard has members [MQTT-4.8.2-2]")
    func groupOfPeers() {
        var index = SubscriptionIndex()
        index.setPeerMembers(of: 4, group: "g", pattern: "a", members: 2, connectedMembers: 1)
        index.setPeerMembers(of: 1, group: "g", pattern: "a", members: 1, connectedMembers: 0)
        let group = index.match("a").groups.first
        #expect(
            group?.peers == [
                .init(peer: 1, members: 1, connectedMembers: 0), .init(peer: 4, members: 2, connectedMembers: 1),
            ])
        #expect(index.group(name: "g", pattern: "a") === group)
        index.setPeerMembers(of: 4, group: "g", pattern: "a", members: 0, connectedMembers: 0)
        index.setPeerMembers(of: 9, group: "g", pattern: "a", members: 0, connectedMembers: 0)
        #expect(group?.peers.map(\.peer) == [1])
        index.setPeerMembers(of: 1, group: "g", pattern: "a", members: 0, connectedMembers: 0)
        #expect(index.group(name: "g", pattern: "a") == nil)
        #expect(index.isEmpty == true)
    }

    @Test("Share names are compared exactly, and groups of one filter are apart")
    func groupsAreApart() {
        var index = SubscriptionIndex()
        for name in ["h", "g", "caf\u{E9}", "cafe\u{301}"] {
            _ = index.join(1, group: name, pattern: "a/#", options: .init(), identifier: 0)
        }
        #expect(index.match("a").groups.count == 4)
        #expect(index.subscriptionCount == 4)
    }

    @Test("100,000 sessions come to one filter and leave it in any order")
    func manySubscribersOfOneFilter() {
        var index = SubscriptionIndex()
        var random = SeededGenerator(seed: 11)
        let sessions = (0..<UInt32(100_000)).shuffled(using: &random)
        for session in sessions { _ = index.subscribe(session, to: "news/#", options: .init(), identifier: 0) }
        #expect(index.match("news/today").subscribers.map(\.subscriber) == Array(0..<100_000))
        for session in sessions.shuffled(using: &random) { _ = index.unsubscribe(session, from: "news/#") }
        #expect(index.isEmpty == true)
    }
}
