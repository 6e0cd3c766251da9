package import Backbone
import MQTTModel
import TopicIndex

/// The shared subscriptions of the flock: whose sessions are members, and which member each message goes to (5.0 section
/// 4.8.2). Every node chooses alike, because every node chooses at the same place of the log.
///
/// What was given to a member stays its session's, wherever that goes, until it is finished, the member does not take it,
/// or the session ends.
package struct SharedSubscriptions: Sendable {
    struct Member: Sendable {
        let client: ExactText
        var maximumQoS: QoS
        var isConnected: Bool
        /// Messages that it has been given and is not done with.
        var unfinished = 0
    }

    struct Group: Sendable {
        /// In the order they joined.
        var members: [Member] = []
        /// The place in `members` whose turn is next.
        var turn = 0
        /// The same for messages with QoS 0 of this node's publishers, which are not in the log: no other node has it.
        var ownTurn = 0
    }

    /// A message that a group has given to one of its members.
    struct Assignment: Sendable {
        let group: SharedGroup
        let qos: QoS
        var client: ExactText
        /// Its QoS 2 exchange with the client has begun: nobody else may have it [MQTT-4.8.2-4, MQTT-4.8.2-5].
        var isBegun = false
    }

    /// What is known of a client that is a member, or has been given something.
    struct Client: Sendable {
        var groups: [SharedGroup] = []
        var places: Set<LogSequence> = []
    }

    /// A message that another member has in place of the one that was chosen first.
    struct Passed {
        let place: LogSequence
        let choice: GroupChoice
    }

    // `SnapshotWriter` and `SnapshotReader` have to know each of these.
    var groups: [SharedGroup: Group] = [:]
    var assignments = PartedTable<LogSequence, [Assignment]>()
    var clients = PartedTable<ExactText, Client>()
    private var patterns = PatternNumbers()
    /// The groups of each pattern, by its number; in the order in which they were made.
    private var groupsOfPattern: [[SharedGroup]] = [[]]

    init() {}

    /// Messages that somebody still has to have.
    package var unfinishedCount: Int { assignments.count }

    /// The first of them in the log.
    package var firstUnfinished: LogSequence? { assignments.leastKey }

    /// How many members a group has, and how many of them are connected.
    package func members(of group: SharedGroup) -> (count: Int, connected: Int) {
        let members = groups[group]?.members ?? []
        return (members.count, members.count { $0.isConnected })
    }

    // MARK: Members

    /// A session has subscribed, or has other options now. Its client is connected.
    mutating func join(_ client: ExactText, _ group: SharedGroup, maximumQoS: QoS) {
        if groups[group] == nil { make(group) }
        if let place = groups[group]?.members.firstIndex(where: { $0.client == client }) {
            groups[group]?.members[place].maximumQoS = maximumQoS
            return
        }
        groups[group]?.members.append(Member(client: client, maximumQoS: maximumQoS, isConnected: true))
        clients[client, default: Client()].groups.append(group)
    }

    /// What it was given before it keeps: it may have begun to send it [MQTT-3.10.4-3].
    mutating func leave(_ client: ExactText, _ group: SharedGroup) {
        guard let place = groups[group]?.members.firstIndex(where: { $0.client == client }) else { return }
        groups[group]?.members.remove(at: place)
        if let turn = groups[group]?.turn, turn > place { groups[group]?.turn = turn - 1 }
        if groups[group]?.members.isEmpty == true { remove(group) }
        clients[client]?.groups.removeAll { $0 == group }
        forgetIfUnneeded(client)
    }

    mutating func setConnected(_ client: ExactText, _ isConnected: Bool) {
        for group in clients[client]?.groups ?? [] {
            guard let place = groups[group]?.members.firstIndex(where: { $0.client == client }) else { continue }
            groups[group]?.members[place].isConnected = isConnected
        }
    }

    /// The session has ended. What it was given others get, except what it has begun to receive with QoS 2.
    mutating func end(_ client: ExactText) -> [Passed] {
        guard let known = clients[client] else { return [] }
        for group in known.groups { leave(client, group) }
        var passed: [Passed] = []
        for place in known.places.sorted() {
            let given = (assignments[place] ?? []).filter { $0.client == client }
            for one in given {
                if one.isBegun {
                    finish(one.group, place)
                } else if let next = passOn(one.group, place, of: client) {
                    passed.append(next)
                }
            }
        }
        return passed
    }

    mutating func make(_ group: SharedGroup) {
        groups[group] = Group()
        let number = Int(patterns.insert(group.pattern))
        while groupsOfPattern.count <= number { groupsOfPattern.append([]) }
        groupsOfPattern[number].append(group)
    }

    private mutating func remove(_ group: SharedGroup) {
        groups[group] = nil
        guard let number = patterns.number(of: group.pattern) else { return }
        groupsOfPattern[Int(number)].removeAll { $0 == group }
        if groupsOfPattern[Int(number)].isEmpty { patterns.remove(group.pattern) }
    }

    // MARK: Messages

    /// The groups that match.
    mutating func groups(matching topic: UnsafeRawBufferPointer) -> [SharedGroup] {
        guard !groups.isEmpty else { return [] }
        let numbers = patterns.match(topic)
        return numbers.flatMap { groupsOfPattern[Int($0)] }
    }

    /// Gives a message of the log to one member of each group that wants it.
    ///
    /// - Parameter isLocal: whether the client is on the publisher's node.
    mutating func give(
        _ message: ApplicationMessage, at place: LogSequence, _ preference: MemberPreference,
        isLocal: (ExactText) -> Bool
    ) -> [GroupChoice] {
        groups(matching: message.topic).compactMap { group in
            guard let chosen = choose(from: group, message.qos, preference, isLocal: isLocal) else { return nil }
            return assign(group, message.qos, to: chosen, at: place)
        }
    }

    /// - Parameter chosen: the member's place.
    private mutating func assign(
        _ group: SharedGroup, _ qos: QoS, to chosen: Int, at place: LogSequence
    ) -> GroupChoice? {
        guard let member = groups[group]?.members[chosen] else { return nil }
        groups[group]?.turn = chosen + 1
        let isKept = min(member.maximumQoS, qos) != .atMostOnce
        if isKept {
            groups[group]?.members[chosen].unfinished += 1
            assignments[place, default: []].append(Assignment(group: group, qos: qos, client: member.client))
            clients[member.client, default: Client()].places.insert(place)
        }
        return GroupChoice(group, client: member.client, isKept: isKept)
    }

    /// The member is done with it.
    mutating func finish(_ group: SharedGroup, _ place: LogSequence) { _ = take(group, place) }

    /// The QoS 2 exchange has begun.
    mutating func begin(_ group: SharedGroup, _ place: LogSequence, of client: ExactText) {
        guard let index = index(of: group, place, client) else { return }
        assignments[place]?[index].isBegun = true
    }

    /// Its node says that the client is no member. Somebody else gets the message; if there is nobody, it is dropped.
    mutating func pass(_ group: SharedGroup, _ place: LogSequence, of client: ExactText) -> Passed? {
        // Or it would be given what it does not take once more.
        leave(client, group)
        return passOn(group, place, of: client)
    }

    private mutating func passOn(_ group: SharedGroup, _ place: LogSequence, of client: ExactText) -> Passed? {
        guard index(of: group, place, client) != nil, let assignment = take(group, place),
            let chosen = choose(from: group, assignment.qos, [], isLocal: { _ in false }),
            let choice = assign(group, assignment.qos, to: chosen, at: place)
        else { return nil }
        return Passed(place: place, choice: choice)
    }

    private func index(of group: SharedGroup, _ place: LogSequence, _ client: ExactText) -> Int? {
        assignments[place]?.firstIndex { $0.client == client && $0.group == group }
    }

    private mutating func take(_ group: SharedGroup, _ place: LogSequence) -> Assignment? {
        guard let index = assignments[place]?.firstIndex(where: { $0.group == group }),
            let assignment = assignments[place]?.remove(at: index)
        else { return nil }
        let client = assignment.client
        if assignments[place]?.isEmpty == true { assignments[place] = nil }
        if assignments[place]?.contains(where: { $0.client == client }) != true {
            clients[client]?.places.remove(place)
            forgetIfUnneeded(client)
        }
        if let member = groups[group]?.members.firstIndex(where: { $0.client == client }) {
            groups[group]?.members[member].unfinished -= 1
        }
        return assignment
    }

    private mutating func forgetIfUnneeded(_ client: ExactText) {
        if let known = clients[client], known.groups.isEmpty, known.places.isEmpty { clients[client] = nil }
    }

    /// What lies there is gone.
    mutating func drop(through place: LogSequence) {
        let places = assignments.keys { key, _ in key <= place }.sorted()
        for place in places {
            for assignment in assignments[place] ?? [] { finish(assignment.group, place) }
        }
    }

    /// Places of the log at which the client was given something that it is not done with.
    func places(of client: ExactText) -> Set<LogSequence> { clients[client]?.places ?? [] }

    /// What these clients were given at a place and are not done with.
    func choices(at place: LogSequence, for clients: Set<ExactText>) -> [GroupChoice] {
        (assignments[place] ?? []).filter { clients.contains($0.client) }.map {
            GroupChoice($0.group, client: $0.client, isKept: true)
        }
    }
}
