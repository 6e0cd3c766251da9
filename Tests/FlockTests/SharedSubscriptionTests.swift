import Backbone
import Flock
import MQTTModel
import Testing

/// The state of every node, fed with one log; and what the nodes' members were given by it.
private struct Nodes {
    private(set) var states: [String: FlockState] = [:]
    private var stream: UInt64 = 0
    private var numbers: [String: UInt64] = [:]
    /// By member: places of what it was given, in order. Given again, it is there again.
    private(set) var given: [String: [LogSequence]] = [:]
    /// The nodes that delivered something, in order.
    private(set) var deliveringNodes: [String] = []

    init(_ names: String...) {
        for name in names { states[name] = FlockState(of: name) }
        for name in names { say(name, .nodeUp(reads: FlockBatch.version)) }
    }

    mutating func say(_ node: String, incarnation: UInt64 = 1, _ records: FlockRecord...) {
        stream += 1
        if case .nodeUp = records.first { numbers[node] = nil }
        let number = numbers[node, default: 0]
        numbers[node] = number + 1
        let identity = FlockBatch.Identity(node: node, incarnation: incarnation, number: number)
        let batch = FlockBatch(identity: identity, writtenAt: 0, records: records)
        for name in states.keys.sorted() {
            guard let applied = states[name]?.apply(batch, stream: stream, now: 0) else { continue }
            for index in records.indices {
                let place = LogSequence(stream: stream, index: index)
                for choice in applied.chosen[index] ?? [] {
                    given[choice.client.string, default: []].append(place)
                    deliveringNodes.append(name)
                }
                for entry in applied.passed[index] ?? [] {
                    for choice in entry.choices { given[choice.client.string, default: []].append(entry.sequence) }
                }
                for taken in [applied.claimed[index], applied.adopted[index]].compactMap({ $0 }) {
                    for entry in taken.entries {
                        for choice in entry.choices { given[choice.client.string, default: []].append(entry.sequence) }
                    }
                }
            }
        }
    }

    mutating func choose(_ node: String, _ preference: MemberPreference) -> [String] {
        let message = ApplicationMessage(topic: "t/x", payload: [1], qos: .atMostOnce)
        return states[node]?.choose(for: message, preference).map(\.client.string) ?? []
    }

    mutating func forgetGiven() {
        given = [:]
        deliveringNodes = []
    }

    var last: LogSequence { LogSequence(stream: stream, index: 0) }

    /// The same on all nodes, or nil.
    var unfinished: Int? {
        let counts = Set(states.values.map(\.shared.unfinishedCount))
        return counts.count == 1 ? counts.first : nil
    }
}

private let group = SharedGroup(name: "g", pattern: "t/+")

private func joined(_ client: String, qos: QoS = .exactlyOnce) -> SessionChange {
    .subscribed(
        clientIdentifier: client, filter: "$share/g/t/+", options: SubscriptionOptions(maximumQoS: qos), identifier: 0,
        since: 0, messagesWait: false)
}

/// A session that ends with its connection.
private func member(_ client: String, qos: QoS = .exactlyOnce) -> [FlockRecord] {
    [.claim(client: client), .changes([joined(client, qos: qos)])]
}

/// One that outlives it.
private func lastingMember(_ client: String) -> [FlockRecord] {
    [
        .claim(client: client),
        .changes([
            .began(clientIdentifier: client), .connected(clientIdentifier: client, expiryInterval: 100, will: nil),
            joined(client),
        ]),
    ]
}

private func left(_ client: String) -> FlockRecord {
    .changes([.disconnected(clientIdentifier: client, expiryInterval: 100, willDelay: nil)])
}

private func append(_ qos: QoS = .atLeastOnce, topic: String = "t/x", _ preference: MemberPreference = [])
    -> FlockRecord
{
    var append = LogAppend(
        message: ApplicationMessage(topic: topic, payload: [1], qos: qos), publisher: .none)
    append.isKept = qos != .atMostOnce
    append.preference = preference
    return .append(append)
}

private func finished(_ place: LogSequence) -> FlockRecord { .changes([.groupFinished(group, sequence: place)]) }

extension Nodes {
    fileprivate mutating func add(_ node: String, _ records: [FlockRecord]) { for one in records { say(node, one) } }
}

@Suite("Shared subscriptions of a flock")
struct SharedSubscriptionTests {
    @Test("MQTT-4.8.2-4: each message goes to one member, whatever its node, and each has its turn")
    func oneMemberOfTheFlockGetsAMessage() {
        var nodes = Nodes("a", "b", "c")
        nodes.add("a", member("1"))
        nodes.add("b", member("2"))
        nodes.add("c", member("3"))
        for _ in 0..<9 { nodes.say("b", append()) }
        #expect(nodes.given.mapValues(\.count) == ["1": 3, "2": 3, "3": 3])
        #expect(nodes.deliveringNodes == ["a", "b", "c", "a", "b", "c", "a", "b", "c"])
        #expect(nodes.unfinished == 9)
    }

    @Test func aTopicThatDoesNotMatchIsNobodys() {
        var nodes = Nodes("a")
        nodes.add("a", member("1"))
        nodes.say("a", append(topic: "u/x"))
        #expect(nodes.given.isEmpty)
        #expect(nodes.unfinished == 0)
    }

    @Test func eachGroupHasItsOwnMember() {
        var nodes = Nodes("a", "b")
        nodes.add("a", member("1"))
        nodes.say("b", .claim(client: "2"))
        nodes.say(
            "b",
            .changes([
                .subscribed(
                    clientIdentifier: "2", filter: "$share/other/#", options: SubscriptionOptions(), identifier: 0,
                    since: 0, messagesWait: false)
            ]))
        nodes.say("a", append())
        #expect(nodes.given.mapValues(\.count) == ["1": 1, "2": 1])
    }

    @Test func whatAMemberIsDoneWithIsForgotten() {
        var nodes = Nodes("a", "b")
        nodes.add("a", member("1"))
        nodes.say("b", append())
        let place = nodes.last
        nodes.say("a", finished(place))
        #expect(nodes.unfinished == 0)
        #expect(nodes.states["b"]?.shared.firstUnfinished == nil)
    }

    @Test func aMessageOfQoSZeroIsNotKept() {
        var nodes = Nodes("a")
        nodes.add("a", member("1") + member("2", qos: .atMostOnce))
        nodes.say("a", append(.atMostOnce), append(.exactlyOnce))
        #expect(nodes.given.mapValues(\.count) == ["1": 1, "2": 1])
        #expect(nodes.unfinished == 0)
    }

    // MARK: Members that go

    /// 5.0 section 4.8.2: a session that ends leaves its QoS 1 messages to another member.
    @Test func whatAMemberThatEndsWasGivenOthersGet() {
        var nodes = Nodes("a", "b")
        nodes.add("a", member("1"))
        nodes.say("b", append(), append(.exactlyOnce))
        let place = nodes.last
        nodes.add("b", member("2"))
        nodes.say("a", .changes([.departed(clientIdentifier: "1")]))
        #expect(nodes.given["2"] == [place, place + 1])
        #expect(nodes.unfinished == 2)
    }

    @Test("MQTT-4.8.2-5: a QoS 2 exchange that has begun is for nobody else")
    func anExchangeThatHasBegunEndsWithItsSession() {
        var nodes = Nodes("a", "b")
        nodes.add("a", member("1"))
        nodes.say("b", append(.exactlyOnce))
        let exchange = SentExchange(sequence: nodes.last, group: group)
        nodes.say("a", .changes([.sending(clientIdentifier: "1", exchange, packetIdentifier: 1, topic: nil)]))
        nodes.add("b", member("2"))
        nodes.say("a", .changes([.departed(clientIdentifier: "1")]))
        #expect(nodes.given["2"] == nil)
        #expect(nodes.unfinished == 0)
    }

    /// The node did not know yet that the client was chosen when it let it go.
    @Test func whatANodePassesOnOthersGet() {
        var nodes = Nodes("a", "b")
        nodes.add("a", member("1"))
        nodes.say("b", append())
        let place = nodes.last
        nodes.say("a", .changes([.unsubscribed(clientIdentifier: "1", filter: "$share/g/t/+", through: nil)]))
        nodes.add("b", member("2"))
        #expect(nodes.given["2"] == nil)
        let passed = FlockRecord.changes([.groupPassed(group, sequence: place, clientIdentifier: "1")])
        nodes.say("a", passed)
        #expect(nodes.given["2"] == [place])
        nodes.say("a", passed)
        #expect(nodes.given["2"] == [place])
        #expect(nodes.unfinished == 1)
    }

    @Test func withNoMemberLeftNothingIsKept() {
        var nodes = Nodes("a")
        nodes.add("a", member("1"))
        nodes.say("a", append())
        nodes.say("a", .changes([.ended(clientIdentifier: "1")]))
        nodes.say("a", append())
        #expect(nodes.given["1"]?.count == 1)
        #expect(nodes.unfinished == 0)
        #expect(nodes.states["a"]?.shared.members(of: group).count == 0)
    }

    /// [MQTT-3.10.4-3]: what it was sent before it completes.
    @Test func whoUnsubscribesKeepsWhatItWasGiven() {
        var nodes = Nodes("a")
        nodes.add("a", lastingMember("1"))
        nodes.say("a", append())
        let place = nodes.last
        nodes.say("a", .changes([.unsubscribed(clientIdentifier: "1", filter: "$share/g/t/+", through: nil)]))
        nodes.forgetGiven()
        nodes.say("a", incarnation: 2, .nodeUp(reads: FlockBatch.version))
        #expect(nodes.states["a"]?.own(now: 0).entries.map(\.sequence) == [place])
    }

    // MARK: Sessions that wait

    @Test("P1: a group whose members are all away keeps its messages for them")
    func aGroupWithNobodyConnectedKeepsItsMessages() {
        var nodes = Nodes("a", "b")
        nodes.add("a", lastingMember("1"))
        nodes.add("b", lastingMember("2"))
        nodes.say("a", left("1"))
        nodes.say("b", left("2"))
        for _ in 0..<4 { nodes.say("b", append()) }
        #expect(nodes.given.mapValues(\.count) == ["1": 2, "2": 2])
        nodes.say("b", append(.atMostOnce))
        #expect(nodes.given.mapValues(\.count) == ["1": 2, "2": 2])
        #expect(nodes.unfinished == 4)
    }

    @Test func whoIsConnectedComesFirst() {
        var nodes = Nodes("a", "b")
        nodes.add("a", lastingMember("1"))
        nodes.add("b", lastingMember("2"))
        nodes.say("a", left("1"))
        for _ in 0..<4 { nodes.say("b", append()) }
        #expect(nodes.given.mapValues(\.count) == ["2": 4])
        nodes.say("a", .changes([.connected(clientIdentifier: "1", expiryInterval: 100, will: nil)]))
        for _ in 0..<4 { nodes.say("b", append()) }
        #expect(nodes.given.mapValues(\.count) == ["1": 2, "2": 6])
    }

    // MARK: Sessions that move

    @Test("P1, P2: a session takes along what it was given, below its cursor, too")
    func aClaimTakesAlongWhatTheSessionWasGiven() {
        var nodes = Nodes("a", "b")
        nodes.add("a", lastingMember("1"))
        nodes.say("a", append(), append())
        let place = nodes.last
        nodes.say(
            "a", finished(place + 1), .changes([.advanced(clientIdentifier: "1", through: place + 1)]))
        nodes.forgetGiven()
        nodes.say("b", .claim(client: "1"))
        #expect(nodes.given == ["1": [place]])
        // From here on it is told on its new node, once it is connected there.
        nodes.say("b", .changes([.connected(clientIdentifier: "1", expiryInterval: 100, will: nil)]))
        nodes.forgetGiven()
        nodes.say("a", append())
        #expect(nodes.deliveringNodes == ["b"])
    }

    @Test("P2: a session without a record ends where it was when another node has its client")
    func aClaimOfASessionThatDoesNotLastEndsItsMembership() {
        var nodes = Nodes("a", "b")
        nodes.add("a", member("1"))
        nodes.say("a", append())
        let place = nodes.last
        nodes.add("a", member("2"))
        nodes.say("b", .claim(client: "1"))
        #expect(nodes.given["2"] == [place])
        #expect(nodes.states["a"]?.shared.members(of: group).count == 1)
    }

    @Test("P1: what members on a dead node were given others get, or goes with their sessions")
    func aNodeDies() {
        var nodes = Nodes("a", "b", "c")
        nodes.add("a", member("1") + lastingMember("2"))
        nodes.say("c", append(), append())
        let place = nodes.last
        nodes.add("b", member("3"))
        nodes.forgetGiven()
        nodes.say("c", .nodeDown(name: "a", incarnation: 1))
        #expect(nodes.given == ["2": [place + 1], "3": [place]])
        #expect(nodes.states["b"]?.shared.members(of: group).connected == 1)
        #expect(nodes.unfinished == 2)
    }

    @Test("P1: a node that begins anew has what its sessions were given; its connections are gone")
    func aNodeBeginsAnew() {
        var nodes = Nodes("a", "b")
        nodes.add("a", lastingMember("1") + member("2"))
        nodes.say("b", append(), append())
        let place = nodes.last
        nodes.forgetGiven()
        nodes.say("a", incarnation: 2, .nodeUp(reads: FlockBatch.version))
        let own = nodes.states["a"]?.own(now: 0)
        #expect(own?.entries.map(\.sequence) == [place, place + 1])
        #expect(own?.entries.allSatisfy { $0.choices.map(\.client) == [ExactText("1")] } == true)
        #expect(nodes.states["b"]?.shared.members(of: group).connected == 0)
    }

    // MARK: QoS 0

    @Test func aMessageBesideTheLogGoesToAConnectedMember() {
        var nodes = Nodes("a", "b")
        nodes.add("a", member("1") + lastingMember("2"))
        nodes.add("b", member("3"))
        nodes.say("a", left("2"))
        #expect((0..<4).flatMap { _ in nodes.choose("a", []) } == ["1", "3", "1", "3"])
        #expect((0..<2).flatMap { _ in nodes.choose("b", .local) } == ["3", "3"])
        #expect(nodes.unfinished == 0)
        // What is in the log has its own turn, the same everywhere.
        nodes.say("b", append())
        #expect(nodes.given.mapValues(\.count) == ["1": 1])
    }

    // MARK: Preference

    @Test func aMemberOnThePublishersNodeComesFirstIfThatIsWanted() {
        var nodes = Nodes("a", "b")
        nodes.add("a", member("1"))
        nodes.add("b", member("2") + member("3"))
        for _ in 0..<4 { nodes.say("a", append(.local)) }
        for _ in 0..<4 { nodes.say("b", append(.local)) }
        #expect(nodes.given.mapValues(\.count) == ["1": 4, "2": 2, "3": 2])
        nodes.say("a", .changes([.ended(clientIdentifier: "1")]))
        nodes.forgetGiven()
        nodes.say("a", append(.local))
        #expect(nodes.deliveringNodes == ["b"])
    }

    @Test func theMemberWithTheLeastToDoComesFirstIfThatIsWanted() {
        var nodes = Nodes("a", "b")
        nodes.add("a", member("1"))
        nodes.add("b", member("2"))
        nodes.say("a", append(), append())
        let place = nodes.last
        nodes.say("a", finished(place))
        for _ in 0..<3 { nodes.say("a", append(.leastBusy)) }
        #expect(nodes.given["1"]?.count == 3)
        #expect(nodes.given["2"]?.count == 2)
    }
}

private func append(_ preference: MemberPreference) -> FlockRecord { append(.atLeastOnce, preference) }
