import Backbone
import Flock
import MQTTModel
import Testing

/// One node and the state of its log.
private struct Node {
    var state = FlockState(of: "a")
    private var number: UInt64 = 0

    init() { state.apply(FlockLog(node: "a", incarnation: 1, shardCount: 1).beginning(at: 0), stream: 1, now: 0) }

    /// - Returns: what the batch did.
    @discardableResult
    mutating func say(at time: UInt64 = 0, _ records: FlockRecord...) throws -> FlockState.Applied {
        number += 1
        let identity = FlockBatch.Identity(node: "a", incarnation: 1, number: number)
        let bytes = FlockBatch(identity: identity, writtenAt: time, records: records).encoded()
        let batch = try bytes.withUnsafeBytes { try FlockBatch($0, at: time) }
        return state.apply(batch, stream: state.stream + 1, now: time)
    }

    /// The node's sessions have had everything.
    mutating func needNothing() throws { try say(.needed(above: .end(ofBatch: state.stream))) }

    var last: LogSequence { .end(ofBatch: state.stream) }

    /// With the newest snapshot that it knows of.
    var purgeableThrough: UInt64 { state.purgeable(through: state.lastSnapshot.stream) }

    func needed(now: UInt64 = 0) -> UInt64? {
        var state = state
        state.forgetUnneededNow(now: now)
        return state.firstNeeded
    }
}

private func began(_ client: String, filter: String = "t") -> FlockRecord {
    .changes([
        .began(clientIdentifier: client),
        .subscribed(
            clientIdentifier: client, filter: filter, options: SubscriptionOptions(maximumQoS: .atLeastOnce),
            identifier: 0, since: 0, messagesWait: false),
    ])
}

private func advanced(_ client: String, _ through: LogSequence) -> FlockRecord {
    .changes([.advanced(clientIdentifier: client, through: through)])
}

private func append(bytes: Int = 1, expiry: UInt32? = nil) -> FlockRecord {
    let message = ApplicationMessage(topic: "t", payload: [UInt8](repeating: 1, count: bytes), qos: .atLeastOnce)
    message.expiryInterval = expiry
    var append = LogAppend(message: message, publisher: .none)
    append.isKept = true
    return .append(append)
}

@Suite("What of the log is needed")
struct NeedTests {
    @Test("P1: what a session has not had is needed, however long it is away")
    func theSessionThatIsFurthestBehindHoldsTheLog() throws {
        var node = Node()
        try node.say(began("x"), began("y"))
        try node.say(append())
        let first = node.last
        try node.say(append())
        try node.say(advanced("x", node.last), advanced("y", first))
        try node.needNothing()
        #expect(node.needed() == 4)
        try node.say(advanced("y", node.last))
        #expect(node.needed() == nil)
    }

    /// A session that does not outlive its connection is in no record; its node says what it needs.
    @Test func whatALivingNodeHasNotHadIsNeeded() throws {
        var node = Node()
        try node.say(append())
        #expect(node.needed() == 2)
        try node.needNothing()
        #expect(node.needed() == nil)
    }

    @Test func whatAGroupIsNotDoneWithIsNeeded() throws {
        var node = Node()
        let group = SharedGroup(name: "g", pattern: "t")
        try node.say(began("x", filter: "$share/g/t"))
        try node.say(append())
        let position = LogSequence(stream: 3, index: 0)
        try node.say(advanced("x", node.last))
        try node.needNothing()
        #expect(node.needed() == 3)
        try node.say(.changes([.groupFinished(group, sequence: position)]))
        #expect(node.needed() == nil)
    }

    /// [MQTT-3.3.2-5]: nobody is sent it.
    @Test func aMessageWhoseTimeHasRunOutIsNotNeeded() throws {
        var node = Node()
        try node.say(began("x"))
        try node.say(at: 1_000_000, append(expiry: 60))
        try node.say(at: 1_000_000, append())
        try node.needNothing()
        #expect(node.needed(now: 1_059_000) == 3)
        #expect(node.needed(now: 1_062_000) == 4)
    }

    /// The look at all sessions is spread over batches, during which they move on.
    @Test func theLookAtAllSessionsComesToAnEndByItself() throws {
        var node = Node()
        try node.say(began("x"))
        try node.say(append())
        try node.say(advanced("x", node.last))
        try node.needNothing()
        for _ in 0..<40 { try node.say() }
        #expect(node.state.kept.count == 0)
    }

    @Test func theLogIsPurgedNeitherBehindASnapshotNorBehindWhatIsNeeded() throws {
        var node = Node()
        try node.say(began("x"))
        try node.say(append())
        try node.needNothing()
        node.state.forgetUnneededNow(now: 0)
        #expect(node.purgeableThrough == 0)
        try node.say(.snapshot(stream: 4, byteCount: 1))
        #expect(node.purgeableThrough == 2)
        try node.say(advanced("x", node.last))
        node.state.forgetUnneededNow(now: 0)
        #expect(node.purgeableThrough == 4)
    }

    // MARK: Bounds

    @Test("P7: beyond its bound the oldest of the log is dropped, and counted")
    func theOldestIsDroppedBeyondTheBound() throws {
        var node = Node()
        try node.say(began("x"))
        for _ in 0..<100 { try node.say(append(bytes: 10_000)) }
        try node.needNothing()
        node.state.forgetUnneededNow(now: 0)
        let bounds = FlockState.HeldBounds(bytes: 500_000, seconds: .max)
        #expect(node.state.dropDue(.init(bytes: 2_000_000, seconds: .max), now: 0) == nil)
        let through = try #require(node.state.dropDue(bounds, now: 0))
        let applied = try node.say(.dropped(through: through))
        #expect(applied.droppedThrough == through)
        #expect(node.state.droppedMessages == UInt64(100 - node.state.kept.count))
        #expect(node.state.heldBytes <= bounds.bytes)
        #expect(node.state.heldBytes >= bounds.bytes / 2)
        #expect(node.state.dropDue(bounds, now: 0) == nil)
        // The session is there, with what is left for it.
        let taken = try node.say(.claim(client: "x")).claimed[0]
        #expect(taken?.entries.count == node.state.kept.count)
    }

    @Test func whatIsTooOldIsDropped() throws {
        var node = Node()
        try node.say(at: 1_000_000, began("x"))
        for hour in 0..<10 { try node.say(at: 1_000_000 + UInt64(hour) * 3_600_000, append()) }
        try node.needNothing()
        node.state.forgetUnneededNow(now: 0)
        let now: UInt64 = 1_000_000 + 10 * 3_600_000
        let through = node.state.dropDue(.init(bytes: .max, seconds: 5 * 3600), now: now)
        #expect(through.map(\.stream).map { (6...8).contains($0) } == true)
        #expect(node.state.dropDue(.init(bytes: .max, seconds: 11 * 3600), now: now) == nil)
    }

    @Test func whatNobodyWantsIsNotCountedAsDropped() throws {
        var node = Node()
        try node.say(append(), append())
        try node.needNothing()
        try node.say(.dropped(through: node.last))
        #expect(node.state.droppedMessages == 0)
    }

    @Test func theGroupsOfADroppedMessageAreDoneWithIt() throws {
        var node = Node()
        try node.say(began("x", filter: "$share/g/t"))
        try node.say(append())
        try node.say(advanced("x", node.last))
        try node.needNothing()
        #expect(node.state.shared.unfinishedCount == 1)
        try node.say(.dropped(through: node.last))
        #expect(node.state.shared.unfinishedCount == 0)
        #expect(node.state.droppedMessages == 1)
    }

    // MARK: Snapshots

    @Test func aSnapshotIsDueWhenEnoughHasComeAndAtLeastWhatOneCosts() throws {
        var node = Node()
        for _ in 0..<10 { try node.say(append(bytes: 10_000)) }
        #expect(node.state.isSnapshotDue(interval: 100_000))
        #expect(!node.state.isSnapshotDue(interval: 200_000))
        try node.say(.snapshot(stream: node.state.stream, byteCount: 1_000_000))
        for _ in 0..<50 { try node.say(append(bytes: 10_000)) }
        #expect(!node.state.isSnapshotDue(interval: 100_000))
        for _ in 0..<60 { try node.say(append(bytes: 10_000)) }
        #expect(node.state.isSnapshotDue(interval: 100_000))
    }

    /// If the first by name does not, the next does, later.
    @Test func theFirstOfTheLivingWritesSnapshots() throws {
        var node = Node()
        #expect(node.state.rank == 0)
        let other = FlockLog(node: "A", incarnation: 1, shardCount: 1).beginning(at: 0)
        node.state.apply(other, stream: node.state.stream + 1, now: 0)
        #expect(node.state.rank == 1)
        for _ in 0..<15 { try node.say(append(bytes: 10_000)) }
        #expect(!node.state.isSnapshotDue(interval: 100_000))
        for _ in 0..<10 { try node.say(append(bytes: 10_000)) }
        #expect(node.state.isSnapshotDue(interval: 100_000))
    }
}
