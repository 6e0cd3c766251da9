import Backbone
import MQTTModel

/// Reads what survived, row by row.
struct StoreReader {
    let connection: OpaquePointer
    /// Wall clock, in milliseconds.
    let now: Int64
    /// When which of the broker's lives ended.
    private var lives: [Int64: Int64] = [:]

    init(connection: OpaquePointer, now: Int64) { (self.connection, self.now) = (connection, now) }

    /// - Parameter life: the reading process's own, if it takes the store over; nil for one that only looks.
    init(connection: OpaquePointer, now: Int64, life: StoreLife?) throws(StoreFault) {
        self.init(connection: connection, now: now)
        let rows = try PreparedStatement(connection, "SELECT number, ended_at FROM lives")
        while try rows.step() { lives[rows.integer(0)] = rows.integer(1) }
        if let life { lives[life.previous.number] = life.previous.at }
    }

    /// What the writer has to know of the rows that were read.
    struct Totals {
        var lastPosition: Int64 = 0
        var logMessages = 0
        var logBytes = 0
        /// In which a session was connected that is not noted to be away.
        var oldestLife: Int64?
    }

    func readRetained(
        into totals: inout Totals, _ body: (ApplicationMessage, RetainedPosition) -> Void
    ) throws(StoreFault) {
        let rows = try PreparedStatement(
            connection,
            """
            SELECT topic, properties, payload, flags, expires_at, publisher, position FROM retained
            WHERE expires_at IS NULL OR expires_at > ?
            """
        ).bind(1, now)
        while try rows.step() {
            let message = rows.message(at: 0)
            message.publisherHash = UInt64(bitPattern: rows.integer(5))
            setExpiry(rows.optionalInteger(4), of: message)
            totals.lastPosition = max(totals.lastPosition, rows.integer(6))
            body(message, RetainedPosition(bitPattern: rows.integer(6)))
        }
    }

    /// In order, each with the groups that still wait for it.
    func readLog(into totals: inout Totals, _ body: (LogEntry, [SharedGroup]) -> Void) throws(StoreFault) {
        let rows = try PreparedStatement(
            connection,
            "SELECT topic, properties, payload, flags, expires_at, publisher, sequence FROM log ORDER BY sequence")
        let pending = try OwnedRows(connection, "SELECT * FROM group_pending ORDER BY sequence, name, pattern")
        while try rows.step() {
            let message = rows.message(at: 0)
            message.publisherHash = UInt64(bitPattern: rows.integer(5))
            setExpiry(rows.optionalInteger(4), of: message)
            let sequence = rows.integer(6)
            totals.logMessages += 1
            totals.logBytes += message.byteCount
            var groups: [SharedGroup] = []
            while let row = try pending.next(of: sequence) {
                groups.append(SharedGroup(name: row.text(1), pattern: row.text(2)))
            }
            body(LogEntry(sequence: UInt64(bitPattern: sequence), message: message, publisher: .none), groups)
        }
    }

    /// What the log has of `sequences`, in their order.
    func read(_ sequences: [LogSequence], by rows: PreparedStatement) throws(StoreFault) -> [LogEntry] {
        var found: [LogEntry] = []
        found.reserveCapacity(sequences.count)
        for sequence in sequences {
            guard try rows.bind(1, sequence).step() else { continue }
            let message = rows.message(at: 0)
            message.publisherHash = UInt64(bitPattern: rows.integer(5))
            setExpiry(rows.optionalInteger(4), of: message)
            rows.reset()
            found.append(LogEntry(sequence: sequence, message: message, publisher: .none))
        }
        return found
    }

    /// For `read`.
    static let messageQuery =
        "SELECT topic, properties, payload, flags, expires_at, publisher FROM log WHERE sequence = ?"

    /// Each with whether its client is connected, as far as the store knows.
    func readSessions(
        into totals: inout Totals, _ body: (_ session: RestoredSession, _ isConnected: Bool) -> Void
    ) throws(StoreFault) {
        let rows = try PreparedStatement(
            connection,
            """
            SELECT key, client, expiry, is_connected, expires_at, ifnull(through, 0) FROM sessions
            LEFT JOIN cursors ON cursors.session = sessions.key ORDER BY key
            """)
        let wills = try OwnedRows(connection, "SELECT * FROM wills ORDER BY session")
        let subscriptions = try OwnedRows(connection, "SELECT * FROM subscriptions ORDER BY session")
        let earlier = try OwnedRows(connection, "SELECT * FROM earlier_subscriptions ORDER BY session, until, filter")
        let wishes = try OwnedRows(connection, "SELECT * FROM wishes ORDER BY session, number")
        let received = try OwnedRows(connection, "SELECT * FROM received ORDER BY session, packet_identifier")
        let sent = try OwnedRows(connection, "SELECT * FROM sent ORDER BY session")
        while try rows.step() {
            let key = rows.integer(0)
            var session = RestoredSession(clientIdentifier: rows.text(1))
            session.cursor = UInt64(bitPattern: rows.integer(5))
            let life = rows.integer(3)
            if life > 0 { totals.oldestLife = min(totals.oldestLife ?? .max, life) }
            let ended = lives[life]
            readExpiry(rows, connectionEnded: ended, into: &session)
            while let row = try wills.next(of: key) { readWill(row, connectionEnded: ended, into: &session) }
            session.subscriptions = try readEarlier(earlier, of: key, above: session.cursor)
            session.subscriptions += try readSubscriptions(subscriptions, of: key, into: &totals)
            session.wishes = try readWishes(wishes, of: key, into: &totals)
            while let row = try received.next(of: key) {
                session.received.append(PacketIdentifier(truncatingIfNeeded: row.integer(1)))
            }
            session.sent = try readSent(sent, of: key, above: session.cursor, into: &totals)
            body(session, life > 0 && ended == nil)
        }
    }

    /// - Parameter ended: when the life of the broker was over that its connection ended with.
    private func readExpiry(
        _ row: PreparedStatement, connectionEnded ended: Int64?, into session: inout RestoredSession
    ) {
        session.expiryInterval = UInt32(truncatingIfNeeded: row.integer(2))
        let deadline =
            row.integer(3) == 0
            ? row.optionalInteger(4) : WallClock.deadline(session.expiryInterval, after: ended ?? now)
        session.expiresIn = deadline.map { WallClock.seconds(until: $0, from: now) }
    }

    private func readWill(
        _ row: PreparedStatement, connectionEnded ended: Int64?, into session: inout RestoredSession
    ) {
        let message = row.message(at: 1)
        message.expiryInterval = row.optionalInteger(5).map { UInt32(truncatingIfNeeded: $0) }
        session.will = Will(message: message, delayInterval: UInt32(truncatingIfNeeded: row.integer(6)))
        let dueAt = row.optionalInteger(7) ?? ended.map { $0 + row.integer(6) * 1000 }
        session.willDueIn = dueAt.map { WallClock.seconds(until: $0, from: now) }
    }

    private func readSubscriptions(
        _ rows: OwnedRows, of key: Int64, into totals: inout Totals
    ) throws(StoreFault) -> [RestoredSession.Subscription] {
        var found: [(position: Int64, subscription: RestoredSession.Subscription)] = []
        while let row = try rows.next(of: key) {
            let subscription = RestoredSession.Subscription(
                filter: row.text(1), options: row.options(3), identifier: UInt32(truncatingIfNeeded: row.integer(4)),
                since: UInt64(bitPattern: row.integer(5)))
            found.append((row.integer(2), subscription))
            totals.lastPosition = max(totals.lastPosition, row.integer(2))
        }
        return found.sorted { $0.position < $1.position }.map(\.subscription)
    }

    /// Those that something may still go by.
    private func readEarlier(
        _ rows: OwnedRows, of key: Int64, above cursor: LogSequence
    ) throws(StoreFault) -> [RestoredSession.Subscription] {
        var found: [RestoredSession.Subscription] = []
        while let row = try rows.next(of: key) {
            let until = UInt64(bitPattern: row.integer(1))
            guard until > cursor else { continue }
            found.append(
                RestoredSession.Subscription(
                    filter: row.text(2), options: row.options(3),
                    identifier: UInt32(truncatingIfNeeded: row.integer(4)), since: UInt64(bitPattern: row.integer(5)),
                    until: until))
        }
        return found
    }

    private func readWishes(
        _ rows: OwnedRows, of key: Int64, into totals: inout Totals
    ) throws(StoreFault) -> [RestoredSession.Wish] {
        var found: [RestoredSession.Wish] = []
        while let row = try rows.next(of: key) {
            let wish = RetainedWish(
                number: UInt64(bitPattern: row.integer(1)), pattern: row.text(2), options: row.options(3),
                identifier: UInt32(truncatingIfNeeded: row.integer(4)))
            totals.lastPosition = max(totals.lastPosition, row.integer(6))
            found.append(
                RestoredSession.Wish(
                    wish, since: UInt64(bitPattern: row.integer(5)),
                    position: RetainedPosition(bitPattern: row.integer(6))))
        }
        return found
    }

    private func readSent(
        _ rows: OwnedRows, of key: Int64, above cursor: LogSequence, into totals: inout Totals
    ) throws(StoreFault) -> [RestoredSession.Sent] {
        var found: [(position: Int64, sent: RestoredSession.Sent)] = []
        while let row = try rows.next(of: key) {
            let share = TopicFilter(row.text(2))
            let group = share?.shareName.map { SharedGroup(name: $0, pattern: share?.pattern ?? "") }
            let sent = RestoredSession.Sent(
                SentExchange(sequence: UInt64(bitPattern: row.integer(1)), group: group),
                packetIdentifier: PacketIdentifier(truncatingIfNeeded: row.integer(3)),
                phase: RestoredSession.Sent.Phase(rawValue: UInt8(truncatingIfNeeded: row.integer(4))) ?? .sending,
                topic: row.bytes(6).isEmpty ? nil : ExactText(row.text(6)))
            totals.lastPosition = max(totals.lastPosition, row.integer(5))
            if sent.isUnfinished(above: cursor) { found.append((row.integer(5), sent)) }
        }
        return found.sorted { $0.position < $1.position }.map(\.sent)
    }

    /// What is left of it; when it begins to count is for the driver to say.
    private func setExpiry(_ expiresAt: Int64?, of message: ApplicationMessage) {
        guard let expiresAt else { return }
        message.expiryInterval = WallClock.seconds(until: expiresAt, from: now)
    }
}

/// Rows of a table that belong to the rows of another, read beside it: both in the order of the key, this one's first
/// column.
private final class OwnedRows {
    private let rows: PreparedStatement
    private enum Position { case before, at(Int64), end }
    private var position = Position.before

    init(_ connection: OpaquePointer, _ sql: String) throws(StoreFault) {
        rows = try PreparedStatement(connection, sql)
    }

    /// The next row of the owner `key`, on which the statement then stands; nil when it has no more.
    func next(of key: Int64) throws(StoreFault) -> PreparedStatement? {
        if case .before = position { try advance() }
        while case .at(let owner) = position {
            if owner > key { return nil }
            if owner == key {
                position = .before
                return rows
            }
            // Its owner is gone.
            try advance()
        }
        return nil
    }

    private func advance() throws(StoreFault) {
        position = try rows.step() ? .at(rows.integer(0)) : .end
    }
}

extension PreparedStatement {
    fileprivate func options(_ column: Int32) -> SubscriptionOptions {
        SubscriptionOptions(rawValue: UInt8(truncatingIfNeeded: integer(column))) ?? SubscriptionOptions()
    }

    /// Topic, properties, payload and flags from `column` on.
    fileprivate func message(at column: Int32) -> ApplicationMessage {
        let message = ApplicationMessage(
            topic: bytes(column), encodedProperties: bytes(column + 1), payload: bytes(column + 2))
        MessageFlags.unpack(integer(column + 3), into: message)
        return message
    }
}
