import Synchronization
import TestSupport
import Testing

@testable import DBDriver

/// Waiting for locks ends in time, and the transaction that waited in vain leaves nothing behind.
@Suite("Lock waits", .timeLimit(.minutes(10)))
struct LockWaitTests {
    static let begin = [Dialect.sqlite: "BEGIN IMMEDIATE", .mysql: "START TRANSACTION"]

    /// A table with a row that is to be locked, and the shortest lock wait that the engine knows.
    func withRow(
        _ engine: Engine,
        operationTimeout: Duration = .seconds(10),
        _ body: (Database, @escaping @Sendable () throws -> any EngineSession) async throws -> Void
    ) async throws {
        try await engine.withDatabase({ configuration in
            configuration.operationTimeout = operationTimeout
            configuration.editSQLite { $0.busyTimeout = .milliseconds(50) }
            configuration.editMySQL { $0.readTimeout = .seconds(4) }
        }) { database in
            let tail = engine.dialect == .mysql ? "ENGINE=InnoDB" : "STRICT"
            try await database.execute("CREATE TABLE locked (id INTEGER PRIMARY KEY, n INTEGER NOT NULL) \(tail)")
            try await database.execute("CREATE TABLE notes (attempt INTEGER NOT NULL) \(tail)")
            try await database.write { try $0.execute("INSERT INTO locked (id, n) VALUES (1, 0)") }
            let open = database.configuration.opener(.readWrite)
            let begin = try #require(Self.begin[engine.dialect])
            try await body(database) {
                let session = try open()
                try session.runText(begin)
                try session.runText("UPDATE locked SET n = n + 100 WHERE id = 1")
                return session
            }
        }
    }

    func notes(_ database: Database) async throws -> [Int] {
        try await database.read { session in
            try session.rows("SELECT attempt FROM notes").map { try $0.get("attempt", as: Int.self) }
        }
    }

    @Test(
        "after a lock wait time-out (1205) the transaction is rolled back before it is run again",
        arguments: Engine.servers,
        [false, true]
    )
    func lockWaitTimeout(engine: Engine, isSwallowed: Bool) async throws {
        try await withRow(engine) { database, lock in
            let holder = Mutex<(any EngineSession)?>(nil)
            let codes = Mutex<[Int]>([])
            let attempts = Tally()
            try await database.write { session in
                attempts.add()
                let attempt = attempts.count
                try session.execute("INSERT INTO notes (attempt) VALUES (\(attempt))")
                if attempt == 1 {
                    try holder.withLock { $0 = try lock() }
                } else {
                    _ = try holder.withLock { try $0?.runText("ROLLBACK") }
                }
                do throws(DatabaseError) {
                    try session.execute("UPDATE locked SET n = n + 1 WHERE id = 1")
                } catch {
                    codes.withLock { $0.append(error.code) }
                    if !isSwallowed { throw error }
                }
            }
            holder.withLock { $0?.close() }
            #expect(codes.withLock { $0 } == [1205])
            let found = try await notes(database)
            #expect(found == [2])
            let row = try await database.read { try $0.row("SELECT n FROM locked") }
            #expect(try row?.get("n", as: Int.self) == 1)
        }
    }

    @Test("a lock that is never released ends in a conflict, in bounded time", arguments: Engine.available)
    func neverReleased(engine: Engine) async throws {
        try await withRow(engine, operationTimeout: .seconds(1)) { database, lock in
            let holder = try lock()
            defer { holder.close() }
            let begin = ContinuousClock.now
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { session in
                    try session.execute("INSERT INTO notes (attempt) VALUES (\(1))")
                    try session.execute("UPDATE locked SET n = n + 1 WHERE id = 1")
                }
            }
            #expect(error?.kind == .conflict)
            #expect(ContinuousClock.now - begin < .seconds(10))
            try holder.runText("ROLLBACK")
            let found = try await notes(database)
            #expect(found == [])
        }
    }

    @Test("SQLite: a writer waits for another process's write lock beyond its busy time-out")
    func busyReleased() async throws {
        try await withRow(.sqlite) { database, lock in
            let holder = try lock()
            let write = Task {
                try await database.write { try $0.execute("UPDATE locked SET n = n + 1 WHERE id = 1") }
            }
            // Twice the busy time-out.
            try await Task.sleep(for: .milliseconds(100))
            try holder.runText("COMMIT")
            holder.close()
            #expect(try await write.value == 1)
            let row = try await database.read { try $0.row("SELECT n FROM locked") }
            #expect(try row?.get("n", as: Int.self) == 101)
        }
    }

    @Test("SQLite: readers go on while another connection holds the write lock")
    func readersGoOn() async throws {
        try await withRow(.sqlite) { database, lock in
            let holder = try lock()
            defer { holder.close() }
            let row = try await database.read { try $0.row("SELECT n FROM locked") }
            #expect(try row?.get("n", as: Int.self) == 0)
        }
    }
}
