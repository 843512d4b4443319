import Synchronization
import TestSupport
import Testing

@testable import DBDriver

/// What a run does about another that died in the middle, on engines that commit at every DDL statement.
@Suite("Interrupted migrations on MySQL")
struct MigrationRecoveryTests {
    private static let up = """
        CREATE TABLE a (id INT NOT NULL PRIMARY KEY);
        INSERT INTO a VALUES (1);
        ALTER TABLE a ADD COLUMN n INT;
        CREATE INDEX a_n ON a (n);
        """
    private static let all = files(("a", up, "DROP TABLE a;"))

    /// Writes what a run leaves behind that dies at statement `done + 1`.
    private func leaveRunning(_ database: DatabaseConfiguration, _ migrator: Migrator, done: Int) async throws {
        let migration = migrator.folder.migrations[0]
        let row = LedgerRow(
            version: 1,
            name: migration.name,
            dialect: "mysql",
            phase: .expand,
            upChecksum: migration.up.checksum,
            downChecksum: migration.down?.checksum,
            direction: .up,
            state: .running,
            statementDone: done,
            statements: migration.up.statements.count,
            startedAt: .now(),
            appVersion: "1",
            owner: "dead"
        )
        try await database.onConnection { session in
            try MigrationTables.create(in: session)
            try MigrationLedger.begin(row, in: session)
        }
    }

    @Test(
        "A run that died at any statement, before or after the statement took effect, is finished without doing one twice",
        arguments: Engine.servers,
        (0..<4).flatMap { [($0, false), ($0, true)] }
    )
    func everyBoundary(_ engine: Engine, _ boundary: (done: Int, tookEffect: Bool)) async throws {
        let (done, tookEffect) = boundary
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.all)
            let statements = migrator.folder.migrations[0].up.statements
            // An INSERT is counted in its own transaction: it cannot have taken effect without being counted.
            let isInsert = statements[done].text.hasPrefix("INSERT")
            for statement in statements.prefix(tookEffect && !isInsert ? done + 1 : done) {
                try await database.execute(statement.text)
            }
            try await leaveRunning(database, migrator, done: done)
            #expect(try await migrator.up().map(\.version) == [1])
            #expect(try await database.ledger() == ["1 done 4/4"])
            #expect(try await database.count("SELECT COUNT(*) AS n FROM a") == 1)
            #expect(try await database.log() == ["1 up interrupted", "1 up done"])
        }
    }

    @Test("A run that died after its last statement only has to be marked as done", arguments: Engine.servers)
    func onlyMark(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.all)
            try await leaveRunning(database, migrator, done: 4)
            #expect(try await migrator.up().map(\.version) == [1])
            #expect(try await database.tables().isEmpty)
        }
    }

    /// How much of an ALTER TABLE with several changes an operator finds done.
    enum Effect: CaseIterable {
        case none, all, some
    }

    @Test(
        "An ALTER TABLE of several changes is settled when all or none of them are there, and else left to an operator",
        arguments: Engine.servers,
        Effect.allCases
    )
    func severalChanges(_ engine: Engine, _ effect: Effect) async throws {
        try await engine.withEmptyDatabase { database in
            let alter = "ALTER TABLE a ADD COLUMN x INT, ADD COLUMN y INT, ADD INDEX a_x (x), DROP COLUMN n"
            let up = "CREATE TABLE a (id INT NOT NULL PRIMARY KEY, n INT);\n\(alter);"
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE a;")))
            try await database.execute("CREATE TABLE a (id INT NOT NULL PRIMARY KEY, n INT)")
            if effect != .none { try await database.execute(alter) }
            if effect == .some { try await database.execute("ALTER TABLE a DROP COLUMN y") }
            try await leaveRunning(database, migrator, done: 1)
            let told = Mutex<[Int]>([])
            let error = await migrator.error { migrator in
                _ = try await migrator.up { progress in
                    if case .foundDone(_, let number) = progress { told.withLock { $0.append(number) } }
                }
            }
            guard effect == .some else {
                #expect(error == nil)
                #expect(told.withLock { $0 } == (effect == .all ? [2] : []))
                #expect(try await database.ledger() == ["1 done 2/2"])
                #expect(try await database.count("SELECT COUNT(y) AS n FROM a WHERE x IS NULL") == 0)
                return
            }
            #expect(error?.exitCode == 4)
            #expect(error?.description.contains("`migrate resolve 1 --statement 2 --not-done`") == true)
            #expect(try await database.ledger() == ["1 running 1/2"])
            #expect(try await database.count("SELECT COUNT(x) AS n FROM a") == 0, "nothing was undone or run")
        }
    }

    @Test("A plan shows the statements that an interrupted run has left", arguments: Engine.servers)
    func plan(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.all)
            try await leaveRunning(database, migrator, done: 2)
            let plan = try await migrator.planUp()
            #expect(plan.map { $0.statements.map(\.number) } == [[3, 4]])
            #expect(plan[0].statements[0].place == "0001_a/up.sql:4")
            #expect(try await database.ledger() == ["1 running 2/4"])
            #expect(await migrator.error { _ = try await $0.planDown(to: 0) }?.exitCode == 4)
        }
    }

    @Test(
        "A half-applied migration whose later statement was mended goes on behind what is done once it is repaired",
        arguments: Engine.servers
    )
    func repair(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let first = "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nINSERT INTO a VALUES (1);\n"
            let wrong = try Migrator(database, files(("a", first + "INSERT INTO aa VALUES (2);", "DROP TABLE a;")))
            #expect(await wrong.error { _ = try await $0.up() }?.exitCode == 4)
            #expect(try await database.ledger() == ["1 failed 2/3"])

            let text = first + "INSERT INTO a VALUES (2);\nINSERT INTO a VALUES (3);"
            let mended = try Migrator(database, files(("a", text, "DROP TABLE a;")))
            #expect(await mended.error { _ = try await $0.up() }?.exitCode == 3)
            try await mended.repair(version: 1)
            #expect(try await database.ledger() == ["1 failed 2/4"])
            #expect(try await mended.up().map(\.version) == [1])
            #expect(try await database.ledger() == ["1 done 4/4"])
            #expect(try await database.count("SELECT COUNT(*) AS n FROM a") == 3)
            #expect(try await database.log() == ["1 up failed", "1 repair done", "1 up done"])
        }
    }

    @Test(
        "What cannot be told from the schema is left to an operator, exit code 4; resolve goes on",
        arguments: Engine.servers,
        [false, true]
    )
    func undecidable(_ engine: Engine, _ isDone: Bool) async throws {
        try await engine.withEmptyDatabase { database in
            let up = "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nCREATE VIEW v AS SELECT id FROM a;"
            let migrator = try Migrator(database, files(("a", up, "DROP VIEW v;\nDROP TABLE a;")))
            try await database.execute("CREATE TABLE a (id INT NOT NULL PRIMARY KEY)")
            if isDone { try await database.execute("CREATE VIEW v AS SELECT id FROM a") }
            try await leaveRunning(database, migrator, done: 1)
            let error = await migrator.error { _ = try await $0.up() }
            #expect(error?.exitCode == 4)
            #expect(error?.description.contains("migrate resolve 1 --statement 2 --done") == true)
            #expect(try await database.ledger() == ["1 running 1/2"])

            let wrong = await migrator.error { try await $0.resolve(version: 1, statement: 1, isDone: true) }
            #expect(wrong?.exitCode == 2)
            try await migrator.resolve(version: 1, statement: 2, isDone: isDone)
            #expect(try await migrator.up().map(\.version) == [1])
            #expect(try await database.tables() == ["a", "v"])
            #expect(try await database.log().contains("1 resolve \(isDone ? "done" : "not-done")"))
        }
    }

    @Test("A refused statement whose work was done in another way counts as done", arguments: Engine.servers)
    func doneByHand(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let up = """
                CREATE TABLE a (id INT NOT NULL PRIMARY KEY);
                ALTER TABLE a ADD COLUMN n INT NOT NULL AUTO_INCREMENT UNIQUE, ALGORITHM=INSTANT;
                CREATE TABLE b (id INT NOT NULL PRIMARY KEY);
                """
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE a;")))
            let error = await migrator.error { _ = try await $0.up() }
            #expect(error?.exitCode == 4)
            #expect(error?.description.contains("say so with `migrate resolve 1 --statement 2 --done`") == true)
            try await database.execute("ALTER TABLE a ADD COLUMN n INT")
            #expect(try await migrator.up().map(\.version) == [1])
            #expect(try await database.tables() == ["a", "b"])
        }
    }

    @Test(
        "A column that was to be dropped from a table that is not there is not taken for dropped",
        arguments: Engine.servers
    )
    func misspeltTable(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            try await database.execute("CREATE TABLE users (id INT NOT NULL PRIMARY KEY, email INT)")
            let up = "-- min-app: 1\nALTER TABLE usrs DROP COLUMN email;"
            let migrator = try Migrator(
                database,
                [
                    (path: "0001_a/up.sql", text: "-- phase: contract\n" + up),
                    (path: "0001_a/down.sql", text: "ALTER TABLE users ADD COLUMN email INT;"),
                ]
            )
            for _ in 1...2 { #expect(await migrator.error { _ = try await $0.up() }?.exitCode == 4) }
            try await leaveRunning(database, migrator, done: 0)
            #expect(await migrator.error { _ = try await $0.up() }?.exitCode == 4)
            #expect(try await database.ledger() == ["1 failed 0/1"])
        }
    }

    @Test("A statement that met its own table is not taken for done", arguments: Engine.servers)
    func metItsTable(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            try await database.execute("CREATE TABLE a (other INT)")
            let migrator = try Migrator(
                database,
                files(("a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"))
            )
            for _ in 1...2 { #expect(await migrator.error { _ = try await $0.up() }?.exitCode == 4) }
            try await database.execute("DROP TABLE a")
            #expect(try await migrator.up().map(\.version) == [1])
        }
    }

    @Test("A migration that may run twice is simply run again", arguments: Engine.servers)
    func idempotent(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let up = "-- idempotent: true\nCREATE TABLE a (id INT);\nCREATE OR REPLACE VIEW v AS SELECT id FROM a;"
            let migrator = try Migrator(database, files(("a", up, "DROP VIEW v;\nDROP TABLE a;")))
            try await database.execute("CREATE TABLE a (id INT)")
            try await leaveRunning(database, migrator, done: 1)
            #expect(try await migrator.up().map(\.version) == [1])
            #expect(try await database.tables() == ["a", "v"])
        }
    }

    /// Those whose DDL waits for the transactions in its way. That of a Galera cluster ends them.
    private static let waiting = Engine.servers.filter { $0 != .galera }

    @Test(
        "A statement that the server still runs for a dead run is waited for; on a Galera cluster it is through at once",
        arguments: Engine.servers
    )
    func stillRunning(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            // Neither MySQL's information_schema nor MariaDB's can show this text.
            let statement = "ALTER TABLE a ADD COLUMN n INT COMMENT '🍕'"
            let migrator = try Migrator(
                database,
                files(("a", "CREATE TABLE a (id INT);\n\(statement);", "DROP TABLE a;"))
            ) {
                $0.ddlWait = .milliseconds(50)
            }
            try await database.execute("CREATE TABLE a (id INT)")
            try await leaveRunning(database, migrator, done: 1)
            let reader = try await database.holdingLocks(of: "SELECT id FROM a")
            async let orphan: Void = database.execute(statement)
            if Self.waiting.contains(engine) {
                _ = try await database.waitUntilRunning(statement)
                let error = await migrator.error { _ = try await $0.up() }
                #expect(error?.exitCode == 4)
                #expect(error?.description.contains("the server still runs it") == true)
                await reader.close()
            }
            try await orphan
            await reader.close()
            #expect(try await migrator.up().map(\.version) == [1])
            #expect(try await database.ledger() == ["1 done 2/2"])
        }
    }

    @Test(
        "A run whose connection is killed during a statement connects again and goes on, doing nothing twice",
        arguments: Engine.servers.map { ($0, "UPDATE a SET id = id + 10") }
            + waiting.flatMap { engine in
                [
                    "ALTER TABLE a ADD COLUMN n INT",
                    "ALTER TABLE a ADD COLUMN n INT, ADD COLUMN m INT, ADD INDEX a_n (n)",
                ].map { (engine, $0) }
            }
    )
    func killed(_ engine: Engine, _ statement: String) async throws {
        try await engine.withEmptyDatabase { database in
            let up = "INSERT INTO a (id) VALUES (1);\n\(statement);\nINSERT INTO a (id) VALUES (2);"
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE a;")))
            try await database.execute("CREATE TABLE a (id INT)")
            try await database.execute("INSERT INTO a VALUES (0)")
            let locks = try await database.holdingLocks(of: "SELECT id FROM a WHERE id = 0 FOR UPDATE")
            async let run = migrator.up()
            let id = try await database.waitUntilRunning(statement)
            try await database.execute("KILL \(id)")
            await locks.close()
            #expect(try await run.map(\.version) == [1])
            #expect(try await database.ledger() == ["1 done 3/3"])
            let sum = statement.hasPrefix("UPDATE") ? 0 + 10 + 1 + 10 + 2 : 0 + 1 + 2
            #expect(try await database.count("SELECT CAST(SUM(id) AS SIGNED) AS n FROM a") == sum)
            #expect(try await database.count("SELECT COUNT(*) AS n FROM migration_lock WHERE owner IS NULL") == 1)
        }
    }
}
