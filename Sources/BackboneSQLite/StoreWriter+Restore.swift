import Backbone
import MQTTModel

extension StoreWriter {
    /// Reads what has to be known before the first transaction.
    func load() throws(StoreFault) {
        func integer(_ sql: String) throws(StoreFault) -> Int64 {
            let statement = try PreparedStatement(connection, sql)
            guard try statement.step() else { return 0 }
            defer { statement.reset() }
            return statement.integer(0)
        }
        state.lastSequence = LogSequence(
            max(
                try integer("SELECT ifnull(max(sequence), 0) FROM log"),
                try integer("SELECT value FROM counters WHERE name = 'last_sequence'")))
        state.nextSessionKey = try integer("SELECT ifnull(max(key), 0) FROM sessions") + 1
        clock.resume(at: try integer("SELECT value FROM counters WHERE name = 'clock'"))
        clock.resume(at: try integer("SELECT stored_at FROM log ORDER BY sequence DESC LIMIT 1"))
        clock.resume(at: try integer("SELECT ended_at FROM lives ORDER BY number DESC LIMIT 1"))
        now = clock.read()
        life = StoreLife(previous: try integer("SELECT ifnull(max(number), 0) FROM lives"), at: now)
    }

    func restore(
        session: (RestoredSession) -> Void, retained: (ApplicationMessage, RetainedPosition) -> Void,
        entry: (LogEntry, [SharedGroup]) -> Void
    ) throws(StoreFault) {
        let reader = try StoreReader(connection: connection, now: clock.read(), life: life)
        var totals = StoreReader.Totals()
        try reader.readSessions(into: &totals) { restored, _ in session(restored) }
        try reader.readRetained(into: &totals, retained)
        try reader.readLog(into: &totals, entry)
        state.nextPosition = totals.lastPosition + 1
        state.logMessages = totals.logMessages
        state.logBytes = totals.logBytes
        life.oldest = min(life.oldest, totals.oldestLife ?? .max)
        note { () throws(StoreFault) in try noteLife() }
    }

    /// So that the clock cannot go back by a restart.
    func noteClock() { note { () throws(StoreFault) in try putCounter(.clock, clock.read()) } }

    /// What is connected now is so no longer.
    func noteEnd() {
        note { () throws(StoreFault) in
            try noteLife()
            try putCounter(.clock, clock.read())
            try put(StoreLife.Ended(number: life.number, at: clock.read()))
        }
    }

    /// Not worth an answer: what fails here fails at the next commit.
    private func note(_ changes: () throws(StoreFault) -> Void) {
        let before = state
        do throws(StoreFault) {
            try changes()
            if isInTransaction { try execute("COMMIT") }
        } catch {
            state = before
            statistics.lastError = error.description
        }
        endTransaction()
    }
}
