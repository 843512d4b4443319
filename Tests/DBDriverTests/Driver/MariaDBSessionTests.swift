import TestSupport
import Testing

@testable import DBDriver

/// How a connection to a MySQL-protocol server is set up, whatever the server's own configuration says.
@Suite("MariaDB session", .timeLimit(.minutes(10)))
struct MariaDBSessionTests {
    /// The variable with the limit of a statement, and how its values in seconds are written: MySQL counts milliseconds.
    static func limit(_ engine: Engine) -> (variable: String, value: @Sendable (Int) -> String) {
        engine == .mysql
            ? ("max_execution_time", { "\($0 * 1_000)" }) : ("max_statement_time", { "\($0).000000" })
    }

    func variables(_ names: [String], _ session: any EngineSession) throws -> [String: String] {
        let rows = try session.run("SHOW SESSION VARIABLES WHERE Variable_name IN \(list: names)", rowLimit: 100).rows
        return try Dictionary(uniqueKeysWithValues: rows.map { (try $0.get("Variable_name"), try $0.get("Value")) })
    }

    @Test("session settings do not depend on the server's", arguments: Engine.servers)
    func settings(engine: Engine) async throws {
        try await engine.withEmptyDatabase { configuration async throws in
            let session = try configuration.opener(.readWrite)()
            defer { session.close() }
            let limit = Self.limit(engine)
            let expected = [
                "sql_mode": "ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
                "time_zone": "+00:00",
                "autocommit": "ON",
                engine == .mysql ? "transaction_isolation" : "tx_isolation": "READ-COMMITTED",
                "character_set_client": "utf8mb4",
                "character_set_connection": "utf8mb4",
                "character_set_results": "utf8mb4",
                "collation_connection": "utf8mb4_bin",
                "innodb_lock_wait_timeout": "5",
                limit.variable: limit.value(8),
            ]
            let found = try variables(Array(expected.keys), session)
            #expect(found == expected)
        }
    }

    @Test("a DDL connection has no statement limit, and gives up waiting for a table", arguments: Engine.servers)
    func migrationSettings(engine: Engine) async throws {
        try await engine.withEmptyDatabase { configuration async throws in
            let session = try configuration.opener(.readWrite, for: .migrating)()
            defer { session.close() }
            let limit = Self.limit(engine)
            let found = try variables([limit.variable, "lock_wait_timeout"], session)
            #expect(found == [limit.variable: limit.value(0), "lock_wait_timeout": "30"])
        }
    }

    @Test(
        "a lock wait ends before the statement's own limit, which ends before the read time-out",
        arguments: Engine.servers,
        [4, 5, 8, 10, 60]
    )
    func timeoutOrder(engine: Engine, readTimeout: Int) async throws {
        try await engine.withEmptyDatabase { configuration async throws in
            var configuration = configuration
            configuration.editMySQL { $0.readTimeout = .seconds(readTimeout) }
            let session = try configuration.opener(.readWrite)()
            defer { session.close() }
            let limit = Self.limit(engine).variable
            let found = try variables(["innodb_lock_wait_timeout", limit], session)
            let lockWait = try #require(Int(found["innodb_lock_wait_timeout"] ?? ""))
            let statement = try #require(Double(found[limit] ?? "")) / (engine == .mysql ? 1_000 : 1)
            #expect(1 <= lockWait)
            #expect(Double(lockWait) < statement)
            #expect(statement < Double(readTimeout))
        }
    }

    @Test("a statement beyond its limit is interrupted, and the connection stays", arguments: Engine.servers)
    func statementLimit(engine: Engine) async throws {
        try await engine.withDatabase({ configuration in
            configuration.poolSize = 1
            configuration.editMySQL { $0.readTimeout = .seconds(4) }
        }) { database in
            let id: SQL = "SELECT CONNECTION_ID() AS id"
            let before = try await database.read { try $0.row(id)?.get("id", as: Int.self) }
            let error = await #expect(throws: DatabaseError.self) {
                try await database.read { try $0.rows("SELECT SLEEP(0.01) AS s FROM information_schema.COLUMNS") }
            }
            #expect(error?.kind == .interrupted)
            let after = try await database.read { try $0.row(id)?.get("id", as: Int.self) }
            #expect(after == before)
        }
    }

    @Test("verify-full is refused by a server without TLS, and nothing goes in plain text", arguments: Engine.servers)
    func verifyFull(engine: Engine) async throws {
        try await engine.withEmptyDatabase { configuration async throws in
            var configuration = configuration
            configuration.editMySQL { $0.tls = .verifyFull }
            let database = Database(configuration, logger: quietLogger)
            let error = await #expect(throws: DatabaseError.self) {
                try await database.read { try $0.row("SELECT 1 AS one") }
            }
            await database.shutDown()
            #expect(error?.kind == .accessDenied)
            #expect(error?.message.contains("TLS") == true || error?.message.contains("SSL") == true)
        }
    }

    @Test("a wrong password is refused once, and appears nowhere", arguments: Engine.servers)
    func wrongPassword(engine: Engine) async throws {
        try await engine.withEmptyDatabase { configuration async throws in
            let secret = "wrong-hunter2"
            var configuration = configuration
            configuration.editMySQL { $0.password = secret }
            let database = Database(configuration, logger: quietLogger)
            let error = await #expect(throws: DatabaseError.self) {
                try await database.read { try $0.row("SELECT 1 AS one") }
            }
            await database.shutDown()
            #expect(error?.kind == .accessDenied)
            #expect(error?.code == 1045)
            let texts = try [
                #require(error).description, #require(error).debugDescription, "\(configuration)", "\(database)",
            ]
            for text in texts { #expect(!text.contains(secret)) }
        }
    }

    @Test("a missing database is refused with its own code", arguments: Engine.servers)
    func missingDatabase(engine: Engine) async throws {
        try await engine.withEmptyDatabase { configuration async throws in
            var configuration = configuration
            configuration.editMySQL { $0.database = "registry_that_is_not_there" }
            let open = configuration.opener(.readWrite)
            let error = #expect(throws: DatabaseError.self) { _ = try open() }
            #expect(error?.kind == .accessDenied)
            #expect(error?.code == 1049)
        }
    }
}
