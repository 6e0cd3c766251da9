import MQTTModel

@testable import TopicIndex

/// The same index as plain lists, matched by `TopicFilter.matches`.
struct BruteForceIndex {
    struct Entry {
        var subscriber: UInt32
        var filter: TopicFilter
        var options: SubscriptionOptions
        var identifier: UInt32
    }
    struct Group {
        var name: String
        var filter: TopicFilter
        var members: [UInt32] = []
        var peers: [UInt16: UInt32] = [:]
    }

    var subscriptions: [Entry] = []
    var routes: [(peer: UInt16, filter: TopicFilter)] = []
    var groups: [Group] = []

    mutating func subscribe(_ entry: Entry) -> SubscribeOutcome {
        let isFirst = !subscriptions.contains { $0.filter == entry.filter }
        let isSame: (Entry) -> Bool = { $0.subscriber == entry.subscriber && $0.filter == entry.filter }
        let isNew = !subscriptions.contains(where: isSame)
        subscriptions.removeAll(where: isSame)
        subscriptions.append(entry)
        return SubscribeOutcome(isNew: isNew, isFirstForPattern: isFirst)
    }

    mutating func unsubscribe(_ subscriber: UInt32, from filter: TopicFilter) -> UnsubscribeOutcome {
        let count = subscriptions.count
        subscriptions.removeAll { $0.subscriber == subscriber && $0.filter == filter }
        let existed = subscriptions.count < count
        return UnsubscribeOutcome(
            existed: existed, wasLastForPattern: existed && !subscriptions.contains { $0.filter == filter })
    }

    mutating func setRoute(_ peer: UInt16, _ filter: TopicFilter, isPresent: Bool) {
        routes.removeAll { $0.peer == peer && $0.filter == filter }
        if isPresent { routes.append((peer, filter)) }
    }

    mutating func changeGroup(_ name: String, _ filter: TopicFilter, _ change: (inout Group) -> Void) {
        let position = groups.firstIndex { $0.name == name && $0.filter == filter }
        var group = position.map { groups.remove(at: $0) } ?? Group(name: name, filter: filter)
        change(&group)
        if !group.members.isEmpty || !group.peers.isEmpty { groups.append(group) }
    }

    /// What differs between `matches` and what the lists say, nil when nothing does.
    func difference(_ topic: String, _ matches: Matches) -> String? {
        let matching = subscriptions.filter { $0.filter.matches(topic) }
        let expected = Set(matching.map(\.subscriber)).sorted()
        guard matches.subscribers.map(\.subscriber) == expected else {
            return "\(topic): subscribers \(matches.subscribers.map(\.subscriber)), expected \(expected)"
        }
        for subscriber in expected {
            let own = matching.filter { $0.subscriber == subscriber }
            if let difference = difference(subscriber, own, matches) { return "\(topic): \(difference)" }
        }
        let peers = Set(routes.filter { $0.filter.matches(topic) }.map(\.peer)).sorted()
        guard matches.peers == peers else { return "\(topic): peers \(matches.peers), expected \(peers)" }
        return groupDifference(topic, matches)
    }

    private func difference(_ subscriber: UInt32, _ own: [Entry], _ matches: Matches) -> String? {
        guard let entry = matches.entry(of: subscriber) else { return "no entry" }
        let toPublisher = own.filter { !$0.options.noLocal }
        let identifiers = matches.identifiers(of: subscriber)
        let forPublisher = identifiers.prefix(Int(entry.identifierCountForPublisher))
        let agrees =
            entry.maximumQoS == own.map(\.options.maximumQoS).max()
            && entry.maximumQoSForPublisher == toPublisher.map(\.options.maximumQoS).max() ?? .atMostOnce
            && entry.excludesPublisher == toPublisher.isEmpty
            && entry.retainAsPublished == own.contains { $0.options.retainAsPublished }
            && entry.retainAsPublishedForPublisher == toPublisher.contains { $0.options.retainAsPublished }
            && identifiers.sorted() == own.map(\.identifier).filter { $0 != 0 }.sorted()
            && forPublisher.sorted() == toPublisher.map(\.identifier).filter { $0 != 0 }.sorted()
        return agrees ? nil : "\(subscriber): \(entry) \(identifiers), expected \(own)"
    }

    private func groupDifference(_ topic: String, _ matches: Matches) -> String? {
        let expected = groups.filter { $0.filter.matches(topic) }
        guard matches.groups.count == expected.count else {
            return "\(topic): \(matches.groups.count) groups, expected \(expected.count)"
        }
        for group in expected {
            let found = matches.groups.first { $0.name == group.name && $0.pattern == group.filter.pattern }
            guard let found, found.members.map(\.subscriber) == group.members,
                found.peers.map(\.peer) == group.peers.keys.sorted(),
                found.peers.map(\.members) == group.peers.sorted(by: { $0.key < $1.key }).map(\.value)
            else { return "\(topic): group \(group) is not \(String(describing: found?.members))" }
        }
        return nil
    }
}
