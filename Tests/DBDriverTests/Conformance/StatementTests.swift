import DBDriver
import TestSupport
import Testing

/// Statements, keys, errors and upserts behave alike on each engine.
@Suite("Statements")
struct StatementTests {
    static func tables(_ engine: Engine) -> [String] {
        switch engine.dialect {
        case .sqlite:
            [
                "CREATE TABLE parents (name TEXT PRIMARY KEY, n INTEGER NOT NULL CHECK (n >= 0)) STRICT",
                "CREATE TABLE children (name TEXT NOT NULL REFERENCES parents (name) ON DELETE CASCADE) STRICT",
            ]
        case .mysql:
            [
                """
                CREATE TABLE parents (name VARCHAR(255) PRIMARY KEY, n BIGINT NOT NULL CHECK (n >= 0))
                ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
                """,
                """
                CREATE TABLE children (name VARCHAR(255) NOT NULL,
                FOREIGN KEY (name) REFERENCES parents (name) ON DELETE CASCADE)
                ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
                """,
            ]
        }
    }

    func withTables(_ engine: Engine, _ body: (Database) async throws -> Void) async throws {
        try await engine.withDatabase { database in
            for table in Self.tables(engine) { try await database.execute(table) }
            try await database.write { try $0.execute("INSERT INTO parents (name, n) VALUES (\("a"), \(1))") }
            try await body(database)
        }
    }

    func kind(of sql: SQL, on database: Database) async throws -> DatabaseError? {
        await #expect(throws: DatabaseError.self) { try await database.write { try $0.execute(sql) } }
    }

    @Test("errors have the same kind on each engine", arguments: Engine.available)
    func errorKinds(engine: Engine) async throws {
        try await withTables(engine) { database in
            let cases: [(SQL, DatabaseError.Kind)] = [
                ("INSERT INTO parents (name, n) VALUES (\("a"), \(2))", .uniqueViolation),
                ("INSERT INTO children (name) VALUES (\("nobody"))", .foreignKeyViolation),
                ("INSERT INTO parents (name, n) VALUES (\("b"), \(-1))", .invalidValue),
                ("INSERT INTO parents (name, n) VALUES (\("b"), \(String?.none))", .invalidValue),
                ("INSERT INTO parents (name, n) VALUES (\("b"), \("not a number"))", .invalidValue),
                ("SELECT no_such_column FROM parents", .schemaMismatch),
                ("SELECT * FROM nowhere", .schemaMismatch),
            ]
            for (sql, kind) in cases {
                let error = try await self.kind(of: sql, on: database)
                #expect(error?.kind == kind, "\(sql.text): \(error?.debugDescription ?? "no error")")
            }
        }
    }

    @Test("an error's description has no bound value in it", arguments: Engine.available)
    func errorsHideValues(engine: Engine) async throws {
        try await withTables(engine) { database in
            let secret = "hunter2-\(engine.rawValue)"
            try await database.write { try $0.execute("INSERT INTO parents (name, n) VALUES (\(secret), \(2))") }
            let error = try await kind(of: "INSERT INTO parents (name, n) VALUES (\(secret), \(3))", on: database)
            #expect(error.map { "\($0)" }?.contains(secret) == false)
        }
    }

    @Test("names compare by bytes: case and accents matter", arguments: Engine.available)
    func binaryComparison(engine: Engine) async throws {
        try await withTables(engine) { database in
            for name in ["A", "á", "a\u{301}"] {
                let row = try await database.read { try $0.row("SELECT n FROM parents WHERE name = \(name)") }
                #expect(row == nil, "\(name) is not a")
                try await database.write { try $0.execute("INSERT INTO parents (name, n) VALUES (\(name), \(0))") }
            }
        }
    }

    @Test("UPDATE reports matched rows even when nothing changes, DELETE the deleted", arguments: Engine.available)
    func affectedRows(engine: Engine) async throws {
        try await withTables(engine) { database in
            let (same, none, deleted) = try await database.write { session in
                (
                    try session.execute("UPDATE parents SET n = \(1) WHERE name = \("a")"),
                    try session.execute("UPDATE parents SET n = \(1) WHERE name = \("b")"),
                    try session.execute("DELETE FROM parents WHERE name = \("a")")
                )
            }
            #expect(same == 1)
            #expect(none == 0)
            #expect(deleted == 1)
        }
    }

    @Test("deleting a row deletes the rows that refer to it", arguments: Engine.available)
    func cascade(engine: Engine) async throws {
        try await withTables(engine) { database in
            try await database.write { session in
                try session.execute("INSERT INTO children (name) VALUES (\("a"))")
                try session.execute("DELETE FROM parents WHERE name = \("a")")
            }
            let children = try await database.read { try $0.rows("SELECT name FROM children") }
            #expect(children.isEmpty)
        }
    }

    @Test("an upsert overwrites the named columns, or leaves the row alone", arguments: Engine.available)
    func upsert(engine: Engine) async throws {
        try await withTables(engine) { database in
            let found = try await database.write { session in
                let dialect = session.dialect
                try session.execute(
                    "INSERT INTO parents (name, n) VALUES (\("a"), \(7)) \(dialect.onConflict("name", update: ["n"]))"
                )
                try session.execute("INSERT INTO parents (name, n) VALUES (\("a"), \(9)) \(dialect.onConflict("name"))")
                return try session.rows("SELECT n FROM parents").map { try $0.get("n", as: Int.self) }
            }
            #expect(found == [7])
        }
    }

    @Test("a list bind takes any number of values, and none match an empty one", arguments: Engine.available)
    func listBind(engine: Engine) async throws {
        try await withTables(engine) { database in
            for (list, count) in [([], 0), (["a"], 1), (["a", "b", "c"], 1)] as [([String], Int)] {
                let rows = try await database.read { try $0.rows("SELECT n FROM parents WHERE name IN \(list: list)") }
                #expect(rows.count == count)
            }
        }
    }

    @Test("more rows than allowed are an error, not a silent cut", arguments: Engine.available)
    func rowLimit(engine: Engine) async throws {
        try await withTables(engine) { database in
            try await database.write { try $0.execute("INSERT INTO parents (name, n) VALUES (\("b"), \(1))") }
            let error = await #expect(throws: DatabaseError.self) {
                try await database.read { try $0.row("SELECT name FROM parents") }
            }
            #expect(error?.kind == .misuse)
        }
    }

    @Test("a statement prepared before a table changed still works afterwards", arguments: Engine.available)
    func changedTable(engine: Engine) async throws {
        try await engine.withDatabase({ $0.poolSize = 1 }) { database in
            for table in Self.tables(engine) { try await database.execute(table) }
            let query: SQL = "SELECT * FROM parents"
            _ = try await database.read { try $0.rows(query) }
            try await database.execute("ALTER TABLE parents ADD COLUMN extra INTEGER")
            try await database.write {
                try $0.execute("INSERT INTO parents (name, n, extra) VALUES (\("x"), \(1), \(5))")
            }
            let row = try await database.read { try $0.row(query) }
            #expect(try row?.get("extra", as: Int.self) == 5)
        }
    }

    /// On MySQL the columns of such a statement come with its rows.
    @Test("the rows of ANALYZE are told, and the next statement gets its own", arguments: Engine.servers)
    func analyze(engine: Engine) async throws {
        try await withTables(engine) { database in
            try await database.write { session in
                for _ in 0..<2 {
                    let row = try #require(try session.row("ANALYZE TABLE parents"))
                    #expect(try row.get("Table", as: String.self).hasSuffix(".parents"))
                    #expect(try session.row("SELECT n FROM parents")?.get("n", as: Int.self) == 1)
                }
            }
        }
    }

    @Test("two statements in one text are refused", arguments: Engine.available)
    func oneStatement(engine: Engine) async throws {
        try await withTables(engine) { database in
            _ = try await kind(of: "DELETE FROM parents; DELETE FROM children", on: database)
            let rows = try await database.read { try $0.rows("SELECT name FROM parents") }
            #expect(rows.count == 1)
        }
    }

    @Test("200 different statements fit a connection's cache", arguments: Engine.available)
    func manyStatements(engine: Engine) async throws {
        try await engine.withDatabase({ $0.poolSize = 1 }) { database in
            for count in 1...200 {
                let values = Array(0..<count)
                let row = try await database.read { try $0.row("SELECT 1 AS one WHERE 0 IN \(list: values)") }
                #expect(try row?.get("one", as: Int.self) == 1)
            }
        }
    }
}
