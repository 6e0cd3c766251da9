import Backbone
import BackboneSQLite
import Foundation
import GRDBSQLite
import MQTTModel
import Testing

/// P1: what was answered with `done` is there after the power has gone, whatever the disk did before.
@Suite("Power cuts and failing disks")
struct PowerCutTests {
    /// What a store was asked and how it answered, by the text of the message or the name of the session.
    private struct Asked {
        var outcomes: [String: BackboneOutcome] = [:]
        private var next = 0

        /// Messages, some of them retained, and sessions, each with a name of its own.
        mutating func ask(_ store: RunningStore, count: Int) {
            let names = (0..<count).map { "\(next + $0)" }
            next += count
            let commands = names.map { name -> BackboneCommand in
                switch (Int(name) ?? 0) % 4 {
                case 0:
                    .store([
                        .began(clientIdentifier: name),
                        .connected(clientIdentifier: name, expiryInterval: .max, will: nil),
                    ])
                default: .message(name + ":", bytes: .random(in: 0...3000))
                }
            }
            for (name, answer) in zip(names, store.perform(commands)) { outcomes[name] = answer.outcome }
        }

        func names(_ outcome: BackboneOutcome) -> Set<String> { Set(outcomes.filter { $0.value == outcome }.keys) }
    }

    private func foundNames(_ fixture: StoreFixture) throws -> [String] {
        let backbone = try fixture.open()
        defer { backbone.stop() }
        var names: [String] = []
        try backbone.restore { session in
            names.append(session.clientIdentifier)
        } retained: { _, _ in
        } entry: { entry, _ in
            let text = String(decoding: entry.message.payload, as: UTF8.self)
            names.append(String(text.prefix { $0 != ":" }))
        }
        return names
    }

    private func expectPromisesKept(_ disk: PowerCutDisk, _ asked: Asked, _ fixture: StoreFixture) throws {
        let copy = StoreFixture()
        copy.options.durability = fixture.options.durability
        try FileManager.default.createDirectory(atPath: copy.directory, withIntermediateDirectories: true)
        try disk.cutPower(into: copy.directory)
        let found = try foundNames(copy)
        #expect(Set(found).count == found.count, "each is there once")
        #expect(asked.names(.done).subtracting(found).isEmpty, "acknowledged and lost")
        #expect(asked.names(.full).isDisjoint(with: found), "refused and kept")
    }

    private func makeFixture() throws -> (StoreFixture, PowerCutDisk) {
        let fixture = StoreFixture()
        fixture.options.durability = .commit
        // Several times through the write-ahead log.
        fixture.options.busyCheckpointBytes = 200 << 10
        fixture.options.maximumWalBytes = 1 << 20
        try fixture.open().stop()
        return (fixture, PowerCutDisk(directory: fixture.directory))
    }

    @Test(arguments: 1...10)
    func aPowerCutCostsNothingThatWasAnswered(run: Int) throws {
        let (fixture, disk) = try makeFixture()
        let store = try fixture.run()
        defer { store.stop() }
        var asked = Asked()
        for _ in 0..<20 {
            asked.ask(store, count: .random(in: 1...30))
            try expectPromisesKept(disk, asked, fixture)
        }
        #expect(asked.names(.done).count == asked.outcomes.count)
    }

    /// After it nothing of the transaction is acknowledged. What is acknowledged later has been written and synced later.
    @Test(arguments: 1...20)
    func aFailedSyncIsNeverFollowedByAnAcknowledgement(run: Int) throws {
        let (fixture, disk) = try makeFixture()
        let store = try fixture.run()
        defer { store.stop() }
        var asked = Asked()
        for round in 0..<30 {
            // Commits and checkpoints alike.
            let fails = round % 3 == 1
            disk.setFaults { operation in
                operation == .sync && fails && Int.random(in: 0..<2) == 0 ? SQLITE_IOERR | (4 << 8) : nil
            }
            asked.ask(store, count: .random(in: 1...20))
            try expectPromisesKept(disk, asked, fixture)
        }
        #expect(disk.failedSyncs > 0)
        #expect(!asked.names(.unknown).isEmpty)
    }

    /// While only commits fail, it goes on by itself.
    @Test func aStoreRecoversFromCommitsThatFailed() throws {
        let (fixture, disk) = try makeFixture()
        let store = try fixture.run()
        defer { store.stop() }
        var asked = Asked()
        asked.ask(store, count: 4)
        disk.setFaults { $0 == .sync ? SQLITE_IOERR | (4 << 8) : nil }
        asked.ask(store, count: 4)
        disk.setFaults { _ in nil }
        asked.ask(store, count: 4)
        #expect(asked.names(.done).count == 8)
        #expect(fixture.events.all.contains(.recovered))
        try expectPromisesKept(disk, asked, fixture)
    }

    /// A checkpoint that got only so far does not sync what it has written to the file, and counts it as written. When the
    /// sync of a later one fails, that may be lost: nothing may be acknowledged that relies on the file.
    @Test func aFailedSyncOfTheFileEndsAcknowledging() throws {
        let (fixture, disk) = try makeFixture()
        let store = try fixture.run()
        var asked = Asked()
        disk.setFaults(in: StoreOptions.fileName) { $0 == .sync ? SQLITE_IOERR | (4 << 8) : nil }
        for _ in 0..<200 where asked.names(.unknown).isEmpty { asked.ask(store, count: 20) }
        #expect(!asked.names(.unknown).isEmpty)
        disk.setFaults { _ in nil }
        let done = asked.names(.done)
        asked.ask(store, count: 20)
        #expect(asked.names(.done) == done)
        #expect(!fixture.events.all.contains(.recovered))
        try expectPromisesKept(disk, asked, fixture)
        store.stop()
        try expectPromisesKept(disk, asked, fixture)
    }

    @Test(arguments: [SQLITE_IOERR | (3 << 8), SQLITE_FULL], 1...10)
    func aFailedWriteLeavesNoTrace(code: Int32, run: Int) throws {
        let (fixture, disk) = try makeFixture()
        let store = try fixture.run()
        defer { store.stop() }
        var asked = Asked()
        for round in 0..<30 {
            let fails = round % 3 == 1
            disk.setFaults { operation in
                operation == .write && fails && Int.random(in: 0..<10) == 0 ? code : nil
            }
            asked.ask(store, count: .random(in: 1...20))
            try expectPromisesKept(disk, asked, fixture)
        }
        #expect(!asked.names(.full).isEmpty)
        #expect(asked.names(.unknown).isEmpty)
    }

    /// A disk that never answers a sync with yes: nothing is acknowledged, and nobody hangs.
    @Test func aDiskThatIsGoneAcknowledgesNothing() throws {
        let (fixture, disk) = try makeFixture()
        let store = try fixture.run()
        disk.setFaults { _ in SQLITE_IOERR | (4 << 8) }
        var asked = Asked()
        for _ in 0..<5 { asked.ask(store, count: 5) }
        #expect(asked.names(.done).isEmpty)
        store.stop()
        #expect(fixture.events.all.count == 1)
        guard case .failed? = fixture.events.all.first else {
            Issue.record("\(fixture.events.all)")
            return
        }
    }
}
