import GRDB

/// The tables, and how older ones become these. A version that was released is never changed: a change is a new step.
///
/// Topics, filters and client identifiers are BLOBs: they are what their bytes are. The tables that change with every
/// message know a session by a number. Times are wall clock milliseconds.
enum StoreSchema {
    /// "Dnln", by which a file says whose it is (`PRAGMA application_id`).
    static let applicationIdentifier: Int32 = 0x446E_6C6E
    /// `PRAGMA user_version`: how many steps have been taken.
    static var version: Int { steps.count }

    static func migrate(_ database: Database, from version: Int) throws {
        guard version < steps.count else { return }
        try database.inTransaction(.immediate) {
            for step in steps[version...] { try database.execute(sql: step) }
            try database.execute(sql: "PRAGMA user_version = \(steps.count)")
            return .commit
        }
    }

    private static let steps = [
        """
        -- last_sequence: where the log ended when its end was deleted. clock: the latest wall clock time seen.
        CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

        -- flags: QoS, and 4 for the RETAIN flag. publisher: ApplicationMessage.publisherHash.
        CREATE TABLE log (
            sequence INTEGER PRIMARY KEY, topic BLOB NOT NULL, properties BLOB NOT NULL, payload BLOB NOT NULL,
            flags INTEGER NOT NULL, stored_at INTEGER NOT NULL, expires_at INTEGER, publisher INTEGER NOT NULL);
        -- The shared subscriptions that are not done with a message of the log.
        CREATE TABLE group_pending (
            sequence INTEGER NOT NULL, name BLOB NOT NULL, pattern BLOB NOT NULL,
            PRIMARY KEY (sequence, name, pattern)) WITHOUT ROWID;
        CREATE TABLE retained (
            topic BLOB NOT NULL UNIQUE, properties BLOB NOT NULL, payload BLOB NOT NULL,
            flags INTEGER NOT NULL, stored_at INTEGER NOT NULL, expires_at INTEGER, publisher INTEGER NOT NULL);
        CREATE INDEX retained_expiry ON retained (expires_at) WHERE expires_at IS NOT NULL;

        -- expiry: seconds, 4294967295 for ever. is_connected: 0, or a life of the broker (lives). expires_at: NULL while
        -- connected, and for ever.
        CREATE TABLE sessions (
            key INTEGER PRIMARY KEY, client BLOB NOT NULL UNIQUE, expiry INTEGER NOT NULL,
            is_connected INTEGER NOT NULL, expires_at INTEGER);
        -- due_at: NULL while connected.
        CREATE TABLE wills (
            session INTEGER PRIMARY KEY, topic BLOB NOT NULL, properties BLOB NOT NULL, payload BLOB NOT NULL,
            flags INTEGER NOT NULL, expiry_interval INTEGER, delay INTEGER NOT NULL, due_at INTEGER);
        CREATE TABLE subscriptions (
            session INTEGER NOT NULL, filter BLOB NOT NULL, position INTEGER NOT NULL, options INTEGER NOT NULL,
            identifier INTEGER NOT NULL, since INTEGER NOT NULL,
            PRIMARY KEY (session, filter)) WITHOUT ROWID;
        -- QoS 2 from the client: packet identifiers between PUBREC and PUBREL.
        CREATE TABLE received (
            session INTEGER NOT NULL, packet_identifier INTEGER NOT NULL,
            PRIMARY KEY (session, packet_identifier)) WITHOUT ROWID;
        -- QoS 2 to the client. phase: RestoredSession.Sent.Phase. position: the order of sending.
        CREATE TABLE sent (
            session INTEGER NOT NULL, sequence INTEGER NOT NULL, packet_identifier INTEGER NOT NULL,
            phase INTEGER NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (session, sequence)) WITHOUT ROWID;
        CREATE TABLE cursors (session INTEGER PRIMARY KEY, through INTEGER NOT NULL);
        """,
        """
        -- What subscriptions were before they ended or got other options, for what was logged up to until.
        CREATE TABLE earlier_subscriptions (
            session INTEGER NOT NULL, until INTEGER NOT NULL, filter BLOB NOT NULL, options INTEGER NOT NULL,
            identifier INTEGER NOT NULL, since INTEGER NOT NULL,
            PRIMARY KEY (session, until, filter)) WITHOUT ROWID;

        -- The order in which retained messages and wishes were noted.
        ALTER TABLE retained ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
        -- Copies of retained messages that a session was promised: of those with a lower position. number: LogSequence.wish.
        CREATE TABLE wishes (
            session INTEGER NOT NULL, number INTEGER NOT NULL, pattern BLOB NOT NULL, options INTEGER NOT NULL,
            identifier INTEGER NOT NULL, since INTEGER NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (session, number)) WITHOUT ROWID;

        -- share: the shared subscription by which the message came, empty for the session's own ones. topic: of a retained
        -- message's copy, whose sequence is LogSequence.firstCopy or higher.
        CREATE TABLE sent_by_way (
            session INTEGER NOT NULL, sequence INTEGER NOT NULL, share BLOB NOT NULL, packet_identifier INTEGER NOT NULL,
            phase INTEGER NOT NULL, position INTEGER NOT NULL, topic BLOB,
            PRIMARY KEY (session, sequence, share)) WITHOUT ROWID;
        INSERT INTO sent_by_way SELECT session, sequence, ifnull(
            (SELECT subscriptions.filter FROM group_pending JOIN subscriptions
                ON subscriptions.filter = CAST('$share/' || name || '/' || pattern AS BLOB)
                WHERE group_pending.sequence = sent.sequence AND subscriptions.session = sent.session), x''),
            packet_identifier, phase, position, NULL FROM sent;
        DROP TABLE sent;
        ALTER TABLE sent_by_way RENAME TO sent;
        """,
        """
        -- The broker's lives on this store that are over. sessions.is_connected names the one in which a client connected
        -- that is not noted to be away: what counts from the end of its connection counts from ended_at.
        CREATE TABLE lives (number INTEGER PRIMARY KEY, ended_at INTEGER NOT NULL);
        """,
    ]
}
