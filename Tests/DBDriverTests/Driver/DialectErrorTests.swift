import Testing

@testable import DBDriver

/// What is done about each native error code.
@Suite("Error codes")
struct DialectErrorTests {
    struct Case: Sendable, CustomStringConvertible {
        var codes: [Int]
        var kind: DatabaseError.Kind
        var state: String? = nil
        var message = ""
        var description: String { "\(codes) \(message): \(kind.rawValue)" }
    }

    static let mysqlCases = [
        // Rolled back, or to be rolled back: run again.
        Case(codes: [1213, 1205, 3101, 8002, 8005, 8022, 8028, 9004, 9007], kind: .conflict),
        Case(
            codes: [1180],
            kind: .conflict,
            message: "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT"
        ),
        // The connection is of no use any more; at COMMIT the outcome is unknown.
        Case(codes: [1180], kind: .connectionLost, message: "Got error 6 during COMMIT"),
        Case(
            codes: [2006, 2013, 2055, 4031, 1927, 1053, 1152, 1317, 1047, 1290, 1836, 2014, 2027],
            kind: .connectionLost
        ),
        // No connection was made.
        Case(codes: [2002, 2003, 2005, 1040, 1203], kind: .unavailable),
        Case(codes: [1044, 1045, 1049, 1142, 1698, 2026, 2058, 2059, 2061, 5010, 1251], kind: .accessDenied),
        // What a statement did wrong.
        Case(codes: [1062, 1169, 1586], kind: .uniqueViolation),
        Case(codes: [1216, 1217, 1451, 1452, 3730], kind: .foreignKeyViolation),
        Case(codes: [4025, 3819, 1048, 1264, 1366, 1406, 1292, 1364, 3140], kind: .invalidValue, state: "23000"),
        Case(codes: [4025], kind: .other, state: "HY000"),
        Case(codes: [1050, 1051, 1054, 1060, 1061, 1091, 1146], kind: .schemaMismatch),
        Case(codes: [1969, 3024], kind: .interrupted),
        Case(codes: [1021, 1114], kind: .storage),
        // A statement that must be prepared again; the session does so itself.
        Case(codes: [1243, 1615, 2057], kind: .other),
        Case(codes: [0, 1, 1064, 99_999], kind: .other),
    ]

    static let sqliteCases = [
        Case(codes: [5, 6, 261, 517, 262], kind: .conflict),
        Case(codes: [1555, 2067, 2579], kind: .uniqueViolation),
        Case(codes: [787, 1811], kind: .foreignKeyViolation),
        Case(codes: [275, 1299, 3091, 18], kind: .invalidValue),
        Case(codes: [9], kind: .interrupted),
        Case(codes: [8, 13, 10, 266, 778, 264], kind: .storage),
        Case(codes: [14, 526], kind: .unavailable),
        Case(codes: [11, 26], kind: .accessDenied),
        Case(codes: [1], kind: .schemaMismatch, message: "no such table: t"),
        Case(codes: [1], kind: .schemaMismatch, message: "no such column: c"),
        Case(codes: [1], kind: .schemaMismatch, message: "table t already exists"),
        Case(codes: [1], kind: .schemaMismatch, message: "duplicate column name: c"),
        Case(codes: [1], kind: .other, message: "near \"x\": syntax error"),
        Case(codes: [19, 21, 25], kind: .other),
    ]

    @Test("MySQL", arguments: mysqlCases)
    func mysql(example: Case) {
        for code in example.codes {
            let kind = Dialect.mysql.kind(ofCode: code, sqlState: example.state, message: example.message)
            #expect(kind == example.kind, "code \(code)")
        }
    }

    @Test("SQLite", arguments: sqliteCases)
    func sqlite(example: Case) {
        for code in example.codes {
            let kind = Dialect.sqlite.kind(ofCode: code, sqlState: nil, message: example.message)
            #expect(kind == example.kind, "code \(code)")
        }
    }

    @Test("what may be tried again, and what ends a connection", arguments: DatabaseError.Kind.allCases)
    func consequences(kind: DatabaseError.Kind) {
        let error = DatabaseError(kind, message: "")
        #expect(error.mayBeRetried == [.conflict, .connectionLost].contains(kind))
        let ends: [DatabaseError.Kind] = [.connectionLost, .commitOutcomeUnknown, .unavailable, .accessDenied, .misuse]
        #expect(error.endsConnection == ends.contains(kind))
    }

    @Test("a description has code, state and statement, and never the server's text")
    func description() {
        let error = DatabaseError(
            .uniqueViolation,
            code: 1062,
            sqlState: "23000",
            message: "Duplicate entry 'secret'",
            statement: "INSERT ?"
        )
        #expect("\(error)" == "database error: uniqueViolation (code 1062, 23000) in: INSERT ?")
        #expect(error.debugDescription.contains("secret"))
        #expect("\(DatabaseError(.misuse, message: "why"))" == "database error: misuse (why)")
    }
}
