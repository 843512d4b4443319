import Synchronization
import TestSupport
import Testing

@testable import DBDriver

/// A connection that is lost at COMMIT leaves the outcome open; a write that says how to recognise itself happens once.
@Suite("Exactly once at COMMIT", .timeLimit(.minutes(10)))
struct CommitOutcomeTests {
    struct Refused: Error {}

    /// A database behind a proxy, with a counter at 0 and no operation.
    func withProxy(
        _ engine: Engine,
        attemptsMax: Int = 10,
        timeout: Duration = .seconds(10),
        _ body: (Database, CommitProxy) async throws -> Void
    ) async throws {
        try await engine.withEmptyDatabase { configuration in
            let proxy = try CommitProxy(to: try #require(configuration.port))
            var configuration = configuration.atPort(proxy.port)
            configuration.poolSize = 1
            configuration.attemptsMax = attemptsMax
            configuration.operationTimeout = timeout
            let database = Database(configuration, logger: quietLogger)
            do {
                try await database.execute("CREATE TABLE operations (id BIGINT PRIMARY KEY) ENGINE=InnoDB")
                try await database.execute("CREATE TABLE counters (n BIGINT NOT NULL) ENGINE=InnoDB")
                try await database.write { try $0.execute("INSERT INTO counters (n) VALUES (0)") }
                try await body(database, proxy)
            } catch {
                await database.shutDown()
                throw error
            }
            await database.shutDown()
        }
    }

    static func wasCommitted(_ session: Session) throws -> Bool {
        try session.row("SELECT id FROM operations WHERE id = 7") != nil
    }

    static func operate(_ session: Session) throws {
        try session.execute("UPDATE counters SET n = n + 1")
        try session.execute("INSERT INTO operations (id) VALUES (7)")
    }

    /// The counter and the number of operations.
    func state(_ database: Database) async throws -> [Int] {
        try await database.read { session in
            let row = try session.row("SELECT n, (SELECT COUNT(*) FROM operations) AS c FROM counters")
            return [try row?.get("n") ?? -1, try row?.get("c") ?? -1]
        }
    }

    @Test(
        "with its mark, a write happens once and returns its value",
        arguments: Engine.servers,
        CommitProxy.Cut.allCases
    )
    func once(engine: Engine, cut: CommitProxy.Cut) async throws {
        // Two attempts must do: the connection with the unknown outcome is not lent again.
        try await withProxy(engine, attemptsMax: 2) { database, proxy in
            let attempts = Tally()
            proxy.cut([cut])
            let value = try await database.write(wasCommitted: Self.wasCommitted) { session in
                attempts.add()
                try Self.operate(session)
                return attempts.count
            }
            #expect(proxy.cuts == 1)
            #expect(attempts.count == (cut == .beforeReply ? 1 : 2))
            #expect(value == attempts.count, "the value is that of the attempt that was committed")
            let found = try await state(database)
            #expect(found == [1, 1])
        }
    }

    @Test(
        "without a mark the caller learns that the outcome is unknown",
        arguments: Engine.servers,
        CommitProxy.Cut.allCases
    )
    func unknown(engine: Engine, cut: CommitProxy.Cut) async throws {
        try await withProxy(engine) { database, proxy in
            let attempts = Tally()
            proxy.cut([cut])
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write { session in
                    attempts.add()
                    try Self.operate(session)
                }
            }
            #expect(error?.kind == .commitOutcomeUnknown)
            #expect(attempts.count == 1, "it is not run again")
            let found = try await state(database)
            #expect(found == (cut == .beforeReply ? [1, 1] : [0, 0]))
        }
    }

    @Test("a write with a mark survives several cuts in a row", arguments: Engine.servers)
    func severalCuts(engine: Engine) async throws {
        try await withProxy(engine) { database, proxy in
            proxy.cut([.beforeForwarding, .beforeForwarding, .beforeReply, .beforeReply, .beforeForwarding])
            try await database.write(wasCommitted: Self.wasCommitted, Self.operate)
            #expect(proxy.cuts == 5)
            let found = try await state(database)
            #expect(found == [1, 1])
        }
    }

    @Test(
        "an unknown outcome is settled as long as there is time, and called unknown then, not lost",
        arguments: Engine.servers
    )
    func neverSettled(engine: Engine) async throws {
        try await withProxy(engine, attemptsMax: 2, timeout: .seconds(1)) { database, proxy in
            proxy.cut(Array(repeating: .beforeForwarding, count: 10_000))
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write(wasCommitted: Self.wasCommitted, Self.operate)
            }
            #expect(error?.kind == .commitOutcomeUnknown)
            #expect(proxy.cuts > 2)
            proxy.cut([])
            let found = try await state(database)
            #expect(found == [0, 0])
        }
    }

    @Test("an operation that becomes visible only after the look-up is found all the same", arguments: Engine.servers)
    func lateArrival(engine: Engine) async throws {
        try await withProxy(engine) { database, proxy in
            let open = database.configuration.opener(.readWrite)
            let attempts = Tally()
            proxy.cut([.beforeForwarding])
            let value = try await database.write(wasCommitted: Self.wasCommitted) { session in
                attempts.add()
                if attempts.count == 2 {
                    // As if the first attempt's COMMIT were only done now.
                    let other = try open()
                    defer { other.close() }
                    try other.runText("UPDATE counters SET n = n + 1")
                    try other.runText("INSERT INTO operations (id) VALUES (7)")
                }
                try Self.operate(session)
                return attempts.count
            }
            #expect(value == 1)
            let found = try await state(database)
            #expect(found == [1, 1])
        }
    }

    @Test("the same when the closure finds its own change and refuses to make it twice", arguments: Engine.servers)
    func lateArrivalRefused(engine: Engine) async throws {
        try await withProxy(engine) { database, proxy in
            let open = database.configuration.opener(.readWrite)
            let attempts = Tally()
            proxy.cut([.beforeForwarding])
            let value = try await database.write(wasCommitted: Self.wasCommitted) { session in
                attempts.add()
                if attempts.count == 2 {
                    let other = try open()
                    defer { other.close() }
                    try other.runText("UPDATE counters SET n = n + 1")
                    try other.runText("INSERT INTO operations (id) VALUES (7)")
                    throw Refused()
                }
                try Self.operate(session)
                return attempts.count
            }
            #expect(value == 1)
            let found = try await state(database)
            #expect(found == [1, 1])
        }
    }

    @Test("what another caller did meanwhile is an error of its own kind, at once", arguments: Engine.servers)
    func overtaken(engine: Engine) async throws {
        try await withProxy(engine) { database, proxy in
            try await database.execute("CREATE TABLE names (name VARCHAR(9) PRIMARY KEY) ENGINE=InnoDB")
            let open = database.configuration.opener(.readWrite)
            let attempts = Tally()
            proxy.cut([.beforeForwarding])
            let error = await #expect(throws: DatabaseError.self) {
                try await database.write(wasCommitted: Self.wasCommitted) { session in
                    attempts.add()
                    if attempts.count == 2 {
                        let other = try open()
                        defer { other.close() }
                        try other.runText("INSERT INTO names (name) VALUES ('pizza')")
                    }
                    try session.execute("INSERT INTO names (name) VALUES ('pizza')")
                    try Self.operate(session)
                }
            }
            #expect(error?.kind == .uniqueViolation)
            #expect(attempts.count == 2)
            let found = try await state(database)
            #expect(found == [0, 0])
        }
    }
}
