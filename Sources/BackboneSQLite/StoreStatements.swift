/// The writer's statements, prepared when the store is opened.
final class StoreStatements {
    let message: MessageStatements
    let session: SessionStatements
    let trim: TrimStatements
    let begin: PreparedStatement
    let commit: PreparedStatement
    private let all: [PreparedStatement]

    init(_ connection: OpaquePointer) throws(StoreFault) {
        var maker = StatementMaker(connection: connection)
        message = try MessageStatements(&maker)
        session = try SessionStatements(&maker)
        trim = try TrimStatements(&maker)
        begin = try maker.prepare("BEGIN IMMEDIATE")
        commit = try maker.prepare("COMMIT")
        all = maker.made
    }

    /// Ends their use, for a connection that will be closed.
    func finalize() {
        for statement in all { statement.finalize() }
    }
}

/// Prepares statements and remembers them.
struct StatementMaker {
    let connection: OpaquePointer
    private(set) var made: [PreparedStatement] = []

    init(connection: OpaquePointer) { self.connection = connection }

    mutating func prepare(_ sql: String) throws(StoreFault) -> PreparedStatement {
        let statement = try PreparedStatement(connection, sql)
        made.append(statement)
        return statement
    }
}

/// For what an append changes, and for the counters.
struct MessageStatements {
    let insertLog: PreparedStatement
    let insertPending: PreparedStatement
    let putRetained: PreparedStatement
    let deleteRetained: PreparedStatement
    let findExpired: PreparedStatement
    let deleteExpired: PreparedStatement
    let putCounter: PreparedStatement
    let putLife: PreparedStatement
    let deleteLivesBefore: PreparedStatement

    init(_ maker: inout StatementMaker) throws(StoreFault) {
        insertLog = try maker.prepare("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        insertPending = try maker.prepare("INSERT OR IGNORE INTO group_pending VALUES (?, ?, ?)")
        putRetained = try maker.prepare(
            """
            INSERT INTO retained VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (topic) DO UPDATE SET
            properties = ?2, payload = ?3, flags = ?4, stored_at = ?5, expires_at = ?6, publisher = ?7, position = ?8
            """)
        deleteRetained = try maker.prepare("DELETE FROM retained WHERE topic = ?")
        findExpired = try maker.prepare("SELECT 1 FROM retained WHERE expires_at <= ? LIMIT 1")
        // A thousand at most, for a commit may be waiting for it; the others next time.
        deleteExpired = try maker.prepare(
            """
            DELETE FROM retained WHERE rowid IN (SELECT rowid FROM retained WHERE expires_at <= ? LIMIT 1000)
            """)
        putCounter = try maker.prepare(
            "INSERT INTO counters VALUES (CAST(?1 AS TEXT), ?2) ON CONFLICT (name) DO UPDATE SET value = max(value, ?2)"
        )
        putLife = try maker.prepare("INSERT OR IGNORE INTO lives VALUES (?, ?)")
        deleteLivesBefore = try maker.prepare("DELETE FROM lives WHERE number < ?")
    }
}

/// For the changes of sessions.
struct SessionStatements {
    let findSession: PreparedStatement
    let insertSession: PreparedStatement
    let setConnected: PreparedStatement
    let setDisconnected: PreparedStatement
    let putWill: PreparedStatement
    let setWillDue: PreparedStatement
    let deleteWill: PreparedStatement
    /// All that a session has beside its row, then the row.
    let deleteSession: [PreparedStatement]
    let keepSubscription: PreparedStatement
    let putSubscription: PreparedStatement
    let deleteSubscription: PreparedStatement
    let insertReceived: PreparedStatement
    let deleteReceived: PreparedStatement
    let putSent: PreparedStatement
    let setPhase: PreparedStatement
    let putFinished: PreparedStatement
    let deleteSent: PreparedStatement
    let deleteSentThrough: PreparedStatement
    let deleteEarlierThrough: PreparedStatement
    let putWish: PreparedStatement
    let deleteWish: PreparedStatement
    let deleteCopies: PreparedStatement
    let putCursor: PreparedStatement

    init(_ maker: inout StatementMaker) throws(StoreFault) {
        findSession = try maker.prepare("SELECT key FROM sessions WHERE client = ?")
        insertSession = try maker.prepare("INSERT INTO sessions VALUES (?, ?, 0, ?, NULL)")
        setConnected = try maker.prepare(
            "UPDATE sessions SET expiry = ?2, is_connected = ?3, expires_at = NULL WHERE key = ?1")
        setDisconnected = try maker.prepare(
            "UPDATE sessions SET expiry = ?2, is_connected = 0, expires_at = ?3 WHERE key = ?1")
        putWill = try maker.prepare("INSERT OR REPLACE INTO wills VALUES (?, ?, ?, ?, ?, ?, ?, NULL)")
        setWillDue = try maker.prepare("UPDATE wills SET due_at = ?2 WHERE session = ?1")
        deleteWill = try maker.prepare("DELETE FROM wills WHERE session = ?")
        var deletions: [PreparedStatement] = []
        for table in [
            "wills", "subscriptions", "earlier_subscriptions", "received", "sent", "wishes", "cursors",
        ] {
            deletions.append(try maker.prepare("DELETE FROM \(table) WHERE session = ?"))
        }
        deletions.append(try maker.prepare("DELETE FROM sessions WHERE key = ?"))
        deleteSession = deletions

        // Only where there is something that it wants, and that the change makes a difference to: 15 leaves Retain Handling
        // out.
        keepSubscription = try maker.prepare(
            """
            INSERT OR IGNORE INTO earlier_subscriptions SELECT session, ?3, filter, options, identifier, since
            FROM subscriptions WHERE session = ?1 AND filter = ?2 AND since < ?3
            AND (options & 15 <> ?4 & 15 OR identifier <> ?5)
            """)
        putSubscription = try maker.prepare(
            """
            INSERT INTO subscriptions VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (session, filter) DO UPDATE SET
            options = ?4, identifier = ?5,
            since = CASE WHEN options & 15 <> ?4 & 15 OR identifier <> ?5 THEN max(since, ?6) ELSE since END
            """)
        deleteSubscription = try maker.prepare("DELETE FROM subscriptions WHERE session = ? AND filter = ?")
        insertReceived = try maker.prepare("INSERT OR IGNORE INTO received VALUES (?, ?)")
        deleteReceived = try maker.prepare("DELETE FROM received WHERE session = ? AND packet_identifier = ?")
        putSent = try maker.prepare("INSERT OR REPLACE INTO sent VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)")
        setPhase = try maker.prepare("UPDATE sent SET phase = ?4 WHERE session = ?1 AND sequence = ?2 AND share = ?3")
        putFinished = try maker.prepare(
            """
            INSERT INTO sent VALUES (?1, ?2, x'', 0, 2, ?3, NULL) ON CONFLICT (session, sequence, share)
            DO UPDATE SET phase = 2
            """)
        deleteSent = try maker.prepare("DELETE FROM sent WHERE session = ? AND sequence = ? AND share = ?")
        // Those of shared subscriptions last until they are finished, wherever the session's cursor is.
        deleteSentThrough = try maker.prepare(
            "DELETE FROM sent WHERE session = ? AND sequence <= ? AND share = x''")
        deleteEarlierThrough = try maker.prepare("DELETE FROM earlier_subscriptions WHERE session = ? AND until <= ?")
        putWish = try maker.prepare("INSERT OR REPLACE INTO wishes VALUES (?, ?, ?, ?, ?, ?, ?)")
        deleteWish = try maker.prepare("DELETE FROM wishes WHERE session = ? AND number = ?")
        deleteCopies = try maker.prepare("DELETE FROM sent WHERE session = ? AND sequence BETWEEN ? AND ?")
        putCursor = try maker.prepare(
            "INSERT INTO cursors VALUES (?1, ?2) ON CONFLICT (session) DO UPDATE SET through = max(through, ?2)")
    }
}

/// For what the log loses.
struct TrimStatements {
    let deletePending: PreparedStatement
    let hasPending: PreparedStatement
    let deletePendingSpan: PreparedStatement
    let measureSpan: PreparedStatement
    let deleteSpan: PreparedStatement
    let measureUnneededSpan: PreparedStatement
    let deleteUnneededSpan: PreparedStatement
    let lastStoredBefore: PreparedStatement
    let nextLogged: PreparedStatement

    init(_ maker: inout StatementMaker) throws(StoreFault) {
        deletePending = try maker.prepare("DELETE FROM group_pending WHERE sequence = ? AND name = ? AND pattern = ?")
        hasPending = try maker.prepare("SELECT 1 FROM group_pending WHERE sequence = ? LIMIT 1")
        deletePendingSpan = try maker.prepare("DELETE FROM group_pending WHERE sequence BETWEEN ? AND ?")
        let size = "length(topic) + length(properties) + length(payload)"
        measureSpan = try maker.prepare("SELECT count(*), total(\(size)) FROM log WHERE sequence BETWEEN ? AND ?")
        deleteSpan = try maker.prepare("DELETE FROM log WHERE sequence BETWEEN ? AND ?")
        let unneeded = "NOT EXISTS (SELECT 1 FROM group_pending AS waiting WHERE waiting.sequence = log.sequence)"
        measureUnneededSpan = try maker.prepare(
            "SELECT count(*), total(\(size)) FROM log WHERE sequence BETWEEN ? AND ? AND \(unneeded)")
        deleteUnneededSpan = try maker.prepare("DELETE FROM log WHERE sequence BETWEEN ? AND ? AND \(unneeded)")
        lastStoredBefore = try maker.prepare(
            "SELECT max(sequence) FROM log WHERE sequence BETWEEN ? AND ? AND stored_at < ?")
        nextLogged = try maker.prepare(
            "SELECT sequence, stored_at FROM log WHERE sequence > ? ORDER BY sequence LIMIT 1")
    }
}
