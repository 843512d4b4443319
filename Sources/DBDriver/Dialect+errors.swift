extension Dialect {
    /// The kind of a native error code. Only codes that something is done about are listed.
    func kind(ofCode code: Int, sqlState: String?, message: String) -> DatabaseError.Kind {
        switch self {
        case .mysql: Self.mysqlKind(code, sqlState, message)
        case .sqlite: Self.sqliteKind(code, message)
        }
    }

    /// https://mariadb.com/kb/en/mariadb-error-codes/ and https://dev.mysql.com/doc/mysql-errors/en/
    private static func mysqlKind(_ code: Int, _ sqlState: String?, _ message: String) -> DatabaseError.Kind {
        switch code {
        case 1213,  // deadlock; Galera certification failure; brute-force abort: rolled back
            1205,  // lock or causal-read wait timed out: the transaction is still open and must be rolled back
            3101,  // Group Replication certification failure: rolled back
            8002, 8005, 8022, 8028, 9004, 9007:  // TiDB write conflicts: rolled back
            .conflict
        // "Got error 149 - Lock deadlock" is a certification failure; any other 1180 leaves the outcome open.
        case 1180: message.contains("149") ? .conflict : .connectionLost
        case 2006, 2013, 2055,  // server gone, connection lost
            4031,  // MySQL 8: idle connection closed by the server
            1927, 1053, 1152, 1317,  // connection killed, shutdown, aborted, query killed
            2014, 2027,  // the client's and the server's idea of the conversation differ
            1047,  // Galera: the node is not part of the primary component
            3796, 3797,  // Group Replication: the member was expelled, or can't catch up in time; nothing was run
            1290, 1836:  // a member that only reads
            .connectionLost
        case 2002, 2003, 2005, 1040, 1203:  // refused, unknown host, too many connections
            .unavailable
        case 1044, 1045, 1049, 1142, 1698, 2026, 2058, 2059, 2061, 5010, 1251:
            .accessDenied
        case 1062, 1169, 1586: .uniqueViolation
        case 1216, 1217, 1451, 1452, 3730: .foreignKeyViolation
        // 4025 is a failed CHECK on MariaDB (SQLSTATE 23000); MySQL uses 3819 for that.
        case 4025: sqlState == "23000" ? .invalidValue : .other
        case 3819, 1048, 1264, 1366, 1406, 1292, 1364, 3140: .invalidValue
        case 1050, 1051, 1054, 1060, 1061, 1091, 1146: .schemaMismatch
        // 1969: max_statement_time; 3024: max_execution_time
        case 1969, 3024: .interrupted
        case 1021, 1114: .storage
        default: .other
        }
    }

    /// https://www.sqlite.org/rescode.html; extended codes carry the primary code in their low byte.
    private static func sqliteKind(_ code: Int, _ message: String) -> DatabaseError.Kind {
        switch code {
        case 1555, 2067, 2579: return .uniqueViolation  // PRIMARYKEY, UNIQUE, ROWID
        case 787, 1811: return .foreignKeyViolation  // FOREIGNKEY, TRIGGER (ON DELETE RESTRICT)
        case 275, 1299, 3091: return .invalidValue  // CHECK, NOTNULL, DATATYPE (STRICT tables)
        default: break
        }
        switch code & 0xff {
        case 5, 6: return .conflict  // BUSY, LOCKED
        case 9: return .interrupted
        case 8, 13: return .storage  // READONLY, FULL
        case 10: return .storage  // IOERR
        case 14: return .unavailable  // CANTOPEN
        case 18: return .invalidValue  // TOOBIG
        case 11, 26: return .accessDenied  // CORRUPT, NOTADB: this file is not a usable database
        // The generic code; the text is SQLite's own and stable ("no such table: x").
        case 1 where message.hasPrefix("no such table") || message.hasPrefix("no such column"): return .schemaMismatch
        case 1 where message.hasSuffix("already exists") || message.hasPrefix("duplicate column"):
            return .schemaMismatch
        default: return .other
        }
    }
}
