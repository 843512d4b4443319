internal import CSQLite
internal import Glibc

/// A connection to a SQLite database, by the system's library.
@safe final class SQLiteSession: EngineSession {
    let dialect = Dialect.sqlite
    /// `sqlite3_interrupt` would miss a statement that begins just after the call; the progress handler misses none.
    let interrupter = Interrupter()
    private var database: OpaquePointer?
    private var statements = StatementCache<SQLiteStatement>()

    /// Opens the file (or `:memory:`) and sets the session up.
    ///
    /// - Parameters:
    ///   - configuration: where the file is.
    ///   - access: whether this connection may write.
    ///   - isReadOnly: whether nobody here may: then the file stays as it is, its journal's kind included.
    /// - Throws: ``DatabaseError/Kind/unavailable`` when there is no such file and it may not be created.
    init(
        _ configuration: SQLiteConfiguration,
        access: TransactionAccess,
        isReadOnly: Bool = false
    ) throws(DatabaseError) {
        var opened: OpaquePointer?
        var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        flags |= isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        if configuration.createIfMissing, !isReadOnly { flags |= SQLITE_OPEN_CREATE }
        let code = unsafe sqlite3_open_v2(configuration.path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened = unsafe opened else {
            let error = unsafe sqliteError(opened, code: code, statement: nil)
            unsafe sqlite3_close_v2(opened)
            throw error
        }
        unsafe database = opened
        unsafe sqlite3_progress_handler(opened, 1_000, wasInterrupted, Unmanaged.passUnretained(interrupter).toOpaque())
        do throws(DatabaseError) {
            try setUp(configuration, access: isReadOnly ? .readOnly : access, isReadOnly: isReadOnly)
        } catch {
            close()
            throw error
        }
    }

    deinit {
        close()
    }

    /// WAL lets readers go on while one connection writes; FULL makes a commit survive a power cut.
    /// https://www.sqlite.org/pragma.html
    private func setUp(
        _ configuration: SQLiteConfiguration,
        access: TransactionAccess,
        isReadOnly: Bool
    ) throws(DatabaseError) {
        unsafe sqlite3_busy_timeout(database, Int32(configuration.busyTimeout.milliseconds))
        if !isReadOnly { try switchToWAL(before: .now + configuration.busyTimeout) }
        try runText("PRAGMA synchronous = FULL")
        try runText("PRAGMA foreign_keys = ON")
        try runText("PRAGMA trusted_schema = OFF")
        if access == .readOnly { try runText("PRAGMA query_only = ON") }
    }

    /// Where two connections switch the same file at once, one is told at once that it is busy: here SQLite does not wait by
    /// itself.
    private func switchToWAL(before deadline: ContinuousClock.Instant) throws(DatabaseError) {
        while true {
            do throws(DatabaseError) {
                try runText("PRAGMA journal_mode = WAL")
                return
            } catch {
                guard error.kind == .conflict, .now < deadline else { throw error }
                usleep(.random(in: 500...2_000))
            }
        }
    }

    var isInTransaction: Bool {
        unsafe database != nil && sqlite3_get_autocommit(database) == 0
    }

    func run(_ sql: SQL, rowLimit: Int) throws(DatabaseError) -> SQLResult {
        let database = unsafe try opened()
        if let statement = statements.take(sql.text) {
            defer { statements.put(statement, for: sql.text) }
            return try unsafe statement.run(sql, rowLimit: rowLimit, database: database)
        }
        let statement = try unsafe SQLiteStatement(sql.text, database: database)
        defer { statements.put(statement, for: sql.text) }
        return try unsafe statement.run(sql, rowLimit: rowLimit, database: database)
    }

    @discardableResult
    func runText(_ text: String) throws(DatabaseError) -> Int {
        let database = unsafe try opened()
        let code = unsafe sqlite3_exec(database, text, nil, nil, nil)
        guard code == SQLITE_OK else { throw unsafe sqliteError(database, code: code, statement: text) }
        return unsafe Int(sqlite3_changes(database))
    }

    func ping() throws(DatabaseError) {
        _ = unsafe try opened()
    }

    func close() {
        interrupter.disarm()
        statements.removeAll()
        unsafe sqlite3_close_v2(database)
        unsafe database = nil
    }

    private func opened() throws(DatabaseError) -> OpaquePointer {
        guard let database = unsafe database else { throw .misuse("the SQLite connection is closed") }
        return unsafe database
    }
}

/// Called by SQLite every 1,000 instructions of a statement: anything but 0 ends it with SQLITE_INTERRUPT. The session that
/// owns the interrupter also owns the connection. https://www.sqlite.org/c3ref/progress_handler.html
private func wasInterrupted(_ interrupter: UnsafeMutableRawPointer?) -> Int32 {
    guard let interrupter = unsafe interrupter else { return 0 }
    return unsafe Unmanaged<Interrupter>.fromOpaque(interrupter).takeUnretainedValue().wasUsed ? 1 : 0
}
