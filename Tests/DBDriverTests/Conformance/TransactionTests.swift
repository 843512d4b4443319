import DBDriver
import Synchronization
import TestSupport
import Testing

/// What a transaction promises, on each engine.
@Suite("Transactions")
struct TransactionTests {
    struct Refused: Error {}

    static func table(_ engine: Engine) -> String {
        engine.dialect == .sqlite
            ? "CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT"
            : "CREATE TABLE counters (id BIGINT PRIMARY KEY, n BIGINT NOT NULL) ENGINE=InnoDB"
    }

    func withCounters(
        _ engine: Engine,
        count: Int = 2,
        _ configure: (inout DatabaseConfiguration) -> Void = { _ in },
        _ body: (Database) async throws -> Void
    ) async throws {
        try await engine.withDatabase(configure) { database in
            try await database.execute(Self.table(engine))
            try await database.write { session in
                for id in 0..<count { try session.execute("INSERT INTO counters (id, n) VALUES (\(id), 0)") }
            }
            try await body(database)
        }
    }

    func values(_ database: Database) async throws -> [Int] {
        try await database.read { session in
            try session.rows("SELECT n FROM counters ORDER BY id").map { try $0.get("n", as: Int.self) }
        }
    }

    @Test("a closure that throws leaves nothing behind", arguments: Engine.available)
    func rollback(engine: Engine) async throws {
        try await withCounters(engine) { database in
            await #expect(throws: Refused.self) {
                try await database.write { session in
                    try session.execute("UPDATE counters SET n = 5")
                    throw Refused()
                }
            }
            let found = try await values(database)
            #expect(found == [0, 0])
        }
    }

    @Test("a statement error that the closure swallows still prevents COMMIT", arguments: Engine.available)
    func poison(engine: Engine) async throws {
        try await withCounters(engine) { database in
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { session in
                    try session.execute("UPDATE counters SET n = 5")
                    _ = try? session.execute("INSERT INTO counters (id, n) VALUES (0, 0)")
                }
            }
            #expect(error?.kind == .uniqueViolation)
            let found = try await values(database)
            #expect(found == [0, 0])
        }
    }

    @Test("no statement runs after an error", arguments: Engine.available)
    func nothingAfterError(engine: Engine) async throws {
        try await withCounters(engine) { database in
            let second = Mutex<DatabaseError?>(nil)
            await #expect(throws: DatabaseError.self) {
                try await database.write { session in
                    _ = try? session.execute("INSERT INTO counters (id, n) VALUES (0, 0)")
                    do throws(DatabaseError) {
                        try session.execute("UPDATE counters SET n = 9")
                    } catch {
                        second.withLock { $0 = error }
                    }
                }
            }
            #expect(second.withLock { $0?.kind } == .misuse)
            let found = try await values(database)
            #expect(found == [0, 0])
        }
    }

    @Test("a read cannot write", arguments: Engine.available)
    func readOnly(engine: Engine) async throws {
        try await withCounters(engine) { database in
            await #expect(throws: DatabaseError.self) {
                try await database.snapshot { try $0.execute("UPDATE counters SET n = 1") }
            }
            let found = try await values(database)
            #expect(found == [0, 0])
        }
    }

    @Test("50 writers that add to one row lose no addition", arguments: Engine.available)
    func concurrentIncrements(engine: Engine) async throws {
        try await withCounters(engine) { database in
            try await withThrowingTaskGroup { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await database.write { session in
                            let lock = session.dialect.forUpdate
                            let row = try session.row("SELECT n FROM counters WHERE id = 0 \(lock)")
                            let n = try row?.get("n", as: Int.self) ?? -1
                            try session.execute("UPDATE counters SET n = \(n + 1) WHERE id = 0")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let found = try await values(database)
            #expect(found == [50, 0])
        }
    }

    @Test("transactions that deadlock for real are run again until all have happened", arguments: Engine.servers)
    func deadlocks(engine: Engine) async throws {
        try await withCounters(engine) { database in
            let attempts = Tally()
            try await withThrowingTaskGroup { group in
                for index in 0..<16 {
                    group.addTask {
                        try await database.write { session in
                            attempts.add()
                            // Opposite orders make a cycle; the pause makes sure that both hold their first lock.
                            try session.execute("UPDATE counters SET n = n + 1 WHERE id = \(index % 2)")
                            _ = try session.row("SELECT SLEEP(0.02) AS s")
                            try session.execute("UPDATE counters SET n = n + 1 WHERE id = \(1 - index % 2)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let found = try await values(database)
            #expect(found == [16, 16])
            #expect(attempts.count > 16, "no deadlock was provoked")
        }
    }

    @Test("retries are bounded, and the last conflict reaches the caller", arguments: Engine.available)
    func boundedRetries(engine: Engine) async throws {
        try await withCounters(engine, { $0.attemptsMax = 3 }) { database in
            let attempts = Tally()
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { _ in
                    attempts.add()
                    throw DatabaseError.simulatedConflict
                }
            }
            #expect(error?.kind == .conflict)
            #expect(attempts.count == 3)
        }
    }

    @Test("a cancelled read ends at once, and the database goes on working", arguments: Engine.available)
    func cancelledRead(engine: Engine) async throws {
        try await withCounters(engine) { database in
            let slow: SQL =
                engine.dialect == .mysql
                ? "SELECT SLEEP(8) AS s"
                : """
                WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 1000000000)
                SELECT COUNT(*) AS s FROM r
                """
            let started = Gate()
            let task = Task {
                try await database.read { session in
                    started.open()
                    return try session.row(slow)
                }
            }
            await started.wait()
            let begin = ContinuousClock.now
            task.cancel()
            let result = await task.result
            #expect(throws: (any Error).self) { try result.get() }
            #expect(ContinuousClock.now - begin < .seconds(5))
            let found = try await values(database)
            #expect(found == [0, 0])
        }
    }
}
