import GRDBSQLite

/// What SQLite answered instead of doing as it was told.
struct StoreFault: Error, Sendable, CustomStringConvertible {
    /// SQLite's extended result code.
    let code: Int32
    let description: String

    init(code: Int32, description: String) {
        self.code = code
        self.description = description
    }

    init(_ connection: OpaquePointer) {
        code = sqlite3_extended_errcode(connection)
        description = "\(String(cString: sqlite3_errmsg(connection))) (SQLite \(code))"
    }

    var isOutOfSpace: Bool { code & 0xFF == SQLITE_FULL }
    /// There was no room, or the disk refused to write.
    var isFull: Bool { code & 0xFF == SQLITE_FULL || code & 0xFF == SQLITE_IOERR }
    /// Another program holds the lock.
    var isBusy: Bool { code & 0xFF == SQLITE_BUSY }
    /// As the end of a COMMIT: the frames were not all written, so the commit cannot come back after a crash. If they
    /// were and the disk did not say that it has them, it can.
    var leavesNoCommit: Bool { code & 0xFF == SQLITE_FULL || code == SQLITE_IOERR | (3 << 8) }
}

/// A statement of SQLite's C interface, prepared once and run often: what the writer does for every message. GRDB's own
/// statements cost several microseconds a run, most of a message's budget.
///
/// For one thread at a time. Bytes that are bound are not copied: they have to live until `run` or `reset`.
final class PreparedStatement {
    /// nil when it was finalized: SQLite then answers that it is misused.
    private var handle: OpaquePointer?
    private let connection: OpaquePointer

    init(_ connection: OpaquePointer, _ sql: String) throws(StoreFault) {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, handle != nil else { throw StoreFault(connection) }
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    /// Ends its use, for a connection that will be closed.
    func finalize() {
        sqlite3_finalize(handle)
        handle = nil
    }

    /// `index` counts from 1.
    @discardableResult
    func bind(_ index: Int32, _ value: Int64) -> PreparedStatement {
        sqlite3_bind_int64(handle, index, value)
        return self
    }

    @discardableResult
    func bind(_ index: Int32, _ value: UInt64) -> PreparedStatement { bind(index, Int64(bitPattern: value)) }

    @discardableResult
    func bind(_ index: Int32, _ value: some FixedWidthInteger) -> PreparedStatement { bind(index, Int64(value)) }

    @discardableResult
    func bind(_ index: Int32, optional value: Int64?) -> PreparedStatement {
        guard let value else {
            sqlite3_bind_null(handle, index)
            return self
        }
        return bind(index, value)
    }

    @discardableResult
    func bind(_ index: Int32, bytes: UnsafeRawBufferPointer) -> PreparedStatement {
        if let start = bytes.baseAddress, !bytes.isEmpty {
            sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), nil)
        } else {
            sqlite3_bind_zeroblob(handle, index, 0)
        }
        return self
    }

    /// Goes to the next row; false when there is none, and the statement is reset.
    func step() throws(StoreFault) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE:
            sqlite3_reset(handle)
            return false
        default:
            let fault = StoreFault(connection)
            sqlite3_reset(handle)
            throw fault
        }
    }

    /// Runs a statement that gives no rows.
    func run() throws(StoreFault) {
        while try step() {}
    }

    func reset() { sqlite3_reset(handle) }

    /// `column` counts from 0, like those below.
    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    func optionalInteger(_ column: Int32) -> Int64? {
        sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : sqlite3_column_int64(handle, column)
    }

    /// Valid until the next step.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        // The pointer before the length: the order in which SQLite wants to be asked.
        let start = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column)))
    }

    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }
}

extension String {
    /// The UTF-8 bytes, for the time of the call.
    func withBytes<Value, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Value)
        throws(Failure) -> Value
    {
        var copy = self
        let result = copy.withUTF8 { buffer in
            Result { () throws(Failure) -> Value in try body(UnsafeRawBufferPointer(buffer)) }
        }
        return try result.get()
    }
}
