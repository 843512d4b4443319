import DBDriver
import Testing

/// Interpolation makes binds, never text.
@Suite("SQL")
struct SQLTests {
    static let hostile = [
        "'; DROP TABLE users; --", "\" OR \"\"=\"", "?", "\\", "\0", "`", "%s", "/*!50000 x */", "ＩＤ'", "",
    ]

    @Test("a string never becomes a part of the text", arguments: hostile)
    func hostileStrings(value: String) {
        let sql: SQL =
            "SELECT 1 FROM users WHERE a = \(value) AND b IN \(list: [value, value]) AND c = \(Optional(value))"
        #expect(sql.text == "SELECT 1 FROM users WHERE a = ? AND b IN (?, ?) AND c = ?")
        #expect(sql.binds == Array(repeating: .text(value), count: 4))
    }

    @Test("every kind of value becomes one question mark and one bind")
    func kinds() {
        let time = Timestamp(microseconds: 7)
        let bytes: [UInt8] = [0, 255]
        let sql: SQL = "\(1) \(Int64.min) \(true) \(false) \(1.5) \("a") \(bytes) \(time) \(Int?.none) \(Optional(2))"
        #expect(sql.text == "? ? ? ? ? ? ? ? ? ?")
        #expect(
            sql.binds == [
                .integer(1), .integer(.min), .integer(1), .integer(0), .real(1.5), .text("a"), .blob(bytes),
                .integer(7),
                .null, .integer(2),
            ]
        )
    }

    @Test("a literal has no binds")
    func literal() {
        let sql: SQL = "SELECT 1"
        #expect(sql.text == "SELECT 1")
        #expect(sql.binds.isEmpty)
    }

    @Test("a fragment brings its text and its binds, in order")
    func fragments() {
        let filter: SQL = "b = \("x") AND c = \("y")"
        let sql: SQL = "SELECT 1 FROM t WHERE a = \(1) AND \(filter) AND d = \(2)"
        #expect(sql.text == "SELECT 1 FROM t WHERE a = ? AND b = ? AND c = ? AND d = ?")
        #expect(sql.binds == [.integer(1), .text("x"), .text("y"), .integer(2)])
    }

    @Test("joined fragments are separated by commas")
    func joined() {
        let rows: [SQL] = [("a", 1), ("b", 2)].map { "(\($0.0), \($0.1))" }
        let sql: SQL = "INSERT INTO t VALUES \(joined: rows)"
        #expect(sql.text == "INSERT INTO t VALUES (?, ?), (?, ?)")
        #expect(sql.binds == [.text("a"), .integer(1), .text("b"), .integer(2)])
        let none: SQL = "\(joined: [])"
        #expect(none.text.isEmpty && none.binds.isEmpty)
    }

    @Test("a list has as many question marks as values, and an empty one is NULL")
    func lists() {
        for count in 0...3 {
            let values = Array(0..<count)
            let sql: SQL = "x IN \(list: values)"
            #expect(sql.text == ["x IN (NULL)", "x IN (?)", "x IN (?, ?)", "x IN (?, ?, ?)"][count])
            #expect(sql.binds == values.map { .integer(Int64($0)) })
        }
    }

    @Test("the printed statement has no values in it")
    func statementInError() {
        let sql: SQL = "SELECT \("secret")"
        #expect(!sql.text.contains("secret"))
    }
}
