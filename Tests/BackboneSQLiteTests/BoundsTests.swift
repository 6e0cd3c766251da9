import Backbone
import BackboneSQLite
import Foundation
import GRDB
import MQTTModel
import Testing

/// What has a bound, and what happens at it.
@Suite("Bounds")
struct BoundsTests {
    private func retainedLog(_ fixture: StoreFixture) throws -> [LogSequence] { try fixture.reopened().sequences }

    @Test func aFullDiskRefusesAppendsAndRecoversWhenSpaceReturns() throws {
        let fixture = StoreFixture()
        fixture.options.maximumFileBytes = 512 << 10
        let store = try fixture.run()
        var outcomes: [BackboneOutcome] = []
        repeat {
            outcomes = store.perform([.message(bytes: 2000)]).map(\.outcome)
        } while outcomes == [.done]
        #expect(outcomes == [.full])
        let last = store.backbone.statistics.lastSequence
        #expect(store.backbone.statistics.refused == 1)
        #expect(store.backbone.statistics.lastError != nil)
        guard case .full? = fixture.events.all.last else { throw Unexpected(events: fixture.events.all) }

        // What makes room goes through beside an append that does not, in one transaction.
        let mixed = store.perform([
            .message(bytes: 300_000), .store([.began(clientIdentifier: "c")]), .trim(shard: 0, through: last),
            .trim(shard: 1, through: last),
        ])
        #expect(mixed.map(\.outcome) == [.full, .done, .done, .done])
        let answers = store.perform([.message(bytes: 2000)])
        #expect(answers.map(\.outcome) == [.done])
        #expect(answers.map { $0.entry?.sequence } == [last + 1])
        store.stop()
        #expect(fixture.events.all.count == 2)
        #expect(fixture.events.all.last == .recovered)
        let found = try fixture.reopened()
        #expect(found.sequences == [last + 1])
        #expect(found.sessions.count == 1)
    }

    @Test func aFullDiskGetsBackWhatTheWriteAheadLogHolds() throws {
        let fixture = StoreFixture()
        fixture.options.maximumFileBytes = 512 << 10
        let store = try fixture.run()
        var outcomes: [BackboneOutcome] = []
        repeat {
            outcomes = store.perform([.message(bytes: 2000)]).map(\.outcome)
        } while outcomes == [.done]
        _ = store.perform([.message(bytes: 2000)])
        let size = try FileManager.default.attributesOfItem(atPath: fixture.options.path + "-wal")[.size] as? Int
        #expect(size == 0)
        store.stop()
    }

    @Test func theQueueBeforeTheDiskIsBounded() throws {
        let fixture = StoreFixture()
        fixture.options.maximumPendingCommands = 3
        let backbone = try fixture.open()
        // Nothing is taken out before it is started.
        for number in 0..<5 {
            backbone.submit(.message("\(number)"), submitter: 7, token: BackboneToken(rawValue: UInt64(number)))
        }
        let outcomes = OutcomeBox()
        try backbone.start(onCommit: { outcomes.add($0) })
        backbone.stop()
        #expect(outcomes.all.map(\.token.rawValue) == [0, 1, 2, 3, 4])
        #expect(outcomes.all.map(\.outcome) == [.done, .done, .done, .full, .full])
        #expect(outcomes.all.allSatisfy { $0.submitter == 7 })
        #expect(backbone.statistics.refused == 2)
    }

    @Test func theBytesBeforeTheDiskAreBounded() throws {
        let fixture = StoreFixture()
        fixture.options.maximumPendingBytes = 1000
        let backbone = try fixture.open()
        for (number, bytes) in [600, 600, 300].enumerated() {
            backbone.submit(.message(bytes: bytes), submitter: 0, token: BackboneToken(rawValue: UInt64(number)))
        }
        let outcomes = OutcomeBox()
        try backbone.start(onCommit: { outcomes.add($0) })
        backbone.stop()
        #expect(outcomes.all.map(\.outcome) == [.done, .full, .done])
    }

    @Test func beyondTheLogsBytesTheOldestGo() throws {
        let fixture = StoreFixture()
        fixture.options.maximumLogBytes = 10_000
        let store = try fixture.run()
        for _ in 0..<100 { store.perform([.message(bytes: 498)]) }
        let statistics = store.backbone.statistics
        #expect(statistics.logBytes <= 10_000)
        #expect(statistics.logMessages == 20)
        #expect(statistics.droppedByRetention == 80)
        #expect(statistics.retentionThrough == 80)
        store.stop()
        // Whoever has sequences in a queue was told as they went.
        #expect(store.dropped == store.dropped.sorted())
        #expect(store.dropped.last == 80)
        #expect(fixture.events.all == [.dropped(count: 1, through: 1)])
        #expect(try retainedLog(fixture) == Array(81...100))
    }

    @Test func beyondTheLogsAgeTheOldestGo() throws {
        let fixture = StoreFixture()
        fixture.options.maximumLogAge = .seconds(60)
        let store = try fixture.run()
        store.perform([.message(), .message()])
        fixture.clock.advance(milliseconds: 59_000)
        store.perform([.message()])
        #expect(store.backbone.statistics.logMessages == 3)
        fixture.clock.advance(milliseconds: 2_000)
        store.perform([.message()])
        store.stop()
        #expect(try retainedLog(fixture).last == 4)
        #expect(store.backbone.statistics.droppedByRetention >= 2)
    }

    /// Commands are answered while the log goes, also when its messages fill many pages each. How long one step of it takes
    /// is counted (`longestTrimMicroseconds`), and not a matter for a test.
    @Test(arguments: [(20_000, 100), (300, 400_000)])
    func commandsAreAnsweredWhileTheLogIsDeleted(count: Int, bytes: Int) throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        for start in stride(from: 0, to: count, by: 1000) {
            store.perform((start..<min(count, start + 1000)).map { _ in .message(bytes: bytes) })
        }
        let last = LogSequence(count)
        store.perform([.trim(shard: 0, through: last), .trim(shard: 1, through: last)])
        while store.backbone.statistics.logMessages > 0 {
            #expect(store.perform([.store([])]).map(\.outcome) == [.done])
        }
        #expect(store.backbone.statistics.trimmed == count)
        store.stop()
    }

    /// Another program that opened the file and writes.
    @Test func whoHoldsTheLockIsWaitedForAndReported() throws {
        let fixture = StoreFixture()
        let backbone = try fixture.open()
        let answers = OutcomeBox()
        try backbone.start(onCommit: { answers.add($0) })
        var allowing = Configuration()
        allowing.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: fixture.options.path, configuration: allowing)
        try other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        backbone.submit(.message(), submitter: 0, token: BackboneToken(rawValue: 1))
        while backbone.statistics.lockedOut < 2 { Thread.sleep(forTimeInterval: 0.01) }
        #expect(answers.all.isEmpty)
        #expect(fixture.events.all == [.lockedOut])
        try other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        while fixture.events.all.count < 2 { Thread.sleep(forTimeInterval: 0.01) }
        #expect(answers.all.map(\.outcome) == [.done])
        guard case .letIn? = fixture.events.all.last else { throw Unexpected(events: fixture.events.all) }
        // And the broker's end does not wait for it.
        try other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        backbone.submit(.message(), submitter: 0, token: BackboneToken(rawValue: 2))
        backbone.stop()
        #expect(answers.all.map(\.outcome) == [.done, .unknown])
        try other.close()
        #expect(try fixture.reopened().sequences == [1])
    }

    @Test func aMessageIsKeptUntilEveryShardHasGivenItUp() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        store.perform((0..<10).map { .message("\($0)") })
        store.perform([.trim(shard: 0, through: 8), .trim(shard: 1, through: 5)])
        store.stop()
        #expect(try retainedLog(fixture) == [6, 7, 8, 9, 10])
    }

    @Test func aMessageIsKeptUntilEveryGroupIsDoneWithIt() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        let groups = [SharedGroup(name: "g", pattern: "t"), SharedGroup(name: "h", pattern: "t")]
        var append = LogAppend(message: ApplicationMessage(topic: "t", payload: [1]), publisher: .none)
        append.groups = groups
        store.perform([.message(), .append(append), .message()])
        store.perform([.trim(shard: 0, through: 3), .trim(shard: 1, through: 3)])
        #expect(store.backbone.statistics.logMessages == 1)
        store.perform([.store([.groupFinished(groups[0], sequence: 2)])])
        #expect(store.backbone.statistics.logMessages == 1)
        store.perform([.store([.groupFinished(groups[1], sequence: 2)])])
        #expect(store.backbone.statistics.logMessages == 0)
        store.stop()
        #expect(try retainedLog(fixture).isEmpty)
    }

    @Test func aMessageThatNobodyWantsNeverTouchesTheDisk() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        let message = ApplicationMessage(topic: "t", payload: [1], qos: .atLeastOnce)
        let before = store.backbone.statistics.commits
        store.perform([.append(LogAppend(message: message, publisher: .none))])
        #expect(store.backbone.statistics.commits == before)
        store.stop()
    }

    @Test func theWriteAheadLogBeginsAnewThoughTheWriterIsBusy() throws {
        let fixture = StoreFixture()
        fixture.options.busyCheckpointBytes = 256 << 10
        fixture.options.maximumWalBytes = 1 << 20
        let store = try fixture.run()
        for _ in 0..<400 { store.perform((0..<10).map { _ in .message(bytes: 1000) }) }
        #expect(store.backbone.statistics.checkpoints > 0)
        #expect(store.backbone.statistics.walBytes < 2 << 20)
        store.stop()
        #expect(try retainedLog(fixture).count == 4000)
    }
}

private struct Unexpected: Error {
    let events: [StoreEvent]
}

private final class OutcomeBox: @unchecked Sendable {
    private let lock = NSLock()
    private var settled: [Settled] = []

    func add(_ more: [Settled]) { lock.withLock { settled += more } }
    var all: [Settled] { lock.withLock { settled } }
}
