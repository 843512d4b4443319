import Synchronization
import TestSupport
import Testing

@testable import DBDriver

@Suite("Migrator")
struct MigratorTests {
    private static let three = files(
        ("a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"),
        (
            "b", "CREATE TABLE b (id INT NOT NULL PRIMARY KEY);\nINSERT INTO b VALUES (1);",
            "DELETE FROM b;\nDROP TABLE b;"
        ),
        ("c", "CREATE TABLE c (id INT NOT NULL PRIMARY KEY);", "DROP TABLE c;")
    )

    @Test("Up, down and up again make, remove and make the schema", arguments: Engine.available)
    func replay(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.three)
            let up = try await migrator.up()
            #expect(up.map(\.label) == ["0001_a", "0002_b", "0003_c"])
            #expect(up.map(\.statements) == [1, 2, 1])
            #expect(try await database.tables() == ["a", "b", "c"])
            #expect(try await migrator.up().isEmpty)

            let down = try await migrator.down(to: 0)
            #expect(down.map(\.version) == [3, 2, 1])
            #expect(try await database.tables().isEmpty)
            #expect(try await database.ledger() == ["1 reverted 1/1", "2 reverted 2/2", "3 reverted 1/1"])
            #expect(try await migrator.down(to: 0).isEmpty)

            #expect(try await migrator.up(to: 2).map(\.version) == [1, 2])
            #expect(try await migrator.down(to: 1).map(\.version) == [2])
            #expect(try await migrator.up().map(\.version) == [2, 3])
            #expect(try await database.tables() == ["a", "b", "c"])
            #expect(try await database.count("SELECT COUNT(*) AS n FROM b") == 1)
            #expect(try await database.log().count == 11)
        }
    }

    @Test("Each server takes the script that was written for it, and the ledger says which", arguments: Engine.servers)
    func particularScripts(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            func table(_ name: String) -> String { "CREATE TABLE \(name) (id INT NOT NULL PRIMARY KEY);" }
            let migrator = try Migrator(
                database,
                [
                    (path: "0001_a/up.sql", text: "-- phase: expand\n" + table("shared")),
                    (path: "0001_a/up.mariadb.sql", text: "-- phase: expand\n" + table("mariadb")),
                    (path: "0001_a/up.mysql8.sql", text: "-- phase: expand\n" + table("mysql8")),
                    (path: "0001_a/down.mariadb.sql", text: "DROP TABLE mariadb;"),
                    (path: "0001_a/down.mysql8.sql", text: "DROP TABLE mysql8;"),
                    (path: "0001_a/down.sql", text: "DROP TABLE shared;"),
                ]
            )
            let expected = engine == .mysql ? "mysql8" : "mariadb"
            #expect(try await migrator.planUp()[0].statements[0].place == "0001_a/up.\(expected).sql:2")
            _ = try await migrator.up()
            #expect(try await database.tables() == [expected])
            #expect(try await database.onConnection { try MigrationLedger.rows(in: $0) }.map(\.dialect) == [expected])
            #expect(try await migrator.verify().isEmpty)
            #expect(try await migrator.diff().isEmpty)
            _ = try await migrator.down(to: 0)
            #expect(try await database.tables().isEmpty)
        }
    }

    @Test("Before a table with rows is changed, about how many they are is told", arguments: Engine.servers)
    func estimatedRows(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let alter = "ALTER TABLE a ADD COLUMN m INT;\nCREATE INDEX a_m ON a (m);"
            let migrator = try Migrator(
                database,
                files(
                    ("a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"),
                    ("b", alter, "DROP INDEX a_m ON a;")
                )
            )
            _ = try await migrator.up(to: 1)
            try await database.execute("INSERT INTO a VALUES (1), (2), (3)")
            try await database.execute("ANALYZE TABLE a")
            let told = Mutex<[Int?]>([])
            _ = try await migrator.up { progress in
                if case .statement(_, _, _, _, let rows) = progress { told.withLock { $0.append(rows) } }
            }
            #expect(told.withLock { $0 } == [3, 3])
        }
    }

    @Test("Status says how each version stands, and changes nothing", arguments: Engine.available)
    func status(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.three) {
                $0.appVersion = "1.2.3"
                $0.now = { Timestamp(microseconds: 7_000_000) }
            }
            #expect(try await migrator.status().entries.map(\.state) == [.pending, .pending, .pending])
            #expect(try await migrator.status().schema == .empty)
            #expect(try await database.onConnection { try MigrationTables.count(in: $0) } == 0)

            _ = try await migrator.up(to: 2)
            let status = try await migrator.status()
            #expect(status.entries.map(\.state) == [.applied, .applied, .pending])
            #expect(status.entries[1].finishedAt == Timestamp(microseconds: 7_000_000))
            #expect(status.entries[1].appVersion == "1.2.3")
            #expect(status.schema == .behind(applied: 2, wanted: 3, usable: 3))
            #expect(status.lockedBy == nil)

            _ = try await migrator.up()
            let old = try Migrator(database, Array(Self.three.prefix(2)))
            #expect(try await old.status().entries.map(\.state) == [.applied, .unknown, .unknown])
            #expect(try await old.status().schema == .ahead(unknown: [2, 3]))
        }
    }

    @Test("Progress tells each migration and each statement", arguments: Engine.available)
    func progress(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let told = Mutex<[String]>([])
            _ = try await Migrator(database, Self.three).up(to: 2) { progress in
                let line: String? =
                    switch progress {
                    case .begun(let label, let direction, let done, let statements, let left):
                        "\(direction.rawValue) \(label) \(done)/\(statements), then \(left)"
                    case .statement(_, let number, let statements, let text, _): "\(number)/\(statements) \(text)"
                    case .finished(let migration): "finished \(migration.label)"
                    default: nil
                    }
                if let line { told.withLock { $0.append(line) } }
            }
            #expect(
                told.withLock { $0 } == [
                    "up 0001_a 0/1, then 1", "1/1 CREATE TABLE a (id INT NOT NULL PRIMARY KEY)", "finished 0001_a",
                    "up 0002_b 0/2, then 0", "1/2 CREATE TABLE b (id INT NOT NULL PRIMARY KEY)",
                    "2/2 INSERT INTO b VALUES (1)", "finished 0002_b",
                ]
            )
        }
    }

    @Test("A statement that changes rows tells how many when it is done", arguments: Engine.available)
    func changedRows(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let up = """
                CREATE TABLE a (id INT NOT NULL PRIMARY KEY);
                INSERT INTO a VALUES (1), (2), (3);
                UPDATE a SET id = id + 10 WHERE id > 1;
                CREATE INDEX a_id ON a (id);
                DELETE FROM a WHERE id = 1;
                """
            let told = Mutex<[String]>([])
            _ = try await Migrator(database, files(("a", up, "DROP TABLE a;"))).up { progress in
                guard case .statementDone(let label, let number, let statements, let took, let rows) = progress else {
                    return
                }
                told.withLock { $0.append("\(label) \(number)/\(statements) \(rows ?? -1) \(took >= 0)") }
            }
            #expect(
                told.withLock { $0 } == [
                    "0001_a 1/5 -1 true", "0001_a 2/5 3 true", "0001_a 3/5 2 true", "0001_a 4/5 -1 true",
                    "0001_a 5/5 1 true",
                ]
            )
        }
    }

    @Test("Five runs at once on an empty database apply each file once", arguments: Engine.available)
    func race(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let table = ("a", "CREATE TABLE a (version INT NOT NULL);", "DROP TABLE a;")
            let rest = (2...8).map { ("step\($0)", "INSERT INTO a VALUES (\($0));", "DELETE FROM a;") }
            let all = files([table] + rest)
            let applied = try await withThrowingTaskGroup { group in
                for index in 0..<5 {
                    group.addTask { try await Migrator(database.throughNode(index), all).up().map(\.version) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted() == Array(1...8))
            #expect(try await database.count("SELECT COUNT(*) AS n FROM a") == 7)
            #expect(try await database.count("SELECT COUNT(DISTINCT version) AS n FROM a") == 7)
            #expect(try await database.log().count == 8)
        }
    }

    @Test(
        "On MySQL a refused statement leaves the migration half applied and says where; mended, it goes on there",
        arguments: Engine.servers
    )
    func failureOnMySQL(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let up =
                "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nINSERT INTO missing VALUES (1);\nINSERT INTO a VALUES (3);"
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE a;")))
            let error = await migrator.error { _ = try await $0.up() }
            #expect(error?.exitCode == 4)
            let text = error?.description ?? ""
            #expect(text.contains("migration 0001_a (up) stopped at statement 2 of 3 (0001_a/up.sql:3):"), "\(text)")
            #expect(text.contains("INSERT INTO missing VALUES (1)"))
            #expect(text.contains("(code 1146)"))
            #expect(try await database.ledger() == ["1 failed 1/3"])
            #expect(try await migrator.status().entries.map(\.state) == [.failed])
            #expect(try await migrator.status().schema == .halfApplied(version: 1))
            #expect(await migrator.error { _ = try await $0.down(to: 0) }?.exitCode == 4)
            #expect(try await database.count("SELECT COUNT(*) AS n FROM migration_lock WHERE owner IS NULL") == 1)

            try await database.execute("CREATE TABLE missing (id INT)")
            #expect(try await migrator.up().map(\.version) == [1])
            #expect(try await database.ledger() == ["1 done 3/3"])
            #expect(try await database.count("SELECT COUNT(*) AS n FROM missing") == 1)
            #expect(try await database.log() == ["1 up failed", "1 up done"])
        }
    }

    @Test("On SQLite a refused statement rolls the whole migration back; mended, it is applied from its start")
    func failureOnSQLite() async throws {
        try await Engine.sqlite.withEmptyDatabase { database in
            let up = "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nINSERT INTO missing VALUES (1);"
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE a;")))
            let error = await migrator.error { _ = try await $0.up() }
            #expect(error?.exitCode == 1)
            let text = error?.description ?? ""
            #expect(text.contains("migration 0001_a (up) failed at statement 2 of 2 (0001_a/up.sql:3):"), "\(text)")
            #expect(text.contains("no such table: missing"))
            #expect(try await database.tables().isEmpty)
            #expect(try await database.ledger().isEmpty)
            #expect(try await database.count("SELECT COUNT(*) AS n FROM migration_lock WHERE owner IS NULL") == 1)

            try await database.execute("CREATE TABLE missing (id INT)")
            #expect(try await migrator.up().map(\.version) == [1])
            #expect(try await database.log() == ["1 up failed", "1 up done"])
        }
    }

    @Test("A refused down script stops there too, and goes on with down", arguments: Engine.available)
    func failingDown(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let down = "DROP TABLE a;\nDROP TABLE missing;"
            let migrator = try Migrator(database, files(("a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", down)))
            _ = try await migrator.up()
            let error = await migrator.error { _ = try await $0.down(to: 0) }
            #expect(error?.description.contains("at statement 2 of 2 (0001_a/down.sql:2)") == true)
            #expect(error?.exitCode == (engine == .sqlite ? 1 : 4))
            #expect(try await database.ledger() == [engine == .sqlite ? "1 done 1/1" : "1 failed 1/2"])
            if engine != .sqlite { #expect(await migrator.error { _ = try await $0.up() }?.exitCode == 4) }
            try await database.execute("CREATE TABLE missing (id INT)")
            #expect(try await migrator.down(to: 0).map(\.version) == [1])
            #expect(try await database.tables().isEmpty)
        }
    }

    @Test(
        "A file that was edited after it was applied is refused with exit code 3; line ends do not matter",
        arguments: Engine.available
    )
    func edited(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            _ = try await Migrator(database, Self.three).up()
            let windows = Self.three.map { (path: $0.path, text: $0.text.replacing("\n", with: "\r\n")) }
            #expect(try await Migrator(database, windows).up().isEmpty)

            var changed = Self.three
            changed[2].text += "\n-- a comment"
            let migrator = try Migrator(database, changed)
            let error = await migrator.error { _ = try await $0.up() }
            #expect(error?.exitCode == 3)
            #expect(error?.description.contains("0002_b/up.sql was changed") == true)
            #expect(try await migrator.status().entries.map(\.state) == [.applied, .edited, .applied])
            let old = try Migrator(database, Array(Self.three.prefix(4)))
            #expect(await old.error { _ = try await $0.up() }?.exitCode == 3)
        }
    }

    @Test(
        "SQLite: a table can be rebuilt without losing the rows that refer to it, but no reference may be left dangling"
    )
    func foreignKeys() async throws {
        try await Engine.sqlite.withEmptyDatabase { database in
            let tables = """
                CREATE TABLE p (id INTEGER PRIMARY KEY);
                CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id) ON DELETE CASCADE);
                INSERT INTO p VALUES (1);
                INSERT INTO c VALUES (1, 1);
                """
            let rebuild = """
                CREATE TABLE p2 (id INTEGER PRIMARY KEY, n INTEGER);
                INSERT INTO p2 (id) SELECT id FROM p;
                DROP TABLE p;
                ALTER TABLE p2 RENAME TO p;
                """
            let all = files(
                ("tables", tables, "DROP TABLE c;\nDROP TABLE p;"),
                ("rebuild", rebuild, "SELECT 1;"),
                ("dangle", "DELETE FROM p;", "SELECT 1;")
            )
            #expect(try await Migrator(database, all).up(to: 2).count == 2)
            #expect(try await database.count("SELECT COUNT(*) AS n FROM c") == 1)
            let error = try await Migrator(database, all).error { _ = try await $0.up() }
            #expect(error?.exitCode == 1)
            #expect(error?.description.contains("a row of c would refer to no row of p") == true)
            #expect(try await database.count("SELECT COUNT(*) AS n FROM p") == 1)
        }
    }

    @Test("SQLite: rows that were astray before a migration do not hold it up, new ones do")
    func oldOrphans() async throws {
        try await Engine.sqlite.withEmptyDatabase { database in
            let tables = """
                CREATE TABLE p (id INTEGER PRIMARY KEY);
                CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id));
                """
            let all = files(
                ("tables", tables, "DROP TABLE c;\nDROP TABLE p;"),
                ("index", "CREATE INDEX c_p ON c (p);", "DROP INDEX c_p;"),
                ("astray", "INSERT INTO c VALUES (2, 8);", "DELETE FROM c WHERE id = 2;")
            )
            let migrator = try Migrator(database, all)
            _ = try await migrator.up(to: 1)
            _ = try await database.onConnection { session in
                try session.execute(trustedText: "PRAGMA foreign_keys = OFF")
                try session.execute(trustedText: "INSERT INTO c VALUES (1, 7)")
            }
            #expect(try await migrator.up(to: 2).map(\.version) == [2])
            let error = await migrator.error { _ = try await $0.up() }
            #expect(error?.description.contains("a row of c would refer to no row of p") == true)
        }
    }

    @Test("A version that may be applied out of order must exist", arguments: Engine.available)
    func unknownOutOfOrder(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            var leniency = MigrationLeniency()
            leniency.outOfOrder = [99]
            let migrator = try Migrator(database, Self.three)
            let error = await migrator.error { [leniency] in _ = try await $0.up(leniency: leniency) }
            #expect(error?.exitCode == 2)
            #expect(try await database.tables().isEmpty)
        }
    }

    @Test(
        "A run that is told to stop ends before the next statement, frees the lock, and the next one goes on",
        arguments: Engine.servers
    )
    func stopped(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            // The second one can't be looked up: that it was not begun has to be known.
            let up = "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nALTER TABLE a MODIFY id BIGINT NOT NULL;"
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE a;")))
            let run = Mutex<Task<Void, any Error>?>(nil)
            let task = Task {
                _ = try await migrator.up { progress in
                    if case .statementDone = progress { run.withLock { $0?.cancel() } }
                }
            }
            run.withLock { $0 = task }
            let error = await #expect(throws: MigrationError.self) { try await task.value }
            #expect(error?.description.hasPrefix("stopped before the next statement") == true)
            #expect(try await database.ledger() == ["1 failed 1/2"])
            #expect(try await migrator.status().lockedBy == nil)
            #expect(try await migrator.up().map(\.version) == [1])
        }
    }

    @Test("A database that cannot be reached is exit code 8")
    func unreachable() async throws {
        let missing = DatabaseConfiguration(engine: .sqlite(SQLiteConfiguration(path: "/nonexistent/x.db")))
        #expect(try await Migrator(missing, Self.three).error { _ = try await $0.up() }?.exitCode == 8)
        #expect(try await Migrator(missing, Self.three).error { _ = try await $0.status() }?.exitCode == 8)
        let host = MySQLConfiguration.Host(name: "127.0.0.1", port: 1)
        let nobody = MySQLConfiguration(hosts: [host], user: "u", password: "secret", database: "d")
        let error = try await Migrator(DatabaseConfiguration(engine: .mysql(nobody)), Self.three)
            .error { _ = try await $0.up() }
        #expect(error?.exitCode == 8)
        #expect(error?.description.contains("secret") == false)
    }
}
