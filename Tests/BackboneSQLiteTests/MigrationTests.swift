import BackboneSQLite
import Foundation
import GRDB
import Testing

/// A store that an earlier version left is taken over with all that it holds.
@Suite("Migration")
struct MigrationTests {
    /// The tables of version 1, and two sessions that are in the middle of things.
    private static let versionOne = """
        CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE log (
            sequence INTEGER PRIMARY KEY, topic BLOB NOT NULL, properties BLOB NOT NULL, payload BLOB NOT NULL,
            flags INTEGER NOT NULL, stored_at INTEGER NOT NULL, expires_at INTEGER, publisher INTEGER NOT NULL);
        CREATE TABLE group_pending (
            sequence INTEGER NOT NULL, name BLOB NOT NULL, pattern BLOB NOT NULL,
            PRIMARY KEY (sequence, name, pattern)) WITHOUT ROWID;
        CREATE TABLE retained (
            topic BLOB NOT NULL UNIQUE, properties BLOB NOT NULL, payload BLOB NOT NULL,
            flags INTEGER NOT NULL, stored_at INTEGER NOT NULL, expires_at INTEGER, publisher INTEGER NOT NULL);
        CREATE INDEX retained_expiry ON retained (expires_at) WHERE expires_at IS NOT NULL;
        CREATE TABLE sessions (
            key INTEGER PRIMARY KEY, client BLOB NOT NULL UNIQUE, expiry INTEGER NOT NULL,
            is_connected INTEGER NOT NULL, expires_at INTEGER);
        CREATE TABLE wills (
            session INTEGER PRIMARY KEY, topic BLOB NOT NULL, properties BLOB NOT NULL, payload BLOB NOT NULL,
            flags INTEGER NOT NULL, expiry_interval INTEGER, delay INTEGER NOT NULL, due_at INTEGER);
        CREATE TABLE subscriptions (
            session INTEGER NOT NULL, filter BLOB NOT NULL, position INTEGER NOT NULL, options INTEGER NOT NULL,
            identifier INTEGER NOT NULL, since INTEGER NOT NULL,
            PRIMARY KEY (session, filter)) WITHOUT ROWID;
        CREATE TABLE received (
            session INTEGER NOT NULL, packet_identifier INTEGER NOT NULL,
            PRIMARY KEY (session, packet_identifier)) WITHOUT ROWID;
        CREATE TABLE sent (
            session INTEGER NOT NULL, sequence INTEGER NOT NULL, packet_identifier INTEGER NOT NULL,
            phase INTEGER NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (session, sequence)) WITHOUT ROWID;
        CREATE TABLE cursors (session INTEGER PRIMARY KEY, through INTEGER NOT NULL);

        INSERT INTO sessions VALUES (1, CAST('own' AS BLOB), 60, 1, NULL), (2, CAST('shared' AS BLOB), 60, 1, NULL);
        INSERT INTO subscriptions VALUES
            (1, CAST('#' AS BLOB), 1, 2, 5, 0), (2, CAST('$share/g/t' AS BLOB), 2, 2, 0, 0);
        INSERT INTO log VALUES
            (1, CAST('t' AS BLOB), x'', x'01', 2, 0, NULL, 0), (2, CAST('t' AS BLOB), x'', x'02', 2, 0, NULL, 0);
        INSERT INTO group_pending VALUES
            (1, CAST('g' AS BLOB), CAST('t' AS BLOB)), (2, CAST('g' AS BLOB), CAST('t' AS BLOB));
        INSERT INTO sent VALUES (1, 1, 7, 1, 3), (1, 2, 8, 0, 4), (2, 2, 9, 0, 5);
        INSERT INTO cursors VALUES (1, 0), (2, 0);
        INSERT INTO retained VALUES (CAST('r' AS BLOB), x'', x'03', 5, 0, NULL, 0);
        PRAGMA user_version = 1;
        PRAGMA application_id = 1148087406;
        """

    private func versionOne() throws -> StoreFixture {
        let fixture = StoreFixture()
        try FileManager.default.createDirectory(atPath: fixture.directory, withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: fixture.options.path)
        try queue.writeWithoutTransaction { try $0.execute(sql: Self.versionOne) }
        try queue.close()
        return fixture
    }

    @Test func nothingIsLostAndExchangesFindTheirSubscriptions() throws {
        let fixture = try versionOne()
        let found = try fixture.reopened()
        #expect(
            found.sessions == [
                "own; expiry 60; in 60; # options 2 id 5 since 0; received []; sent 1 by itself as 7 phase 1 ; "
                    + "sent 2 by itself as 8 phase 0 ; cursor 0",
                "shared; expiry 60; in 60; $share/g/t options 2 id 0 since 0; received []; sent 2 by g/t as 9 phase 0 ; "
                    + "cursor 0",
            ])
        #expect(found.sequences == [1, 2])
        #expect(found.retained == ["r [3] +0 QoS 1 retained by 0"])
        #expect(try fixture.reopened() == found)
    }
}
