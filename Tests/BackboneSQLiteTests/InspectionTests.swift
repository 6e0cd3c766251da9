import Backbone
import BackboneSQLite
import Foundation
import MQTTModel
import Testing

/// What looks at a store beside the broker.
@Suite("Inspection")
struct InspectionTests {
    private func filled(_ fixture: StoreFixture) throws -> RunningStore {
        let store = try fixture.run()
        store.perform([
            .store([
                .began(clientIdentifier: "c"), .connected(clientIdentifier: "c", expiryInterval: 60, will: nil),
                .began(clientIdentifier: "d"), .connected(clientIdentifier: "d", expiryInterval: 60, will: nil),
                .disconnected(clientIdentifier: "d", expiryInterval: 60, willDelay: nil),
            ]), .message("1", isRetained: true), .message("2"),
        ])
        return store
    }

    @Test func aStoreIsReadWhileABrokerWorksOnIt() throws {
        let fixture = StoreFixture()
        let store = try filled(fixture)
        let inspection = try StoreInspection(directory: fixture.directory)
        var sessions: [String: Bool] = [:]
        var retained: [String] = []
        var sequences: [LogSequence] = []
        try inspection.read(
            at: fixture.clock.now, session: { sessions[$0.clientIdentifier] = $1 },
            retained: { retained.append($0.topicString) }, entry: { entry, _ in sequences.append(entry.sequence) })
        #expect(sessions == ["c": true, "d": false])
        #expect(retained == ["t"])
        #expect(sequences == [1, 2])
        #expect(try inspection.problems().isEmpty)
        #expect(store.perform([.message("3")]).map(\.outcome) == [.done])
        store.stop()
    }

    @Test func aDirectoryWithoutAStoreIsSaidToHaveNone() throws {
        let fixture = StoreFixture()
        #expect {
            _ = try StoreInspection(directory: fixture.directory)
        } throws: {
            ($0 as? BackboneError)?.code == .missing
        }
        #expect(!FileManager.default.fileExists(atPath: fixture.directory))
    }

    @Test func whatADeadProcessLeftIsRead() throws {
        let fixture = StoreFixture()
        let store = try filled(fixture)
        defer { store.stop() }
        let copy = try fixture.copyOfFiles()
        var count = 0
        try StoreInspection(directory: copy.directory).read(
            at: 0, session: { _, _ in }, retained: { _ in }, entry: { _, _ in count += 1 })
        #expect(count == 2)
    }

    @Test func aBackupOfABusyStoreRestores() throws {
        let fixture = StoreFixture()
        let store = try filled(fixture)
        let restored = StoreFixture()
        try FileManager.default.createDirectory(atPath: restored.directory, withIntermediateDirectories: true)
        try StoreInspection(directory: fixture.directory).backUp(to: restored.options.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: restored.directory) == [StoreOptions.fileName])
        store.perform([.message("after it")])
        store.stop()
        let found = try restored.reopened()
        #expect(found.sequences == [1, 2])
        #expect(found.sessions.count == 2)
        #expect(found.retained.count == 1)
        #expect(try fixture.reopened().sequences == [1, 2, 3])
    }

    @Test func aBackupOverwritesNothing() throws {
        let fixture = StoreFixture()
        let store = try filled(fixture)
        defer { store.stop() }
        let file = fixture.directory + "/backup"
        try Data("mine".utf8).write(to: URL(fileURLWithPath: file))
        #expect(throws: BackboneError.self) {
            try StoreInspection(directory: fixture.directory).backUp(to: file)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == Data("mine".utf8))
    }

    @Test func aBackupThatCannotBeMadeLeavesNothing() throws {
        let fixture = StoreFixture()
        let store = try filled(fixture)
        defer { store.stop() }
        let before = try FileManager.default.contentsOfDirectory(atPath: fixture.directory).sorted()
        #expect(throws: BackboneError.self) {
            try StoreInspection(directory: fixture.directory).backUp(to: fixture.directory + "/no/such/place")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory).sorted() == before)
    }
}
