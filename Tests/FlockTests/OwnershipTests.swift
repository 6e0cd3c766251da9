import Backbone
import Flock
import MQTTModel
import Testing

/// The state of every node of a flock, fed with one log.
private struct Nodes {
    private(set) var states: [String: FlockState]
    private var stream: UInt64 = 0
    private var numbers: [String: UInt64] = [:]

    init(_ names: String...) {
        states = Dictionary(uniqueKeysWithValues: names.map { ($0, FlockState(of: $0)) })
        for name in names { _ = say(name, .nodeUp(reads: 1)) }
    }

    /// A node writes a batch; what it is to each of them.
    @discardableResult
    mutating func say(_ node: String, incarnation: UInt64 = 1, _ records: FlockRecord...) -> [String: FlockState
        .Applied]
    {
        stream += 1
        numbers[node, default: 0] += 1
        let identity = FlockBatch.Identity(node: node, incarnation: incarnation, number: numbers[node] ?? 0)
        let batch = FlockBatch(identity: identity, writtenAt: 0, records: records)
        var applied: [String: FlockState.Applied] = [:]
        for name in states.keys { applied[name] = states[name]?.apply(batch, stream: stream, now: 0) }
        return applied
    }

    /// The position of the last batch's first record.
    var last: LogSequence { LogSequence(stream: stream, index: 0) }

    func owner(_ client: String) -> [String?] {
        states.keys.sorted().map { states[$0]?.owners[ExactText(client)]?.string }
    }
}

private func began(_ client: String, filter: String = "t/#") -> FlockRecord {
    .changes([
        .began(clientIdentifier: client), .connected(clientIdentifier: client, expiryInterval: 100, will: nil),
        .subscribed(
            clientIdentifier: client, filter: filter, options: SubscriptionOptions(maximumQoS: .exactlyOnce),
            identifier: 0, since: 0, messagesWait: false),
    ])
}

private func append(
    _ topic: String, received: String? = nil, publishedBy: String? = nil, willOf: String? = nil
) -> FlockRecord {
    var append = LogAppend(
        message: ApplicationMessage(topic: topic, payload: [1, 2, 3], qos: .atLeastOnce), publisher: .none)
    append.isKept = true
    append.received = received.map { ReceivedExchange(clientIdentifier: $0, packetIdentifier: 7) }
    append.publishedBy = publishedBy.map { ExactText($0) }
    append.willOf = willOf
    return .append(append)
}

@Suite("Which node has a session")
struct OwnershipTests {
    @Test("P2: a claim moves the session, and says so to the node that had it")
    func aClaimMovesTheSession() throws {
        var nodes = Nodes("a", "b", "c")
        nodes.say("a", .claim(client: "x"))
        nodes.say("a", began("x"))
        nodes.say("c", append("t/1"), append("u"), append("t/2"))
        let first = LogSequence(stream: 6, index: 0)
        let applied = nodes.say("b", .needed(above: 0), .claim(client: "x"))
        let taken = try #require(applied["b"]?.claimed[1])
        #expect(taken.sessions.map(\.clientIdentifier) == ["x"])
        #expect(taken.entries.map { $0.message.topicString } == ["t/1", "t/2"])
        #expect(taken.entries.map { $0.message.byteCount } == [6, 6])
        #expect(taken.entries.map(\.sequence) == [first, first + 2])
        #expect(applied["a"]?.lost == [1: "x"])
        #expect(applied["c"]?.lost.isEmpty == true)
        #expect(nodes.owner("x") == ["b", "b", "b"])
    }

    @Test("MQTT-3.3.1-1: a claim says what may have been sent")
    func aClaimSaysWhatMayHaveBeenSent() {
        var nodes = Nodes("a", "b")
        nodes.say("a", began("x"))
        let connected = nodes.say("b", .claim(client: "x"))["b"]?.claimed[0]?.sessions.first
        #expect(connected?.sentThrough == .max)
        nodes.say("b", .changes([.disconnected(clientIdentifier: "x", expiryInterval: 100, willDelay: nil)]))
        let place = nodes.last
        nodes.say("b", append("t/1"))
        let away = nodes.say("a", .claim(client: "x"))["a"]?.claimed[0]?.sessions.first
        #expect(away?.sentThrough == place)
    }

    /// [MQTT-3.2.2-2]: Session Present is what the record says.
    @Test func aClientOfWhichNothingIsNotedIsLostAndBringsNothing() {
        var nodes = Nodes("a", "b")
        nodes.say("a", .claim(client: "x"))
        let applied = nodes.say("b", .claim(client: "x"))
        #expect(applied["a"]?.lost == [0: "x"])
        #expect(applied["b"]?.claimed[0]?.sessions.isEmpty == true)
    }

    @Test("P2: what the earlier node says after the claim does not count")
    func aNodeThatLostTheSessionIsNotHeard() {
        var nodes = Nodes("a", "b")
        nodes.say("a", .claim(client: "x"))
        nodes.say("a", began("x"))
        nodes.say("b", .claim(client: "x"))
        let applied = nodes.say(
            "a", .changes([.ended(clientIdentifier: "x")]), .changes([.departed(clientIdentifier: "x")]),
            append("t", received: "x"), append("w", willOf: "x"), append("plain"))
        for applied in applied.values { #expect(applied.refused == [0, 1, 2, 3]) }
        #expect(nodes.owner("x") == ["b", "b"])
        let taken = nodes.say("b", .claim(client: "x"))["b"]?.claimed[0]
        #expect(taken?.sessions.count == 1)
        #expect(nodes.states["a"]?.kept.count == 1)
    }

    /// A batch that is late: its client had no answer, and has sent the message again where it is now.
    @Test("P3, P4: a message that is late does not count once its publisher is another node's")
    func aLateMessageOfAClientThatHasMovedDoesNotCount() {
        var nodes = Nodes("a", "b")
        nodes.say("a", .claim(client: "x"))
        nodes.say("a", append("t", publishedBy: "x"))
        nodes.say("b", .claim(client: "x"))
        let late = nodes.say("a", append("t", publishedBy: "x"), append("t", publishedBy: "y"))
        for applied in late.values { #expect(applied.refused == [0]) }
        let again = nodes.say("b", append("t", publishedBy: "x"))
        for applied in again.values { #expect(applied.refused.isEmpty) }
        #expect(nodes.states["a"]?.kept.count == 3)
    }

    /// Both nodes were without servers when the client went, and wrote what they had to say afterwards.
    @Test("P5: a will that another node has published, for a client that nobody has any more, is not published again")
    func aWillIsPublishedOnce() {
        var nodes = Nodes("a", "b")
        let will = Will(message: ApplicationMessage(topic: "w", payload: [1], qos: .atLeastOnce), delayInterval: 0)
        let connected = SessionChange.connected(clientIdentifier: "x", expiryInterval: 0, will: will)
        nodes.say("a", .claim(client: "x"))
        nodes.say("a", .changes([.began(clientIdentifier: "x"), connected]))
        nodes.say("b", .claim(client: "x"))
        let first = nodes.say("b", append("w", willOf: "x"), .changes([.departed(clientIdentifier: "x")]))
        let second = nodes.say("a", append("w", willOf: "x"), .changes([.departed(clientIdentifier: "x")]))
        for node in ["a", "b"] {
            #expect(first[node]?.refused == [])
            #expect(second[node]?.refused == [0])
        }
    }

    /// Cursors of many sessions are noted together.
    @Test func aNoteOfSeveralSessionsCountsForThoseThatAreThere() {
        var nodes = Nodes("a", "b")
        nodes.say("a", began("x"), began("y"))
        nodes.say("b", .claim(client: "x"))
        let through = nodes.last
        let applied = nodes.say(
            "a",
            .changes([
                .advanced(clientIdentifier: "x", through: through), .advanced(clientIdentifier: "y", through: through),
            ]))
        #expect(applied["b"]?.refused == [0])
        #expect(nodes.states["b"]?.sessions[ExactText("y")]?.cursor == through)
        #expect(nodes.states["b"]?.sessions[ExactText("x")]?.cursor != through)
    }

    /// The publisher repeats its PUBLISH to the node that has the session now (P1).
    @Test func anExchangeThatCameBeforeTheClaimIsKnownToWhoClaims() throws {
        var nodes = Nodes("a", "b")
        nodes.say("a", began("x"))
        nodes.say("a", append("t", received: "x"))
        let taken = try #require(nodes.say("b", .claim(client: "x"))["b"]?.claimed[0])
        #expect(taken.sessions.first?.received == [7])
    }

    /// P1, P5: every session of a dead node is with exactly one that lives, at one place of the log.
    @Test func theSessionsOfADeadNodeAreShared() {
        var nodes = Nodes("a", "b", "c")
        for number in 0..<300 { nodes.say("a", began("client-\(number)")) }
        nodes.say("a", .claim(client: "unnoted"))
        nodes.say("a", append("t/1"))
        let applied = nodes.say("b", .nodeDown(name: "a", incarnation: 1))
        let shares = ["b", "c"].map { applied[$0]?.adopted[0]?.sessions.map(\.clientIdentifier) ?? [] }
        #expect(Set(shares[0] + shares[1]).count == 300)
        #expect(shares[0].count + shares[1].count == 300)
        #expect(shares.allSatisfy { (100...200).contains($0.count) })
        #expect(applied["b"]?.adopted[0]?.entries.count == 1)
        #expect(nodes.owner("unnoted") == [nil, nil, nil])
        // A second word of the same death finds nothing to do.
        #expect(nodes.say("c", .nodeDown(name: "a", incarnation: 1))["b"]?.adopted.isEmpty == true)
    }

    @Test func theSessionsOfTheLastNodeGoToTheNextThatBegins() {
        var nodes = Nodes("a", "b")
        nodes.say("a", began("x"))
        nodes.say("b", .nodeDown(name: "b", incarnation: 1))
        nodes.say("a", .nodeDown(name: "a", incarnation: 1))
        #expect(nodes.owner("x") == ["a", "a"])
        nodes.say("b", incarnation: 2, .nodeUp(reads: 1))
        #expect(nodes.states["b"]?.own(now: 0).sessions.map(\.clientIdentifier) == ["x"])
    }

    /// A quick restart under the same name: nobody else has taken anything.
    @Test func aNodeThatBeginsAnewHasWhatItHad() {
        var nodes = Nodes("a", "b")
        nodes.say("a", began("x"), .claim(client: "unnoted"))
        nodes.say("a", incarnation: 2, .nodeUp(reads: 1))
        #expect(nodes.states["a"]?.own(now: 0).sessions.map(\.clientIdentifier) == ["x"])
        #expect(nodes.owner("unnoted") == [nil, nil])
    }

    @Test func whatNobodyNeedsIsForgotten() {
        var nodes = Nodes("a")
        for number in 0..<1100 { nodes.say("a", append("t/\(number)"), .needed(above: nodes.last)) }
        #expect(nodes.states["a"]?.kept.count ?? 0 < 100)
    }
}

@Suite("Who lives")
struct LivenessTests {
    private let own = Liveness.Beat(node: "a", incarnation: 1)
    private let other = Liveness.Beat(node: "b", incarnation: 1)

    @Test func aNodeIsDeadAfterSoManyBeatsWithoutIt() {
        var liveness = Liveness(of: own, patience: 3)
        var dead: [[Liveness.Beat]] = []
        for _ in 0..<4 {
            dead.append(liveness.beat(living: [own, other]))
            liveness.heard(own)
        }
        #expect(dead == [[], [], [], [other]])
    }

    @Test func aNodeThatIsHeardLives() {
        var liveness = Liveness(of: own, patience: 3)
        for _ in 0..<20 {
            #expect(liveness.beat(living: [own, other]).isEmpty)
            liveness.heard(own)
            liveness.heard(other)
        }
    }

    /// P6: one that the servers do not hear says nothing of others.
    @Test func aNodeThatIsNotHeardItselfTakesNobodyForDead() {
        var liveness = Liveness(of: own, patience: 3)
        for _ in 0..<20 { #expect(liveness.beat(living: [own, other]).isEmpty) }
    }

    @Test func aNewIncarnationBeginsAfresh() {
        var liveness = Liveness(of: own, patience: 2)
        for _ in 0..<2 {
            _ = liveness.beat(living: [own, other])
            liveness.heard(own)
        }
        let next = Liveness.Beat(node: "b", incarnation: 2)
        #expect(liveness.beat(living: [own, next]).isEmpty)
    }
}
