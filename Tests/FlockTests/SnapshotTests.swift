import Backbone
import Flock
import MQTTModel
import Testing

@Suite("Snapshots of what the log adds up to")
struct SnapshotTests {
    private static func chunks(of state: FlockState, bytes: Int = 64, at now: UInt64 = History.now) -> [[UInt8]] {
        var writer = SnapshotWriter(SnapshotSource(state), chunkBytes: bytes, now: now)
        var chunks: [[UInt8]] = []
        while let chunk = writer.next() { chunks.append(chunk) }
        return chunks
    }

    private static func read(
        _ chunks: [[UInt8]], for node: String = "a", at now: UInt64 = History.now
    ) throws -> FlockState {
        var reader = SnapshotReader(for: node, now: now)
        for chunk in chunks { try chunk.withUnsafeBytes { try reader.add($0) } }
        return try reader.finish()
    }

    /// With what has no effect any more forgotten: when that is done is not the same after a snapshot.
    private static func comparable(_ state: FlockState) -> [String] {
        var state = state
        state.forgetUnneededNow(now: History.now)
        for _ in 0..<1024 { state.sweepRetained(at: History.now) }
        return describe(state)
    }

    private static func differences(_ one: FlockState, _ other: FlockState) -> [String] {
        let (one, other) = (comparable(one), comparable(other))
        return one.filter { !other.contains($0) } + other.filter { !one.contains($0) }
    }

    /// P1, P2, P4: a node that starts with a snapshot knows what one knows that has read the whole log.
    @Test(arguments: 0..<60)
    func aSnapshotAndTheRestOfTheLogAreTheWholeLog(seed: UInt64) throws {
        let batches = History(seed: seed, count: 300).batches
        var whole = FlockState(of: "a")
        try History.add(batches, from: 1, through: batches.count, to: &whole)
        let place = Int(seed * 37 % 300)
        var before = FlockState(of: "b")
        try History.add(batches, from: 1, through: place, to: &before)
        let chunks = Self.chunks(of: before, bytes: Int(1 + seed * 13 % 500))
        var after = try Self.read(chunks)
        #expect(after.lastSnapshot.stream == UInt64(place))
        #expect(after.lastSnapshot.byteCount == UInt64(chunks.joined().count))
        #expect(Self.differences(after, before) == [])
        try History.add(batches, from: place + 1, through: batches.count, to: &after)
        #expect(Self.differences(after, whole) == [])
    }

    /// Two nodes at the same place write the same bytes, whatever their tables look like.
    @Test func aSnapshotOfASnapshotIsTheSame() throws {
        var state = FlockState(of: "a")
        let batches = History(seed: 7, count: 200).batches
        try History.add(batches, from: 1, through: 200, to: &state)
        let chunks = Self.chunks(of: state)
        #expect(Self.chunks(of: try Self.read(chunks, for: "b")) == chunks)
    }

    @Test func whatChangesAfterwardsIsNotInASnapshot() throws {
        let batches = History(seed: 3, count: 300).batches
        var state = FlockState(of: "a")
        try History.add(batches, from: 1, through: 150, to: &state)
        let expected = Self.chunks(of: state)
        var writer = SnapshotWriter(SnapshotSource(state), chunkBytes: 64, now: History.now)
        var chunks: [[UInt8]] = []
        for stream in 151...300 {
            try History.add(batches, from: stream, through: stream, to: &state)
            if let chunk = writer.next() { chunks.append(chunk) }
        }
        while let chunk = writer.next() { chunks.append(chunk) }
        #expect(chunks == expected)
    }

    /// [MQTT-3.3.2-6]: what is left of its interval, however long it was in a snapshot.
    @Test func aRetainedMessageAgesInASnapshot() throws {
        var state = FlockState(of: "a")
        state.apply(FlockLog(node: "a", incarnation: 1, shardCount: 1).beginning(at: 0), stream: 1, now: 0)
        let records = [("old", UInt32(60)), ("new", 600)].map { topic, expiry in
            let message = ApplicationMessage(topic: topic, payload: [1], qos: .atLeastOnce, isRetained: true)
            message.expiryInterval = expiry
            return FlockRecord.append(LogAppend(message: message, publisher: .none))
        }
        let identity = FlockBatch.Identity(node: "a", incarnation: 1, number: 1)
        let written = FlockBatch(identity: identity, writtenAt: 1_000_000, records: records).encoded()
        // It is read 10 s later.
        let batch = try written.withUnsafeBytes { try FlockBatch($0, at: 1_010_000) }
        state.apply(batch, stream: 2, now: 1_010_000)

        let early = try Self.read(Self.chunks(of: state, at: 1_020_000), at: 1_040_000)
        #expect(early.retained.all.map { $0.message.expiryInterval } == [20, 560])
        let late = try Self.read(Self.chunks(of: state, at: 1_020_000), at: 1_100_000)
        #expect(late.retained.all.map { $0.message.expiryInterval } == [0, 500])
        let later = try Self.read(Self.chunks(of: state, at: 1_100_000), at: 1_100_000)
        #expect(later.retained.all.map { $0.message.topicString } == ["new"])
    }

    /// P1: one that its writer could not finish is none.
    @Test func aSnapshotThatIsCutIsRefusedAtEveryLength() throws {
        var state = FlockState(of: "a")
        try History.add(History(seed: 5, count: 60).batches, from: 1, through: 60, to: &state)
        let bytes = Array(Self.chunks(of: state).joined())
        for count in 0..<bytes.count {
            #expect(throws: MalformedRecord.self) { try Self.read([Array(bytes[..<count])]) }
        }
        #expect(throws: MalformedRecord.self) { try Self.read([bytes + [0]]) }
        #expect(throws: MalformedRecord.self) { try Self.read([bytes, bytes]) }
    }

    @Test func aSnapshotWithoutOneOfItsChunksIsRefused() throws {
        var state = FlockState(of: "a")
        try History.add(History(seed: 6, count: 100).batches, from: 1, through: 100, to: &state)
        let chunks = Self.chunks(of: state)
        for index in chunks.indices {
            var some = chunks
            some.remove(at: index)
            #expect(throws: MalformedRecord.self) { try Self.read(some) }
        }
    }

    /// Whatever a byte is changed to, reading ends with a state or a reason.
    @Test func aSnapshotWithAnyByteChangedDoesNotHarmTheReader() throws {
        var state = FlockState(of: "a")
        try History.add(History(seed: 8, count: 40).batches, from: 1, through: 40, to: &state)
        let bytes = Array(Self.chunks(of: state).joined())
        for index in bytes.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var changed = bytes
                changed[index] = value
                _ = try? Self.read([changed])
            }
        }
    }

    @Test func aSnapshotOfANewerVersionSaysSo() throws {
        var bytes = Array(Self.chunks(of: FlockState(of: "a")).joined())
        bytes[2] = 2
        #expect(throws: MalformedRecord(reason: "the snapshot is of version 2, this node knows 1", offset: 2)) {
            try Self.read([bytes])
        }
    }
}
