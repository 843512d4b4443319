internal import CSQLite

/// A prepared statement of a SQLite connection; finalised when it is let go.
@safe final class SQLiteStatement {
    private let handle: OpaquePointer
    private var columns: Columns

    /// - Throws: ``DatabaseError`` when the text does not compile or holds more than one statement.
    init(_ text: String, database: OpaquePointer) throws(DatabaseError) {
        var prepared: OpaquePointer?
        var hasTail = false
        var text = text
        let code = text.withUTF8 { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                var tail: UnsafePointer<CChar>?
                let code = unsafe sqlite3_prepare_v3(
                    database,
                    characters.baseAddress,
                    Int32(characters.count),
                    UInt32(SQLITE_PREPARE_PERSISTENT),
                    &prepared,
                    &tail
                )
                if let tail = unsafe tail, let start = characters.baseAddress {
                    let rest = unsafe bytes[(tail - start)...]
                    hasTail = unsafe rest.contains { $0 > 0x20 && $0 != UInt8(ascii: ";") }
                }
                return code
            }
        }
        guard code == SQLITE_OK else { throw unsafe sqliteError(database, code: code, statement: text) }
        guard let prepared = unsafe prepared, !hasTail else {
            unsafe sqlite3_finalize(prepared)
            throw .misuse("a statement's text must hold exactly one statement: \(text)")
        }
        unsafe handle = unsafe prepared
        columns = unsafe Self.columns(prepared)
    }

    deinit {
        unsafe sqlite3_finalize(handle)
    }

    private static func columns(_ statement: OpaquePointer) -> Columns {
        let count = unsafe sqlite3_column_count(statement)
        let names = (0..<count).map { index in
            unsafe sqlite3_column_name(statement, index).map { unsafe String(cString: $0) } ?? ""
        }
        return Columns(names)
    }

    /// Binds and runs, and leaves the statement ready for the next run.
    func run(_ sql: SQL, rowLimit: Int, database: OpaquePointer) throws(DatabaseError) -> SQLResult {
        defer {
            unsafe sqlite3_reset(handle)
            unsafe sqlite3_clear_bindings(handle)
        }
        guard unsafe Int(sqlite3_bind_parameter_count(handle)) == sql.binds.count else {
            throw .misuse("\(sql.binds.count) values for the question marks of: \(sql.text)")
        }
        for (index, value) in sql.binds.enumerated() {
            let code = bind(value, at: Int32(index + 1))
            guard code == SQLITE_OK else { throw unsafe sqliteError(database, code: code, statement: sql.text) }
        }
        var result = SQLResult()
        while true {
            switch unsafe sqlite3_step(handle) {
            case SQLITE_ROW:
                // SQLite prepares again by itself when the schema has changed; the columns may be others then.
                if result.rows.isEmpty, unsafe sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_REPREPARE, 1) > 0 {
                    columns = unsafe Self.columns(handle)
                }
                guard result.rows.count < rowLimit else {
                    throw .misuse("more than \(rowLimit) rows from: \(sql.text)")
                }
                let values = (0..<Int32(columns.names.count)).map(column)
                result.rows.append(Row(columns: columns, values: values))
            case SQLITE_DONE:
                if unsafe sqlite3_stmt_readonly(handle) == 0 {
                    result.affectedRows = unsafe Int(sqlite3_changes64(database))
                }
                return result
            case let code:
                throw unsafe sqliteError(database, code: code, statement: sql.text)
            }
        }
    }

    /// SQLITE_TRANSIENT: SQLite copies the bytes before the call returns.
    private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
        let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: return unsafe sqlite3_bind_null(handle, index)
        case .integer(let integer): return unsafe sqlite3_bind_int64(handle, index, integer)
        case .real(let real): return unsafe sqlite3_bind_double(handle, index, real)
        case .text(var text):
            return text.withUTF8 { bytes in
                unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                    // An empty buffer may have no address, and a NULL pointer would bind SQL NULL.
                    guard let start = characters.baseAddress else {
                        return unsafe sqlite3_bind_text(handle, index, "", 0, transient)
                    }
                    return unsafe sqlite3_bind_text64(
                        handle,
                        index,
                        start,
                        UInt64(characters.count),
                        transient,
                        UInt8(SQLITE_UTF8)
                    )
                }
            }
        case .blob(let bytes):
            return unsafe bytes.withUnsafeBytes { bytes in
                guard let start = bytes.baseAddress, unsafe !bytes.isEmpty else {
                    return unsafe sqlite3_bind_zeroblob(handle, index, 0)
                }
                return unsafe sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), transient)
            }
        }
    }

    private func column(_ index: Int32) -> SQLValue {
        switch unsafe sqlite3_column_type(handle, index) {
        case SQLITE_INTEGER: return unsafe .integer(sqlite3_column_int64(handle, index))
        case SQLITE_FLOAT: return unsafe .real(sqlite3_column_double(handle, index))
        case SQLITE_TEXT:
            // Fetch the text first: it fixes the encoding that the length is then counted in.
            let start = unsafe sqlite3_column_text(handle, index)
            let bytes = unsafe UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index)))
            return unsafe .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let start = unsafe sqlite3_column_blob(handle, index)
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, index)))
            return unsafe .blob(Array(bytes))
        default: return .null
        }
    }
}

/// The connection's last error.
func sqliteError(_ database: OpaquePointer?, code: Int32, statement: String?) -> DatabaseError {
    let code = unsafe database == nil ? code : sqlite3_extended_errcode(database)
    let message = unsafe String(cString: database == nil ? sqlite3_errstr(code) : sqlite3_errmsg(database))
    let kind = Dialect.sqlite.kind(ofCode: Int(code), sqlState: nil, message: message)
    return DatabaseError(kind, code: Int(code), message: message, statement: statement)
}
