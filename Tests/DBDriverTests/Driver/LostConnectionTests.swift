import Synchronization
import TestSupport
import Testing

@testable import DBDriver

/// The server ends connections whenever it likes, and callers do not notice.
@Suite("Lost connections", .timeLimit(.minutes(10)))
struct LostConnectionTests {
    struct Refused: Error {}

    func withNotes(
        _ engine: Engine,
        _ configure: (inout DatabaseConfiguration) -> Void = { $0.poolSize = 1 },
        _ body: (Database) async throws -> Void
    ) async throws {
        try await engine.withDatabase(configure) { database in
            try await database.execute(
                "CREATE TABLE notes (attempt BIGINT NOT NULL, part BIGINT NOT NULL) ENGINE=InnoDB"
            )
            try await body(database)
        }
    }

    static let ownID: SQL = "SELECT CONNECTION_ID() AS id"

    /// Ends a connection from another one, and waits until the server has let it go.
    static func kill(_ id: Int, _ configuration: DatabaseConfiguration) throws {
        let session = try configuration.opener(.readWrite)()
        defer { session.close() }
        do throws(DatabaseError) {
            while true { try session.runText("KILL \(id)") }
        } catch  where error.code != 1094 {
            throw error
        } catch {}  // There is no such connection.
    }

    /// (attempt, part) of each row.
    func notes(_ database: Database) async throws -> [[Int]] {
        try await database.read { session in
            try session.rows("SELECT attempt, part FROM notes ORDER BY attempt, part").map {
                [try $0.get("attempt", as: Int.self), try $0.get("part", as: Int.self)]
            }
        }
    }

    @Test("a connection that was killed while idle is replaced", arguments: Engine.servers)
    func killedIdle(engine: Engine) async throws {
        try await withNotes(engine) { database in
            for _ in 0..<3 {
                let id = try await database.read { try $0.row(Self.ownID)?.get("id", as: Int.self) ?? 0 }
                try Self.kill(id, database.configuration)
                let newID = try await database.read { try $0.row(Self.ownID)?.get("id", as: Int.self) ?? 0 }
                #expect(newID != id)
                try Self.kill(newID, database.configuration)
                try await database.write { try $0.execute("INSERT INTO notes VALUES (\(1), \(1))") }
            }
            #expect(try await notes(database).count == 3)
        }
    }

    @Test("more idle connections than there are attempts may be killed at once", arguments: Engine.servers)
    func allKilledIdle(engine: Engine) async throws {
        try await withNotes(
            engine,
            { configuration in
                configuration.poolSize = 12
                configuration.attemptsMax = 3
            }
        ) { database in
            let killed = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        try await database.read { session in
                            _ = try session.row("SELECT SLEEP(0.5) AS s")
                            return try session.row(Self.ownID)?.get("id") ?? 0
                        }
                    }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(killed.count == 12)
            for id in killed { try Self.kill(id, database.configuration) }
            try await database.write { try $0.execute("INSERT INTO notes VALUES (\(1), \(1))") }
            let found = try await notes(database)
            #expect(found == [[1, 1]])
        }
    }

    @Test("a transaction whose connection is killed in the middle runs again as a whole", arguments: Engine.servers)
    func killedInTransaction(engine: Engine) async throws {
        try await withNotes(engine) { database in
            let configuration = database.configuration
            let attempts = Tally()
            try await database.write { session in
                attempts.add()
                let attempt = attempts.count
                let id = try session.row(Self.ownID)?.get("id", as: Int.self) ?? 0
                try session.execute("INSERT INTO notes VALUES (\(attempt), \(1))")
                if attempt == 1 { try Self.kill(id, configuration) }
                try session.execute("INSERT INTO notes VALUES (\(attempt), \(2))")
            }
            #expect(attempts.count == 2)
            let found = try await notes(database)
            #expect(found == [[2, 1], [2, 2]])
        }
    }

    @Test(
        "a connection killed just before COMMIT: the caller learns that the outcome is unknown",
        arguments: Engine.servers
    )
    func killedBeforeCommit(engine: Engine) async throws {
        try await withNotes(engine) { database in
            let configuration = database.configuration
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { session in
                    try session.execute("INSERT INTO notes VALUES (\(1), \(1))")
                    try Self.kill(try session.row(Self.ownID)?.get("id", as: Int.self) ?? 0, configuration)
                }
            }
            #expect(error?.kind == .commitOutcomeUnknown)
            let found = try await notes(database)
            #expect(found == [])
        }
    }

    @Test(
        "a closure that throws its own error on a dead connection spoils nothing for the next caller",
        arguments: Engine.servers
    )
    func killedBeforeRollback(engine: Engine) async throws {
        try await withNotes(engine) { database in
            let configuration = database.configuration
            await #expect(throws: Refused.self) {
                try await database.write { session in
                    try session.execute("INSERT INTO notes VALUES (\(1), \(1))")
                    try Self.kill(try session.row(Self.ownID)?.get("id", as: Int.self) ?? 0, configuration)
                    throw Refused()
                }
            }
            let found = try await notes(database)
            #expect(found == [])
        }
    }

    @Test("a query that the server's operator kills is run again", arguments: Engine.servers)
    func killedQuery(engine: Engine) async throws {
        try await withNotes(engine, { $0.poolSize = 2 }) { database in
            let attempts = Tally()
            let id = Mutex(0)
            let task = Task {
                try await database.read { session in
                    attempts.add()
                    let own = try session.row(Self.ownID)?.get("id", as: Int.self) ?? 0
                    id.withLock { $0 = own }
                    // SLEEP itself would end early and answer 1: the rows that follow make it an error.
                    guard attempts.count == 1 else { return attempts.count }
                    _ = try session.rows("SELECT SLEEP(0.05) AS s FROM information_schema.COLUMNS")
                    return 1
                }
            }
            try await until { id.withLock { $0 } != 0 }
            let session = try database.configuration.opener(.readWrite)()
            defer { session.close() }
            // Again and again, as the first may come before the query; the connection ends after the last.
            try await until {
                _ = try? session.runText("KILL QUERY \(id.withLock { $0 })")
                return attempts.count > 1
            }
            #expect(try await task.value == 2)
        }
    }
}
