import Backbone
import BackboneSQLite
import Foundation
import GRDB
import MQTTModel
import Testing

/// A store that cannot be used says why and what to do, and is left as it was.
@Suite("Opening")
struct OpeningTests {
    private func failure(opening fixture: StoreFixture) -> BackboneError? {
        do {
            try fixture.open().stop()
            return nil
        } catch {
            return error as? BackboneError
        }
    }

    private func fixture(withFile data: Data) throws -> StoreFixture {
        let fixture = StoreFixture()
        try FileManager.default.createDirectory(atPath: fixture.directory, withIntermediateDirectories: true)
        try data.write(to: URL(fileURLWithPath: fixture.options.path))
        return fixture
    }

    private func bytes(_ fixture: StoreFixture) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: fixture.options.path))
    }

    @Test(arguments: ["x", "not a database, but longer than the header of one: " + String(repeating: "x", count: 200)])
    func aFileThatIsNoDatabaseIsForeign(text: String) throws {
        let fixture = try fixture(withFile: Data(text.utf8))
        let error = failure(opening: fixture)
        #expect(error?.code == .foreign)
        #expect(error?.description.contains("Move it away") == true)
        #expect(try bytes(fixture) == Data(text.utf8))
        #expect(!FileManager.default.fileExists(atPath: fixture.options.path + "-wal"))
    }

    @Test func anotherApplicationsDatabaseIsForeign() throws {
        let fixture = try fixture(withFile: Data())
        let queue = try DatabaseQueue(path: fixture.options.path)
        try queue.write { try $0.execute(sql: "CREATE TABLE theirs (x)") }
        try queue.close()
        let before = try bytes(fixture)
        #expect(failure(opening: fixture)?.code == .foreign)
        #expect(try bytes(fixture) == before)
    }

    @Test func anEmptyFileBecomesAStore() throws {
        #expect(failure(opening: try fixture(withFile: Data())) == nil)
    }

    /// Messages are nobody else's business.
    @Test func onlyTheOwnerReadsTheFiles() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        defer { store.stop() }
        store.perform([.message()])
        for name in try FileManager.default.contentsOfDirectory(atPath: fixture.directory) {
            let attributes = try FileManager.default.attributesOfItem(atPath: fixture.directory + "/" + name)
            #expect((attributes[.posixPermissions] as? Int ?? 0) & 0o077 == 0, "\(name)")
        }
    }

    @Test func aNewerSchemaIsLeftAlone() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        store.perform([.message()])
        store.stop()
        let queue = try DatabaseQueue(path: fixture.options.path)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
        try queue.close()
        let before = try bytes(fixture)
        let error = failure(opening: fixture)
        #expect(error?.code == .newer)
        #expect(error?.description.contains("99") == true)
        #expect(try bytes(fixture) == before)
    }

    @Test func aDamagedFileIsFoundWhenItIsOpenedOrRead() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        store.perform((0..<2000).map { .message("\($0)", bytes: 100, isRetained: $0 % 7 == 0) })
        store.stop()
        var data = try bytes(fixture)
        let pages = data.count / 4096
        #expect(pages > 20)
        for page in stride(from: 3, to: pages, by: 5) {
            data.replaceSubrange(page * 4096..<page * 4096 + 512, with: Data(repeating: 0xA5, count: 512))
        }
        try data.write(to: URL(fileURLWithPath: fixture.options.path))
        #expect(failure(opening: fixture)?.code == .corrupt)
        #expect(try bytes(fixture) == data)

        // One that is too large to be checked whole gives what it can and then an error, not half of the truth.
        fixture.options.checkedFileBytes = 0
        #expect {
            let backbone = try fixture.open()
            defer { backbone.stop() }
            _ = try Snapshot(restoring: backbone)
        } throws: {
            ($0 as? BackboneError)?.code == .corrupt
        }
    }

    @Test func aFileThatWasCutShortIsDamaged() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        store.perform((0..<500).map { .message("\($0)", bytes: 100) })
        store.stop()
        try bytes(fixture).prefix(10_000).write(to: URL(fileURLWithPath: fixture.options.path))
        #expect(failure(opening: fixture)?.code == .corrupt)
    }

    @Test func aSecondBrokerOnADirectoryIsRefused() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        #expect(failure(opening: fixture)?.code == .inUse)
        store.perform([.message()])
        store.stop()
        #expect(try fixture.reopened().log.count == 1)
    }

    /// A directory that not even root may write to.
    @Test(arguments: ["/proc/self/dunlin", "/proc/self", "/dev/null/x"])
    func aDirectoryThatCannotBeWrittenToIsRefused(directory: String) {
        let fixture = StoreFixture()
        fixture.options.directory = directory
        let error = failure(opening: fixture)
        #expect(error?.code == .directoryUnusable)
        #expect(error?.description.contains(directory) == true)
    }

    @Test(.enabled(if: geteuid() != 0, "root writes to everything"))
    func aFileThatCannotBeWrittenToIsRefused() throws {
        let fixture = StoreFixture()
        try fixture.open().stop()
        try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: fixture.options.path)
        #expect(failure(opening: fixture)?.code == .readOnly)
    }

    @Test(arguments: [(Durability.commit, 2), (.os, 1), (.none, 0)])
    func synchronousIsWhatTheDurabilityNeeds(durability: Durability, synchronous: Int) throws {
        let fixture = StoreFixture()
        fixture.options.durability = durability
        let backbone = try fixture.open()
        defer { backbone.stop() }
        #expect(try backbone.pragma("synchronous") == "\(synchronous)")
        #expect(try backbone.pragma("journal_mode") == "wal")
        #expect(try backbone.pragma("wal_autocheckpoint") == "0")
    }
}
