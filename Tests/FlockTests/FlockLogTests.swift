import Backbone
import Flock
import MQTTModel
import Testing

/// Nodes and a log between them, driven by hand.
private struct Table {
    var logs: [FlockLog]
    /// The stream: what is stored, once for each identity.
    private(set) var stored: [(identity: FlockBatch.Identity, bytes: [UInt8])] = []
    private(set) var settled: [[Settled]]
    private(set) var written: [[(identity: FlockBatch.Identity, bytes: [UInt8])]]
    private(set) var retries: [[Duration]]
    private(set) var states: [FlockState]

    init(_ names: String..., options: FlockLog.Options = FlockLog.Options()) {
        logs = names.map { FlockLog(node: $0, incarnation: 1, shardCount: 2, options: options) }
        settled = names.map { _ in [] }
        written = names.map { _ in [] }
        retries = names.map { _ in [] }
        states = names.map { FlockState(of: $0) }
        for log in logs {
            stored.append((log.beginning(at: 0).identity, log.beginning(at: 0).encoded()))
            for index in states.indices {
                states[index].apply(log.beginning(at: 0), stream: UInt64(stored.count), now: 0)
            }
        }
    }

    mutating func submit(_ command: BackboneCommand, _ token: UInt64, to node: Int = 0) {
        logs[node].submit(command, submitter: 0, token: BackboneToken(rawValue: token))
    }

    mutating func perform(_ node: Int, _ body: (inout FlockLog, inout [FlockLog.Effect]) -> Void) {
        var effects: [FlockLog.Effect] = []
        body(&logs[node], &effects)
        for effect in effects {
            switch effect {
            case .write(let bytes, let identity): written[node].append((identity, bytes))
            case .retry(let delay): retries[node].append(delay)
            case .settle(let some): settled[node] += some
            case .drop: break
            }
        }
    }

    mutating func flush(_ node: Int = 0) {
        let version = states[node].version
        perform(node) { $0.flush(at: 0, version: version, into: &$1) }
    }

    mutating func answer(_ answer: FlockLog.Answer, _ node: Int = 0) {
        guard let last = written[node].last else { return }
        perform(node) { $0.batchAnswered(last.identity, answer, into: &$1) }
    }

    /// The servers store what the node wrote last, and every node hears of it.
    mutating func store(_ node: Int = 0) throws {
        guard let last = written[node].last, !stored.contains(where: { $0.identity == last.identity }) else { return }
        stored.append(last)
        let batch = try last.bytes.withUnsafeBytes { try FlockBatch($0, at: 0) }
        let stream = UInt64(stored.count)
        for other in logs.indices {
            let applied = states[other].apply(batch, stream: stream, now: 0)
            perform(other) { $0.arrived(batch, stream: stream, applied, into: &$1) }
        }
    }

    func tokens(_ node: Int = 0) -> [UInt64] { settled[node].filter { !$0.isTold }.map(\.token.rawValue) }

    func payloads(_ node: Int) -> [String] {
        settled[node].compactMap { $0.entry.map { String(decoding: $0.message.payload, as: UTF8.self) } }
    }
}

private func append(_ text: String, session: UInt32 = 1, knowing refusal: UInt64 = 0) -> BackboneCommand {
    var append = LogAppend(
        message: ApplicationMessage(topic: "t", payload: text.utf8, qos: .atLeastOnce),
        publisher: PublisherReference(shard: 0, session: session, generation: 2))
    append.isKept = true
    append.knownRefusal = BackboneToken(rawValue: refusal)
    return .append(append)
}

@Suite("What a node writes to the log")
struct FlockLogTests {
    @Test func whatIsSubmittedWhileABatchIsUnderWayJoinsTheNext() throws {
        var table = Table("a")
        table.submit(append("1"), 1)
        table.flush()
        table.submit(append("2"), 2)
        table.submit(.store([]), 3)
        table.flush()
        #expect(table.written[0].count == 1)
        try table.store()
        #expect(table.tokens() == [1])
        table.flush()
        #expect(table.written[0].count == 2)
        try table.store()
        #expect(table.tokens() == [1, 2, 3])
    }

    /// P1: nothing is acknowledged before it is in the log.
    @Test func theServersWordAloneSettlesNothing() {
        var table = Table("a")
        table.submit(append("1"), 1)
        table.flush()
        table.answer(.stored)
        #expect(table.tokens().isEmpty)
    }

    @Test func aLostBatchIsSentAgainAsItWasAndLaterOnesWait() throws {
        var table = Table("a")
        table.submit(append("1"), 1)
        table.flush()
        table.answer(.lost)
        table.submit(append("2"), 2)
        table.flush()
        table.perform(0) { $0.retryDue(into: &$1) }
        #expect(table.written[0].count == 2)
        #expect(table.written[0][0].identity == table.written[0][1].identity)
        #expect(table.written[0][0].bytes == table.written[0][1].bytes)
        try table.store()
        table.flush()
        try table.store()
        #expect(table.payloads(0) == ["1", "2"])
    }

    /// The answer was lost and not the batch: it comes back from the log, and is not sent once more.
    @Test func aBatchThatWasStoredAfterAllIsSettledOnce() throws {
        var table = Table("a")
        table.submit(append("1"), 1)
        table.flush()
        table.answer(.lost)
        try table.store()
        table.perform(0) { $0.retryDue(into: &$1) }
        #expect(table.written[0].count == 1)
        #expect(table.tokens() == [1])
    }

    @Test func retriesBecomeRarerUpToABound() {
        var table = Table("a")
        table.submit(append("1"), 1)
        table.flush()
        for _ in 0..<8 {
            table.answer(.lost)
            table.perform(0) { $0.retryDue(into: &$1) }
        }
        let milliseconds = table.retries[0].map { $0.wholeNanoseconds / 1_000_000 }
        #expect(milliseconds == [50, 100, 200, 400, 500, 500, 500, 500])
    }

    @Test func aFullLogIsAnsweredAndTheNextBatchIsTried() throws {
        var table = Table("a")
        table.submit(append("1"), 1)
        table.flush()
        table.answer(.full)
        #expect(table.settled[0].map(\.outcome) == [.full])
        table.submit(append("2", knowing: 1), 2)
        table.flush()
        try table.store()
        #expect(table.payloads(0) == ["2"])
    }

    @Test("P3: what a publisher sent behind a message that found no room finds none either")
    func whatFollowsARefusedMessageIsRefused() throws {
        var table = Table("a")
        table.submit(append("1", session: 1), 1)
        table.flush()
        table.submit(append("other", session: 2), 2)
        table.submit(append("2", session: 1), 3)
        table.answer(.full)
        table.flush()
        table.submit(append("3", session: 1), 4)
        table.submit(append("4", session: 1, knowing: 1), 5)
        try table.store()
        // In order, though the refused one has no record.
        #expect(table.tokens() == [1, 2, 3])
        #expect(table.settled[0].map(\.outcome) == [.full, .done, .full])
        table.flush()
        try table.store()
        #expect(table.settled[0].map(\.outcome) == [.full, .done, .full, .full, .done])
        #expect(table.payloads(0) == ["other", "4"])
    }

    @Test func aBatchOfNothingButRefusalsIsNotWritten() {
        var table = Table("a")
        table.submit(append("1"), 1)
        table.flush()
        table.answer(.full)
        table.submit(append("2"), 2)
        table.flush()
        #expect(table.written[0].count == 1)
        #expect(table.settled[0].map(\.outcome) == [.full, .full])
    }

    /// P3, P4: all nodes hear everything in one order.
    @Test func everyNodeIsToldTheMessagesOfAllInOneOrder() throws {
        var table = Table("a", "b")
        table.submit(append("a1"), 1, to: 0)
        table.submit(append("b1"), 1, to: 1)
        table.flush(0)
        table.flush(1)
        try table.store(1)
        try table.store(0)
        #expect(table.payloads(0) == ["b1", "a1"])
        #expect(table.payloads(1) == ["b1", "a1"])
        #expect(table.settled[0].map { $0.entry?.sequence } == table.settled[1].map { $0.entry?.sequence })
    }

    /// [MQTT-3.8.3-3]: a session of another node may have the same place as the publisher.
    @Test func thePublisherOfAnotherNodeIsNobodyHere() throws {
        var table = Table("a", "b")
        table.submit(append("1"), 1)
        table.flush()
        try table.store()
        #expect(table.settled[0].first?.entry?.publisher.session == 1)
        #expect(table.settled[1].first?.entry?.publisher == .remote)
    }

    @Test func aBatchHasItsBounds() throws {
        var options = FlockLog.Options()
        options.batchRecords = 3
        var table = Table("a", options: options)
        for token in 1...7 { table.submit(append("\(token)"), UInt64(token)) }
        for expected in [3, 6, 7] {
            table.flush()
            try table.store()
            #expect(table.tokens().count == expected)
        }
        options.batchRecords = 100
        options.batchBytes = 1
        var narrow = Table("a", options: options)
        narrow.submit(append("1"), 1)
        narrow.submit(append("2"), 2)
        narrow.flush()
        try narrow.store()
        #expect(narrow.tokens() == [1])
    }

    @Test func theNodeNeedsWhatItsSlowestShardNeeds() throws {
        var table = Table("a")
        table.submit(.trim(shard: 0, through: 70_000), 1)
        table.submit(.trim(shard: 1, through: 60_000), 2)
        table.flush()
        try table.store()
        #expect(table.states[0].needed[ExactText("a")] == 60_000)
    }
}
