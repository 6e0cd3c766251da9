package import Backbone
import Foundation
import GRDB
package import MQTTModel

/// Looks at a store without changing it, also while a broker works on it.
package final class StoreInspection {
    package let path: String
    private let database: DatabaseQueue

    package init(directory: String) throws(BackboneError) {
        let options = StoreOptions(directory: directory)
        path = options.path
        database = try StoreFile.openReadOnly(options)
    }

    deinit { try? database.close() }

    /// What SQLite finds wrong with the file; empty when it is sound. Reads all of it.
    package func problems() throws(BackboneError) -> [String] {
        do {
            let found = try database.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
            return found == ["ok"] ? [] : found
        } catch {
            throw StoreFile.explain(error, path: path)
        }
    }

    /// The version of the tables.
    package func schemaVersion() throws(BackboneError) -> Int {
        do {
            return try database.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        } catch {
            throw StoreFile.explain(error, path: path)
        }
    }

    /// Everything, as of one moment: the sessions, each with whether its client is connected or was when the broker was
    /// killed, then the retained messages, then the log in order with the shared subscriptions that wait for a message.
    /// - Parameter now: wall clock milliseconds since 1970.
    package func read(
        at now: Int64, session: (RestoredSession, Bool) -> Void, retained: (ApplicationMessage) -> Void,
        entry: (LogEntry, [SharedGroup]) -> Void
    ) throws(BackboneError) {
        do {
            try database.read { database in
                guard let connection = database.sqliteConnection else {
                    throw BackboneError(.engine, "\(path) was closed")
                }
                let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
                guard version == StoreSchema.version else {
                    throw BackboneError(
                        .engine,
                        "\(path) was written by an earlier version of the broker (schema \(version)); start this one on it "
                            + "once, which brings it up to date")
                }
                let reader = try StoreReader(connection: connection, now: now, life: nil)
                var totals = StoreReader.Totals()
                try reader.readSessions(into: &totals, session)
                try reader.readRetained(into: &totals) { message, _ in retained(message) }
                try reader.readLog(into: &totals, entry)
            }
        } catch {
            throw StoreFile.explain(error, path: path)
        }
    }

    /// Copies the store as it is at this moment into a new file, which is complete or is not there. A broker goes on
    /// meanwhile: the copy is one read transaction, which no commit waits for.
    package func backUp(to file: String) throws(BackboneError) {
        guard !FileManager.default.fileExists(atPath: file) else {
            throw BackboneError(.engine, "\(file) is there already; name another file, or move it away")
        }
        let partial = file + ".partial"
        try? FileManager.default.removeItem(atPath: partial)
        StoreFile.makePrivate(partial)
        do {
            let copy = try DatabaseQueue(path: partial)
            defer { try? copy.close() }
            try database.backup(to: copy)
            try copy.writeWithoutTransaction { database in
                // One file, without a write-ahead log beside it, until a broker opens it.
                try database.execute(sql: "PRAGMA journal_mode = DELETE")
                let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "no answer"
                guard verdict == "ok" else { throw StoreFile.corrupt(path: path, detail: verdict) }
            }
            try copy.close()
            try FileManager.default.moveItem(atPath: partial, toPath: file)
        } catch {
            for suffix in ["", "-journal", "-wal", "-shm"] {
                try? FileManager.default.removeItem(atPath: partial + suffix)
            }
            throw explain(error, file: file)
        }
    }

    /// What cannot be opened is the copy: the store was.
    private func explain(_ error: any Error, file: String) -> BackboneError {
        if let error = error as? DatabaseError, error.resultCode == .SQLITE_CANTOPEN {
            return BackboneError(.directoryUnusable, "\(file) cannot be made; is its directory there, and writable?")
        }
        if let error = error as? DatabaseError, error.resultCode == .SQLITE_FULL {
            return BackboneError(.engine, "there is no room for \(file); nothing was left of it")
        }
        return StoreFile.explain(error, path: path)
    }
}
