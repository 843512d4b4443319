internal import CMariaDB

/// A prepared statement of a MariaDB connection (binary protocol); closed when it is let go.
@safe final class MariaDBStatement {
    private let handle: UnsafeMutablePointer<MYSQL_STMT>
    private var columns: Columns
    /// The types of the values so far, NULL where there was nothing else.
    private var types: [enum_field_types]

    /// - Throws: ``DatabaseError`` when the server refuses the text.
    init(_ text: String, connection: UnsafeMutablePointer<MYSQL>) throws(DatabaseError) {
        guard let prepared = unsafe mysql_stmt_init(connection) else {
            throw unsafe mariaDBError(connection, statement: text)
        }
        var maximumLength: my_bool = 1
        unsafe mysql_stmt_attr_set(prepared, STMT_ATTR_UPDATE_MAX_LENGTH, &maximumLength)
        var text = text
        let code = text.withUTF8 { utf8 in
            unsafe utf8.withMemoryRebound(to: CChar.self) { characters in
                unsafe mysql_stmt_prepare(prepared, characters.baseAddress, UInt(characters.count))
            }
        }
        guard code == 0 else {
            let error = unsafe mariaDBError(prepared, statement: text)
            unsafe mysql_stmt_close(prepared)
            throw error
        }
        columns = unsafe Self.columns(prepared)
        types = unsafe Array(repeating: MYSQL_TYPE_NULL, count: Int(mysql_stmt_param_count(prepared)))
        unsafe handle = unsafe prepared
    }

    deinit {
        unsafe mysql_stmt_close(handle)
    }

    private static func columns(_ statement: UnsafeMutablePointer<MYSQL_STMT>) -> Columns {
        unsafe Columns(fields(statement) { field in unsafe field.name.map { unsafe String(cString: $0) } ?? "" })
    }

    /// What the server says of each column of the result.
    private static func fields<Field>(
        _ statement: UnsafeMutablePointer<MYSQL_STMT>,
        _ read: (MYSQL_FIELD) -> Field
    ) -> [Field] {
        guard let metadata = unsafe mysql_stmt_result_metadata(statement) else { return [] }
        defer { unsafe mysql_free_result(metadata) }
        let count = unsafe Int(mysql_num_fields(metadata))
        return (0..<count).compactMap { index in
            unsafe mysql_fetch_field_direct(metadata, UInt32(index)).map { unsafe read($0.pointee) }
        }
    }

    /// Whether no value was of another type before. MySQL keeps the type that a question mark has got, and turns later
    /// values into it (reference manual, "PREPARE Statement"): a text among the columns of a query would come back as 0.
    func suits(_ binds: [SQLValue]) -> Bool {
        zip(types, binds).allSatisfy { $0 == MYSQL_TYPE_NULL || $1.type == MYSQL_TYPE_NULL || $0 == $1.type }
    }

    /// Binds and runs, copies the whole result, and leaves the statement ready for the next run.
    func run(_ sql: SQL, rowLimit: Int) throws(DatabaseError) -> SQLResult {
        guard types.count == sql.binds.count else {
            throw .misuse("\(sql.binds.count) values for the question marks of: \(sql.text)")
        }
        for (index, value) in sql.binds.enumerated() where value.type != MYSQL_TYPE_NULL { types[index] = value.type }
        let parameters = MariaDBBuffers(parameters: sql.binds)
        if !sql.binds.isEmpty, unsafe mysql_stmt_bind_param(handle, parameters.binds.baseAddress) != 0 {
            throw unsafe mariaDBError(handle, statement: sql.text)
        }
        guard unsafe mysql_stmt_execute(handle) == 0 else { throw unsafe mariaDBError(handle, statement: sql.text) }
        let columnCount = unsafe Int(mysql_stmt_field_count(handle))
        guard columnCount > 0 else {
            return SQLResult(affectedRows: unsafe Int(clamping: mysql_stmt_affected_rows(handle)))
        }
        defer { unsafe mysql_stmt_free_result(handle) }
        // MySQL tells the columns of EXPLAIN, ANALYZE and the like only with their rows.
        if columns.names.count != columnCount { columns = unsafe Self.columns(handle) }
        guard unsafe mysql_stmt_store_result(handle) == 0 else {
            throw unsafe mariaDBError(handle, statement: sql.text)
        }
        return SQLResult(rows: try fetch(sql, rowLimit: rowLimit))
    }

    private func fetch(_ sql: SQL, rowLimit: Int) throws(DatabaseError) -> [Row] {
        let count = unsafe Int(mysql_stmt_num_rows(handle))
        guard count > 0 else { return [] }
        guard count <= rowLimit else { throw .misuse("more than \(rowLimit) rows from: \(sql.text)") }
        // Only now: the type of a question mark among the columns is that of its value.
        let fields = unsafe Self.fields(handle) { unsafe MariaDBColumn($0) }
        let buffers = MariaDBBuffers(columns: fields)
        guard unsafe mysql_stmt_bind_result(handle, buffers.binds.baseAddress) == 0 else {
            throw unsafe mariaDBError(handle, statement: sql.text)
        }
        var rows: [Row] = []
        rows.reserveCapacity(count)
        while true {
            switch unsafe mysql_stmt_fetch(handle) {
            case 0: rows.append(try row(buffers, fields))
            case MYSQL_NO_DATA: return rows
            case MYSQL_DATA_TRUNCATED: throw .decoding("a value was longer than the server said, in: \(sql.text)")
            default: throw unsafe mariaDBError(handle, statement: sql.text)
            }
        }
    }

    private func row(_ buffers: MariaDBBuffers, _ fields: [MariaDBColumn]) throws(DatabaseError) -> Row {
        var values: [SQLValue] = []
        values.reserveCapacity(fields.count)
        for (index, field) in fields.enumerated() {
            guard let value = buffers.value(index, field) else {
                throw .decoding(
                    "column '\(columns.names[index])' holds a number above 2⁶³−1 or text that is not UTF-8"
                )
            }
            values.append(value)
        }
        return Row(columns: columns, values: values)
    }
}

/// The statement's last error.
func mariaDBError(_ statement: UnsafeMutablePointer<MYSQL_STMT>, statement text: String) -> DatabaseError {
    unsafe mariaDBError(
        code: mysql_stmt_errno(statement),
        state: mysql_stmt_sqlstate(statement),
        message: mysql_stmt_error(statement),
        statement: text
    )
}

/// The connection's last error.
func mariaDBError(_ connection: UnsafeMutablePointer<MYSQL>, statement text: String?) -> DatabaseError {
    unsafe mariaDBError(
        code: mysql_errno(connection),
        state: mysql_sqlstate(connection),
        message: mysql_error(connection),
        statement: text
    )
}

private func mariaDBError(
    code: UInt32,
    state: UnsafePointer<CChar>?,
    message: UnsafePointer<CChar>?,
    statement: String?
) -> DatabaseError {
    let state = unsafe state.map { unsafe String(cString: $0) }
    let message = unsafe message.map { unsafe String(cString: $0) } ?? ""
    let kind = Dialect.mysql.kind(ofCode: Int(code), sqlState: state, message: message)
    return DatabaseError(kind, code: Int(code), sqlState: state, message: message, statement: statement)
}
