import Backbone
import Flock
import MQTTModel
import Testing

/// Nodes of several versions, each with all of the log that it can read.
private struct MixedFlock {
    private(set) var logs: [FlockLog] = []
    private(set) var states: [FlockState] = []
    private var versions: [UInt8] = []
    private(set) var stored: [[UInt8]] = []
    /// What each node has written and nobody has stored.
    private var written: [[UInt8]?] = []
    private(set) var tokens: [[UInt64]] = []
    private(set) var told: [Int] = []
    /// Whether a node came upon something that it has to be upgraded for.
    private(set) var hasFailed: [Bool] = []

    /// A node starts: it says so in the log and reads all of it.
    mutating func start(_ name: String, reads version: UInt8) throws {
        var options = FlockLog.Options()
        options.version = version
        logs.append(FlockLog(node: name, incarnation: 1, shardCount: 1, options: options))
        states.append(FlockState(of: name))
        versions.append(version)
        written.append(nil)
        tokens.append([])
        told.append(0)
        hasFailed.append(false)
        let node = logs.count - 1
        for (place, bytes) in stored.enumerated() { try read(bytes, at: UInt64(place + 1), node) }
        try store(logs[node].beginning(at: 0).encoded())
    }

    private mutating func read(_ bytes: [UInt8], at place: UInt64, _ node: Int) throws {
        let batch = try bytes.withUnsafeBytes { try FlockBatch($0, at: 0, reading: versions[node]) }
        let applied = states[node].apply(batch, stream: place, now: 0)
        if applied.isUnreadable { hasFailed[node] = true }
        var effects: [FlockLog.Effect] = []
        logs[node].arrived(batch, stream: place, applied, into: &effects)
        perform(effects, node)
    }

    private mutating func perform(_ effects: [FlockLog.Effect], _ node: Int) {
        for effect in effects {
            switch effect {
            case .write(let bytes, _): written[node] = bytes
            case .retry, .drop: break
            case .settle(let settled):
                told[node] += settled.count { $0.isTold }
                tokens[node] += settled.filter { !$0.isTold }.map(\.token.rawValue)
            }
        }
    }

    private mutating func store(_ bytes: [UInt8]) throws {
        stored.append(bytes)
        for node in logs.indices { try read(bytes, at: UInt64(stored.count), node) }
    }

    mutating func submit(_ token: UInt64, to node: Int) {
        var append = LogAppend(
            message: ApplicationMessage(topic: "t", payload: [1], qos: .atLeastOnce), publisher: .none)
        append.isKept = true
        logs[node].submit(.append(append), submitter: 0, token: BackboneToken(rawValue: token))
    }

    mutating func flush(_ node: Int) {
        var effects: [FlockLog.Effect] = []
        logs[node].flush(at: 0, version: states[node].version, into: &effects)
        perform(effects, node)
    }

    /// The servers store what the node has written last.
    mutating func store(_ node: Int) throws {
        guard let bytes = written[node] else { return }
        written[node] = nil
        try store(bytes)
    }
}

@Suite("Nodes of two versions")
struct VersionTests {
    @Test func nobodyWritesWhatALivingNodeCannotRead() throws {
        var flock = MixedFlock()
        try flock.start("new", reads: 2)
        try flock.start("old", reads: 1)
        flock.submit(7, to: 0)
        flock.flush(0)
        try flock.store(0)
        #expect(flock.stored.map { $0[0] } == [1, 1, 1])
        #expect(flock.tokens[0] == [7])
        #expect(flock.told[1] == 1)
    }

    @Test func onceAllNodesAreNewTheNewVersionIsWritten() throws {
        var flock = MixedFlock()
        try flock.start("a", reads: 2)
        try flock.start("b", reads: 3)
        flock.submit(7, to: 1)
        flock.flush(1)
        try flock.store(1)
        #expect(flock.stored.map { $0[0] } == [1, 1, 2])
        #expect(flock.tokens[1] == [7])
        #expect(flock.told[0] == 1)
    }

    /// Nothing may be lost and nothing be there twice, whichever comes first in the log.
    @Test func aBatchThatAnOlderNodeOvertakesIsWrittenAnewForIt() throws {
        var flock = MixedFlock()
        try flock.start("new", reads: 2)
        flock.submit(7, to: 0)
        flock.flush(0)
        try flock.start("old", reads: 1)
        try flock.store(0)
        #expect(flock.tokens[0].isEmpty)
        flock.submit(8, to: 0)
        flock.flush(0)
        try flock.store(0)
        #expect(flock.stored.map { $0[0] } == [1, 1, 2, 1])
        #expect(flock.tokens[0] == [7, 8])
        #expect(flock.told[1] == 2)
        #expect(flock.hasFailed == [false, false])
    }

    @Test func aNodeThatIsTooOldForTheLogFindsOut() throws {
        var flock = MixedFlock()
        try flock.start("new", reads: 2)
        flock.submit(7, to: 0)
        flock.flush(0)
        try flock.store(0)
        try flock.start("old", reads: 1)
        #expect(flock.hasFailed == [false, true])
    }

    @Test func aBatchOfNoVersionIsRefused() throws {
        var bytes = FlockLog(node: "n", incarnation: 1, shardCount: 1).beginning(at: 0).encoded()
        bytes[0] = 0
        #expect(throws: MalformedRecord.self) { try bytes.withUnsafeBytes { try FlockBatch($0, at: 0) } }
    }
}
