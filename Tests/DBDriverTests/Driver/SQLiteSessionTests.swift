import TestSupport
import Testing

@testable import DBDriver

/// How a connection to SQLite is set up.
@Suite("SQLite session")
struct SQLiteSessionTests {
    @Test(
        "journal, durability, foreign keys and schema trust are set on every connection",
        arguments: [TransactionAccess.readWrite, .readOnly]
    )
    func settings(access: TransactionAccess) async throws {
        try await Engine.sqlite.withEmptyDatabase { configuration async throws in
            let session = try configuration.opener(access)()
            defer { session.close() }
            let expected: [(SQL, String, SQLValue)] = [
                ("PRAGMA journal_mode", "journal_mode", .text("wal")),
                ("PRAGMA synchronous", "synchronous", .integer(2)),
                ("PRAGMA foreign_keys", "foreign_keys", .integer(1)),
                ("PRAGMA trusted_schema", "trusted_schema", .integer(0)),
                ("PRAGMA query_only", "query_only", .integer(access == .readOnly ? 1 : 0)),
                ("PRAGMA busy_timeout", "timeout", .integer(5_000)),
            ]
            for (query, column, value) in expected {
                let row = try session.run(query, rowLimit: 1).rows.first
                #expect(try row?.get(column, as: SQLValue.self) == value, "\(column)")
            }
        }
    }

    @Test("a missing file is not created unless that was asked for")
    func missingFile() async throws {
        try await Engine.sqlite.withEmptyDatabase { configuration async throws in
            var configuration = configuration
            configuration.editSQLite { $0.createIfMissing = false }
            let database = Database(configuration, logger: quietLogger)
            let error = await #expect(throws: DatabaseError.self) {
                try await database.read { try $0.row("SELECT 1 AS one") }
            }
            await database.shutDown()
            #expect(error?.kind == .unavailable)
        }
    }

    @Test("an interrupt that comes before the statement begins is not lost", .timeLimit(.minutes(10)))
    func earlyInterrupt() async throws {
        try await Engine.sqlite.withEmptyDatabase { configuration async throws in
            let session = try configuration.opener(.readWrite)()
            defer { session.close() }
            session.interrupter.interrupt()
            let endless: SQL = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT COUNT(*) FROM r"
            let error = #expect(throws: DatabaseError.self) { try session.run(endless, rowLimit: 1) }
            #expect(error?.kind == .interrupted)
        }
    }

    @Test("a database in memory has one connection for readers and writers")
    func inMemory() async throws {
        let database = Database(try DatabaseConfiguration(url: "sqlite://:memory:").patient, logger: quietLogger)
        try await database.execute("CREATE TABLE t (n INTEGER NOT NULL) STRICT")
        try await database.write { try $0.execute("INSERT INTO t (n) VALUES (\(1))") }
        let rows = try await database.read { try $0.rows("SELECT n FROM t") }
        await database.shutDown()
        #expect(rows.count == 1)
    }

    @Test("connections that open an empty file at the same moment all get it", .timeLimit(.minutes(10)))
    func simultaneous() async throws {
        // In line once, not 20 times.
        try await Turnstile.pass {
            for _ in 0..<20 { try await Engine.sqlite.withEmptyDatabase(Self.openEightTimes) }
        }
    }

    private static func openEightTimes(_ configuration: DatabaseConfiguration) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                let connection = Connection(name: "c\(number)", open: configuration.opener(.readWrite))
                group.addTask {
                    try await connection.connect()
                    await connection.close()
                }
            }
            try await group.waitForAll()
        }
    }
}
