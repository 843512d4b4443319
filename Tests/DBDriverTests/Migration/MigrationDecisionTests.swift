import TestSupport
import Testing

@testable import DBDriver

/// What operators can ask and decide about the history.
@Suite("Decisions about migrations")
struct MigrationDecisionTests {
    private static let three = files(
        ("a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"),
        (
            "b", "CREATE TABLE b (id INT NOT NULL PRIMARY KEY);\nINSERT INTO b VALUES (1);",
            "DELETE FROM b;\nDROP TABLE b;"
        ),
        ("c", "CREATE TABLE c (id INT NOT NULL PRIMARY KEY);", "DROP TABLE c;")
    )

    /// The same files with a comment more in one of them.
    private static func edited(_ path: String) -> [(path: String, text: String)] {
        three.map { (path: $0.path, text: $0.path == path ? $0.text + "\n-- edited" : $0.text) }
    }

    // Verify.

    @Test("Verify tells every difference at once, and changes nothing", arguments: Engine.available)
    func verify(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            #expect(try await Migrator(database, Self.three).verify().isEmpty)
            #expect(try await database.onConnection { try MigrationTables.count(in: $0) } == 0)
            _ = try await Migrator(database, Self.three).up()
            #expect(try await Migrator(database, Self.three).verify().isEmpty)

            let files = Self.three.prefix(4).map { file in
                switch file.path {
                case "0001_a/up.sql": (path: file.path, text: file.text + "\n-- edited")
                case "0001_a/down.sql": (path: file.path, text: file.text + "\n-- edited")
                default: (path: file.path.replacing("0002_b", with: "0002_z"), text: file.text)
                }
            }
            let found = try await Migrator(database, files).verify()
            #expect(found.map(\.exitCode) == [3, 3, 3, 3])
            let texts = [
                "0001_a/up.sql was changed", "0001_a/down.sql was changed",
                "migration 0002 was applied as 'b' but is called 'z' here", "the database has migration 0003_c",
            ]
            for (error, text) in zip(found, texts) { #expect(error.description.hasPrefix(text)) }
            #expect(try await database.ledger() == ["1 done 1/1", "2 done 2/2", "3 done 1/1"])
        }
    }

    // Redo.

    @Test("Redo takes the latest migration back and applies it again, under one lease", arguments: Engine.available)
    func redo(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.three)
            #expect(try await migrator.redo().isEmpty)
            _ = try await migrator.up(to: 2)
            try await database.execute("INSERT INTO b VALUES (2)")
            let done = try await migrator.redo()
            #expect(done.map { "\($0.direction.rawValue) \($0.label)" } == ["down 0002_b", "up 0002_b"])
            #expect(try await database.count("SELECT COUNT(*) AS n FROM b") == 1)
            #expect(try await database.ledger() == ["1 done 1/1", "2 done 2/2"])
            #expect(try await database.log() == ["1 up done", "2 up done", "2 down done", "2 up done"])
            let owners: SQL = "SELECT COUNT(DISTINCT owner) AS n FROM schema_migration_log WHERE version = 2"
            #expect(try await database.count(owners) == 2, "one for the first up, and one for both of redo")
        }
    }

    @Test("Redo takes the latest migration as it was edited since, and none before it", arguments: Engine.available)
    func redoEdited(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let first = ("a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;")
            _ = try await Migrator(
                database,
                files(first, ("b", "CREATE TABLE b (id INT NOT NULL PRIMARY KEY);", "DROP TABLE b;"))
            ).up()
            let text = "CREATE TABLE b (id INT NOT NULL PRIMARY KEY, n INT);"
            let edited = try Migrator(database, files(first, ("b", text, "DROP TABLE b;")))
            #expect(await edited.error { _ = try await $0.down(to: 1) }?.exitCode == 3)
            #expect(try await edited.planRedo().map(\.destroys) == [["table b (0 rows)"]])
            #expect(try await edited.redo().map(\.version) == [2, 2])
            #expect(try await database.count("SELECT COUNT(n) AS n FROM b") == 0)
            #expect(try await edited.verify().isEmpty)

            let earlier = (first.0, first.1 + "\n-- edited", first.2)
            let both = try Migrator(database, files(earlier, ("b", text, "DROP TABLE b;")))
            #expect(await both.error { _ = try await $0.redo() }?.exitCode == 3)
        }
    }

    @Test("Redo after one that stopped while it took back goes on with the same migration", arguments: Engine.servers)
    func redoAgain(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let all = files(
                ("a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);", "DROP TABLE a;"),
                ("b", "CREATE TABLE b (id INT NOT NULL PRIMARY KEY);", "DROP TABLE b;\nDROP TABLE missing;")
            )
            let migrator = try Migrator(database, all)
            _ = try await migrator.up()
            #expect(await migrator.error { _ = try await $0.redo(confirmed: 2) }?.exitCode == 4)
            #expect(try await migrator.planRedo().map(\.version) == [2])
            try await database.execute("CREATE TABLE missing (id INT NOT NULL PRIMARY KEY)")
            #expect(try await migrator.redo(confirmed: 2).map(\.version) == [2, 2])
            #expect(try await database.ledger() == ["1 done 1/1", "2 done 1/1"])
            #expect(try await database.tables() == ["a", "b"])
        }
    }

    @Test("Redo does not go on in a script that was edited after it had stopped in it", arguments: Engine.servers)
    func redoEditedHalf(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let up = "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nCREATE TABLE b (id INT NOT NULL PRIMARY KEY);"
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE a;\nDROP TABLE missing;")))
            _ = try await migrator.up()
            #expect(await migrator.error { _ = try await $0.redo() }?.exitCode == 4)
            let edited = try Migrator(database, files(("a", up, "DROP TABLE b;\nDROP TABLE a;")))
            #expect(await edited.error { _ = try await $0.redo() }?.exitCode == 3)
            #expect(try await database.tables() == ["b"])
        }
    }

    @Test("What was applied after the plan was shown is not taken back", arguments: Engine.available)
    func notConfirmed(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.three)
            _ = try await migrator.up(to: 2)
            let plan = Set(try await migrator.planDown(to: nil, steps: 1).map(\.version))
            #expect(plan == [2])
            _ = try await migrator.up()
            let down = await migrator.error { _ = try await $0.down(to: 1, confirmed: plan) }
            let redo = await migrator.error { _ = try await $0.redo(confirmed: 2) }
            for error in [down, redo] {
                #expect(error?.exitCode == 2)
                #expect(error?.description.hasPrefix("migration 0003 would be taken back too") == true)
            }
            #expect(try await database.tables() == ["a", "b", "c"])
            #expect(try await migrator.down(to: 1, confirmed: [2, 3]).map(\.version) == [3, 2])
        }
    }

    @Test("Redo leaves a migration alone that can't be taken back", arguments: Engine.available)
    func redoIrreversible(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let text = "-- phase: expand\n-- irreversible: the old keys are gone\nCREATE TABLE a (id INT);"
            let migrator = try Migrator(database, [(path: "0001_a/up.sql", text: text)])
            _ = try await migrator.up()
            #expect(await migrator.error { _ = try await $0.redo() }?.exitCode == 1)
            #expect(try await database.ledger() == ["1 done 1/1"])
            #expect(try await database.tables() == ["a"])
        }
    }

    // Repair.

    @Test(
        "An edited file is refused until repair accepts it; the log holds both checksums and who it was",
        arguments: Engine.available,
        ["0002_b/up.sql", "0002_b/down.sql"]
    )
    func repair(_ engine: Engine, _ path: String) async throws {
        try await engine.withEmptyDatabase { database in
            let old = try Migrator(database, Self.three)
            _ = try await old.up(to: 2)
            let new = try Migrator(database, Self.edited(path)) { $0.holder = "somebody-7" }
            #expect(await new.error { _ = try await $0.up() }?.exitCode == 3)
            try await new.repair(version: 2)
            #expect(try await new.verify().isEmpty)
            #expect(try await new.up().map(\.version) == [3])
            let (before, after) = (old.folder.migrations[1], new.folder.migrations[1])
            let note = """
                b -> b, up \(before.up.checksum) -> \(after.up.checksum), \
                down \(before.down?.checksum ?? "") -> \(after.down?.checksum ?? "")
                """
            let found = try await database.onConnection { session in
                try session.row("SELECT outcome, holder, note FROM schema_migration_log WHERE action = 'repair'").map {
                    [try $0.get("outcome", as: String.self), try $0.get("holder"), try $0.get("note")]
                }
            }
            #expect(found == ["done", "somebody-7", note])
            #expect(await old.error { _ = try await $0.up() }?.exitCode == 3, "the old file counts no more")
        }
    }

    @Test("Repair accepts a new name, and a migration that has become irreversible", arguments: Engine.available)
    func repairName(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            _ = try await Migrator(database, Array(Self.three.prefix(2))).up()
            let text = "-- irreversible: it is in use\n" + Self.three[0].text
            let new = try Migrator(database, [(path: "0001_z/up.sql", text: text)])
            #expect(try await new.verify().count == 3)
            try await new.repair(version: 1)
            #expect(try await new.verify().isEmpty)
            #expect(try await new.status().entries.map(\.name) == ["z"])
        }
    }

    @Test("Where nothing is to be repaired that is an error, and nothing is written", arguments: Engine.available)
    func nothingToRepair(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.three)
            _ = try await migrator.up(to: 2)
            _ = try await migrator.down(to: 1)
            let (ledger, log) = (try await database.ledger(), try await database.log())
            // As it is, taken back, never applied, and unknown.
            for version in [1, 2, 3, 9] {
                let error = await migrator.error { try await $0.repair(version: version) }
                #expect(error?.exitCode == 2)
                #expect(error?.description.contains("nothing to repair") == true)
            }
            let edited = try Migrator(database, Self.edited("0002_b/up.sql"))
            #expect(await edited.error { try await $0.repair(version: 2) }?.exitCode == 2)
            #expect(try await database.ledger() == ledger)
            #expect(try await database.log() == log)
        }
    }

    // Baseline.

    @Test(
        "Tables from elsewhere count as applied after baseline, and up goes on behind them",
        arguments: Engine.available
    )
    func baseline(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            try await database.execute("CREATE TABLE a (id INT NOT NULL PRIMARY KEY)")
            try await database.execute("CREATE TABLE b (id INT NOT NULL PRIMARY KEY)")
            let migrator = try Migrator(database, Self.three)
            #expect(try await migrator.baseline(at: 2) == [1, 2])
            #expect(try await migrator.up(to: 2).isEmpty)
            #expect(try await migrator.verify().isEmpty)
            #expect(try await database.ledger() == ["1 done 1/1", "2 done 2/2"])
            #expect(try await database.log() == ["1 baseline done", "2 baseline done"])
            #expect(try await database.count("SELECT COUNT(*) AS n FROM b") == 0, "no statement was run")
            #expect(try await migrator.up().map(\.version) == [3])
            #expect(try await migrator.down(to: 0).map(\.version) == [3, 2, 1])
        }
    }

    @Test("Baseline is refused on a database with a history, even one that was taken back", arguments: Engine.available)
    func baselineHistory(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.three)
            _ = try await migrator.up(to: 1)
            for _ in 1...2 {
                let error = await migrator.error { _ = try await $0.baseline(at: 1) }
                #expect(error?.exitCode == 2)
                #expect(error?.description.contains("it has a history") == true)
                _ = try await migrator.down(to: 0)
            }
            #expect(try await database.log() == ["1 up done", "1 down done"])
        }
    }

    @Test("Baseline is refused when tables are missing, and names them", arguments: Engine.available)
    func baselineMissing(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            try await database.execute("CREATE TABLE b (id INT NOT NULL PRIMARY KEY)")
            let migrator = try Migrator(database, Self.three)
            let error = await migrator.error { _ = try await $0.baseline(at: 3) }
            #expect(error?.exitCode == 2)
            #expect(error?.description.hasSuffix("it lacks the table(s) a, c") == true)
            for version in [-1, 0, 4] {
                #expect(await migrator.error { _ = try await $0.baseline(at: version) }?.exitCode == 2)
            }
            #expect(try await database.ledger().isEmpty)
            #expect(try await database.log().isEmpty)
        }
    }

    @Test("Baseline asks for tables by the names that they were given last", arguments: Engine.available)
    func baselineRenamed(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            try await database.execute("CREATE TABLE c (id INT NOT NULL PRIMARY KEY)")
            let all = files(
                ("a", "CREATE TABLE a (id INT);", "DROP TABLE a;"),
                ("b", "ALTER TABLE a RENAME TO b;", "ALTER TABLE b RENAME TO a;"),
                ("c", "ALTER TABLE `b` RENAME TO `c`;", "ALTER TABLE c RENAME TO b;")
            )
            #expect(await (try Migrator(database, all)).error { _ = try await $0.baseline(at: 2) }?.exitCode == 2)
            #expect(try await Migrator(database, all).baseline(at: 3) == [1, 2, 3])
        }
    }

    @Test("Baseline does not ask for tables that a later migration drops", arguments: Engine.available)
    func baselineDropped(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            try await database.execute("CREATE TABLE b (id INT NOT NULL PRIMARY KEY)")
            let all = files(
                ("a", "CREATE TABLE a (id INT);", "DROP TABLE a;"),
                ("b", "CREATE TABLE b (id INT);", "DROP TABLE b;"),
                ("c", "DROP TABLE a;", "CREATE TABLE a (id INT);")
            )
            #expect(try await Migrator(database, all).baseline(at: 3) == [1, 2, 3])
        }
    }
}
