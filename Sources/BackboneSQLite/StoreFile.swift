import Foundation
import GRDB
import GRDBSQLite

/// Opens the file of a store, or says why not. Nothing that is not a store of ours is written to.
enum StoreFile {
    static func open(_ options: StoreOptions) throws(BackboneError) -> DatabaseQueue {
        let isNew = try isNew(path: options.path)
        if isNew {
            makePrivate(options.path)
        } else {
            try check(options)
        }
        do {
            // The writer does not sleep long on a lock: it says so, and tries again.
            let queue = try DatabaseQueue(path: options.path, configuration: configuration(patience: 0.25))
            try queue.writeWithoutTransaction { database in
                try prepare(database, options: options, isNew: isNew)
            }
            return queue
        } catch {
            throw explain(error, path: options.path)
        }
    }

    /// Bytes of the write-ahead log beside the file; none when it was closed.
    static func walBytes(_ options: StoreOptions) -> Int {
        var status = stat()
        return stat(options.path + "-wal", &status) == 0 ? Int(status.st_size) : 0
    }

    /// Whether the store is one that this version can use, asked by a connection that cannot write: when it says no, the
    /// write-ahead log is still beside the file, and both are as they were.
    private static func check(_ options: StoreOptions) throws(BackboneError) {
        let queue = try openReadOnly(options)
        do {
            try queue.read { database in
                let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4096
                let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
                if pages * pageSize <= options.checkedFileBytes { try checkWhole(database, path: options.path) }
            }
            try queue.close()
        } catch {
            try? queue.close()
            throw explain(error, path: options.path)
        }
    }

    /// A second connection to a store that a broker may be working on, which only reads.
    static func openReadOnly(_ options: StoreOptions) throws(BackboneError) -> DatabaseQueue {
        if try isNew(path: options.path) {
            throw BackboneError(
                .missing, "there is no store in \(options.directory): no file \(StoreOptions.fileName), or an empty one"
            )
        }
        var configuration = configuration(patience: 5)
        configuration.readonly = true
        do {
            let queue = try DatabaseQueue(path: options.path, configuration: configuration)
            _ = try queue.read { try checkVersion($0, path: options.path) }
            return queue
        } catch {
            throw explain(error, path: options.path)
        }
    }

    /// An empty file that only its owner reads, since SQLite would make one that all may read; the files that it makes
    /// beside it are as this one. When it cannot be made, SQLite says why.
    static func makePrivate(_ path: String) {
        let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) }
    }

    /// - Parameter patience: seconds to wait for another program that holds the lock.
    private static func configuration(patience: Double) -> GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(patience)
        configuration.label = "dunlin.store"
        return configuration
    }

    /// Looks at the file's first bytes without SQLite, which would make files beside it.
    private static func isNew(path: String) throws(BackboneError) -> Bool {
        guard FileManager.default.fileExists(atPath: path) else {
            try refuseOrphan(path: path)
            return true
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw BackboneError(.readOnly, "\(path) cannot be read; give the user that runs the broker the right to")
        }
        defer { try? file.close() }
        let header: Data
        do { header = try file.read(upToCount: 100) ?? Data() } catch { throw explain(error, path: path) }
        if header.isEmpty {
            try refuseOrphan(path: path)
            return true
        }
        let foreign = BackboneError(
            .foreign,
            "\(path) is not a store of this broker; it was left as it is. Move it away, or name another data directory")
        guard header.count == 100, header.starts(with: Data("SQLite format 3\0".utf8)) else { throw foreign }
        let identifier = header[68..<72].reduce(0) { $0 << 8 | UInt32($1) }
        guard identifier == UInt32(bitPattern: StoreSchema.applicationIdentifier) else { throw foreign }
        return false
    }

    /// A write-ahead log without its file: SQLite would delete it.
    private static func refuseOrphan(path: String) throws(BackboneError) {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path + "-wal")
        guard let size = attributes?[.size] as? Int, size > 0 else { return }
        throw corrupt(path: path, detail: "it is empty or gone, but not \(StoreOptions.fileName)-wal beside it")
    }

    private static func prepare(_ database: Database, options: StoreOptions, isNew: Bool) throws {
        if sqlite3_db_readonly(database.sqliteConnection, "main") == 1 {
            throw BackboneError(
                .readOnly, "\(options.path) cannot be written to; give the user that runs the broker the right to")
        }
        if isNew {
            // Before write-ahead logging, so that the file itself says whose it is from its first page on.
            try database.execute(sql: "PRAGMA application_id = \(StoreSchema.applicationIdentifier)")
        }
        let version = try checkVersion(database, path: options.path)
        try setAndReadBack(database, "journal_mode", "wal")
        try setAndReadBack(database, "synchronous", "\(options.durability.synchronous)")
        try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        try database.execute(sql: "PRAGMA cache_size = -\(options.pageCacheBytes / 1024)")
        try database.execute(sql: "PRAGMA temp_store = MEMORY")
        try StoreSchema.migrate(database, from: version)
        if let bytes = options.maximumFileBytes {
            let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4096
            try database.execute(sql: "PRAGMA max_page_count = \(max(1, bytes / pageSize))")
        }
    }

    @discardableResult
    private static func checkVersion(_ database: Database, path: String) throws -> Int {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version <= StoreSchema.version else {
            throw BackboneError(
                .newer,
                "\(path) was written by a later version of the broker (schema \(version), this one knows "
                    + "\(StoreSchema.version)); it was left as it is. Run that version, or restore a backup")
        }
        return version
    }

    private static func checkWhole(_ database: Database, path: String) throws {
        let verdict = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? "no answer"
        guard verdict == "ok" else { throw corrupt(path: path, detail: verdict) }
    }

    /// SQLite ignores what it cannot do, and GRDB sets some of these itself.
    private static func setAndReadBack(_ database: Database, _ pragma: String, _ value: String) throws {
        try database.execute(sql: "PRAGMA \(pragma) = \(value)")
        let actual = try String.fetchOne(database, sql: "PRAGMA \(pragma)") ?? ""
        guard actual == value else {
            throw BackboneError(.engine, "SQLite has \(pragma) \(actual) and not \(value) on this file system")
        }
    }

    static func corrupt(path: String, detail: String) -> BackboneError {
        BackboneError(
            .corrupt,
            "\(path) is damaged (\(detail)); it was left as it is. Move it and the files beside it away and restore a "
                + "backup, or look at it with `dunlin inspect`")
    }

    static func explain(_ error: any Error, path: String) -> BackboneError {
        if let error = error as? BackboneError { return error }
        let code: Int32
        if let error = error as? DatabaseError {
            code = error.extendedResultCode.rawValue
        } else if let error = error as? StoreFault {
            code = error.code
        } else {
            return BackboneError(.engine, "\(path): \(error)")
        }
        switch code & 0xFF {
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_ERROR: return corrupt(path: path, detail: "\(error)")
        case SQLITE_READONLY:
            return BackboneError(
                .readOnly, "\(path) cannot be written to; give the user that runs the broker the right to")
        case SQLITE_CANTOPEN:
            return BackboneError(.directoryUnusable, "\(path) cannot be opened; is its directory there, and writable?")
        case SQLITE_BUSY:
            return BackboneError(.inUse, "another program has locked \(path); stop it and try again")
        default: return BackboneError(.engine, "\(path): \(error)")
        }
    }
}
