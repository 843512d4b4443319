import TestSupport
import Testing

@testable import DBDriver

@Suite("Dump and diff of the schema")
struct SchemaDumpTests {
    private static let mysql = """
        -- phase: expand
        CREATE TABLE p (
          id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, n BIGINT NOT NULL DEFAULT 7, t VARCHAR(9) DEFAULT 'it''s',
          PRIMARY KEY (id), UNIQUE KEY p_n (n), CONSTRAINT p_positive CHECK (n > 0)
        ) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
        CREATE TABLE c (
          a INT NOT NULL, b TINYINT(1) NOT NULL, p CHAR(36) CHARACTER SET ascii COLLATE ascii_bin,
          PRIMARY KEY (b, a), KEY c_p (p, a), CONSTRAINT c_of_p FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE
        ) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
        """
    private static let sqlite = """
        -- phase: expand
        CREATE TABLE p (
          id TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL DEFAULT 7 UNIQUE CHECK (n > 0), t TEXT DEFAULT 'it''s'
        ) STRICT;
        CREATE TABLE c (
          a INTEGER NOT NULL, b INTEGER NOT NULL, p TEXT REFERENCES p (id) ON DELETE CASCADE, PRIMARY KEY (b, a)
        ) STRICT;
        CREATE INDEX c_p ON c (p, a);
        """
    private static let parents = [
        (path: "0001_p/up.mysql.sql", text: mysql), (path: "0001_p/up.sqlite.sql", text: sqlite),
        (path: "0001_p/down.sql", text: "DROP TABLE c;\nDROP TABLE p;"),
    ]
    /// One that both engines take.
    private static let plain = files(
        (
            "a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY, n INT NOT NULL);\nCREATE INDEX a_n ON a (n);",
            "DROP TABLE a;"
        ),
        ("b", "CREATE TABLE b (id INT NOT NULL PRIMARY KEY);", "DROP TABLE b;")
    )

    @Test(
        "A dump says tables, columns, keys, indexes and constraints, but not the migrator's own",
        arguments: Engine.available
    )
    func text(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.parents)
            _ = try await migrator.up()
            let expected =
                switch engine {
                case .mariadb, .galera, .mysql:
                    """
                    table c
                      column a int not null
                      column b tinyint(1) not null
                      column p char(36) ascii_bin
                      primary key (b, a)
                      index c_p (p, a)
                      foreign key c_of_p (p) references p (id) on delete cascade

                    table p
                      column id char(36) ascii_bin not null
                      column n bigint not null default 7
                      column t varchar(9) utf8mb4_bin default it's
                      primary key (id)
                      unique index p_n (n)
                      check p_positive n > 0

                    """
                case .sqlite:
                    """
                    table c
                      strict
                      column a integer not null
                      column b integer not null
                      column p text
                      primary key (b, a)
                      index c_p (p, a)
                      foreign key (p) references p (id) on delete cascade

                    table p
                      strict
                      column id text not null
                      column n integer not null default 7
                      column t text default 'it''s'
                      primary key (id)
                      unique index (n)
                      check n > 0

                    """
                }
            #expect(try await migrator.dump().text == expected)
        }
    }

    @Test("Up, all the way down and up again gives the same dump, and down leaves nothing", arguments: Engine.available)
    func replay(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            for files in [Self.parents, Self.plain] {
                let migrator = try Migrator(database, files)
                #expect(try await migrator.dump().tables.isEmpty)
                _ = try await migrator.up()
                let dump = try await migrator.dump()
                #expect(dump.tables.count == 2)
                _ = try await migrator.down(to: 0)
                #expect(try await migrator.dump().tables.isEmpty)
                _ = try await migrator.up()
                #expect(try await migrator.dump() == dump)
                _ = try await migrator.down(to: 0)
                for table in MigrationTables.names { try await database.execute("DROP TABLE \(table)") }
            }
        }
    }

    @Test("Right after up, in part or wholly, nothing differs", arguments: Engine.available)
    func noDrift(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            #expect(try await Migrator(database, Self.plain).diff().isEmpty)
            for version in [1, 2, 0] {
                let migrator = try Migrator(database, Self.plain)
                _ = version == 0 ? try await migrator.down(to: 0) : try await migrator.up(to: version)
                #expect(try await migrator.diff().isEmpty)
            }
            #expect(try await database.log().count == 4, "a replay leaves no trace")
            for table in MigrationTables.names { try await database.execute("DROP TABLE \(table)") }
            _ = try await Migrator(database, Self.parents).up()
            #expect(try await Migrator(database, Self.parents).diff().isEmpty)
            #expect(try await scratchDatabases(database).isEmpty)
        }
    }

    /// A change that somebody makes by hand, and what a diff says of it.
    struct Drift: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let mysql: [String]
        let sqlite: [String]
        let differences: [String]
        let differencesOfSQLite: [String]

        init(
            _ description: String,
            _ mysql: [String],
            sqlite: [String]? = nil,
            _ differences: [String],
            ofSQLite: [String]? = nil
        ) {
            testDescription = description
            self.mysql = mysql
            self.sqlite = sqlite ?? mysql
            self.differences = differences
            differencesOfSQLite = ofSQLite ?? differences
        }
    }

    private static let drifts = [
        Drift("column added", ["ALTER TABLE a ADD COLUMN extra INT"], ["+ a: column extra int"]),
        Drift(
            "column dropped",
            ["DROP INDEX a_n ON a", "ALTER TABLE a DROP COLUMN n"],
            sqlite: ["DROP INDEX a_n", "ALTER TABLE a DROP COLUMN n"],
            ["- a: index a_n (n)", "- a: column n int not null"]
        ),
        Drift("index dropped", ["DROP INDEX a_n ON a"], sqlite: ["DROP INDEX a_n"], ["- a: index a_n (n)"]),
        Drift(
            "index made unique",
            ["DROP INDEX a_n ON a", "CREATE UNIQUE INDEX a_n ON a (n)"],
            sqlite: ["DROP INDEX a_n", "CREATE UNIQUE INDEX a_n ON a (n)"],
            ["- a: index a_n (n)", "+ a: unique index a_n (n)"]
        ),
        Drift("table added", ["CREATE TABLE x (id INT)"], ["+ x: table x"]),
        Drift("table dropped", ["DROP TABLE b"], ["- b: table b"]),
        Drift(
            "nullability changed",
            ["ALTER TABLE a MODIFY COLUMN n INT NULL"],
            sqlite: [
                "DROP TABLE a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY, n INT)", "CREATE INDEX a_n ON a (n)",
            ],
            ["- a: column n int not null", "+ a: column n int"]
        ),
        Drift(
            "index for some rows only, or for the beginnings of texts",
            [
                "ALTER TABLE b ADD COLUMN t VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
                "CREATE INDEX b_t ON b (t(3))",
            ],
            sqlite: ["ALTER TABLE b ADD COLUMN t VARCHAR(9)", "CREATE INDEX b_t ON b (t) WHERE t > 'm'"],
            ["+ b: column t varchar(9) utf8mb4_bin", "+ b: index b_t (t(3))"],
            ofSQLite: ["+ b: column t varchar(9)", "+ b: index b_t (t) ON b ( t ) WHERE t > 'm'"]
        ),
        Drift("view added", ["CREATE VIEW v AS SELECT id FROM a"], ["+ v: view v"]),
        Drift(
            "table made a view",
            ["DROP TABLE b", "CREATE VIEW b AS SELECT id FROM a"],
            ["- b: table b", "+ b: view b"]
        ),
        Drift(
            "trigger added",
            ["CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.n = 1"],
            sqlite: ["CREATE TRIGGER t BEFORE INSERT ON a BEGIN  SELECT 1; END"],
            ["+ a: trigger t before insert SET NEW.n = 1"],
            ofSQLite: ["+ a: trigger t CREATE TRIGGER t BEFORE INSERT ON a BEGIN SELECT 1 ; END"]
        ),
        Drift("default added", ["ALTER TABLE b ADD COLUMN d INT DEFAULT 5"], ["+ b: column d int default 5"]),
    ]

    /// What only the text of a statement tells, or only one server knows.
    private static let textDrifts: [(engine: Engine, from: String, to: String)] = [
        (.sqlite, "CREATE INDEX i ON a (lower(t))", "CREATE INDEX i ON a (upper(t))"),
        (.sqlite, "CREATE TABLE b (t TEXT COLLATE NOCASE)", "CREATE TABLE b (t TEXT)"),
        (.sqlite, "CREATE TABLE b (n INT, m INT AS (n + 1))", "CREATE TABLE b (n INT, m INT AS (n + 2))"),
        (.sqlite, "CREATE TABLE b (n INT, m INT AS (n) STORED)", "CREATE TABLE b (n INT, m INT AS (n))"),
        (.mariadb, "CREATE TABLE b (n INT, m INT AS (n + 1))", "CREATE TABLE b (n INT, m INT AS (n + 2))"),
        (.mysql, "CREATE TABLE b (n INT, m INT AS (n + 1))", "CREATE TABLE b (n INT, m INT AS (n + 2))"),
        (.mysql, "CREATE INDEX i ON a ((lower(t)))", "CREATE INDEX i ON a ((upper(t)))"),
    ]

    @Test(
        "A diff finds another formula, and a collation that was lost",
        arguments: textDrifts.filter { Engine.available.contains($0.engine) }
    )
    func textDrift(_ drift: (engine: Engine, from: String, to: String)) async throws {
        try await drift.engine.withEmptyDatabase { database in
            let collation = drift.engine == .sqlite ? "" : "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
            let table = "CREATE TABLE a (t VARCHAR(9) \(collation) PRIMARY KEY);\n"
            let migrator = try Migrator(database, files(("a", table + drift.from + ";", "DROP TABLE a;")))
            _ = try await migrator.up()
            #expect(try await migrator.diff().isEmpty)
            if drift.from.contains("INDEX") {
                try await database.execute(drift.engine == .sqlite ? "DROP INDEX i" : "DROP INDEX i ON a")
            } else {
                try await database.execute("DROP TABLE b")
            }
            try await database.execute(drift.to)
            #expect(try await migrator.diff().count == 2)
        }
    }

    @Test("Names that differ in their Unicode form only are two names", arguments: Engine.available)
    func unicodeForms(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.plain)
            _ = try await migrator.up()
            for name in ["\u{e9}", "e\u{301}"] { try await database.execute("CREATE VIEW `\(name)` AS SELECT 1 AS n") }
            #expect(try await migrator.diff().count == 2)
        }
    }

    @Test("A diff finds what was changed by hand", arguments: Engine.available, drifts)
    func drift(_ engine: Engine, _ drift: Drift) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.plain)
            _ = try await migrator.up()
            for statement in engine == .sqlite ? drift.sqlite : drift.mysql { try await database.execute(statement) }
            let expected = engine == .sqlite ? drift.differencesOfSQLite : drift.differences
            #expect(Set(try await migrator.diff().map(\.description)) == Set(expected))
            #expect(try await scratchDatabases(database).isEmpty)
        }
    }

    @Test(
        "A diff drops the scratch database of one that was killed an hour ago, and no other",
        arguments: Engine.servers
    )
    func leftovers(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.plain)
            _ = try await migrator.up()
            guard case .mysql(let mysql) = database.engine else { return }
            let prefix = "\(mysql.database.prefix(40))_replay_"
            // The last two are somebody's own.
            let suffixes = ["0123456789ab", "fedcba987654", "staging", "0123456789AB"]
            let leftovers = suffixes.map { prefix + $0 }
            for (name, age) in zip(leftovers, [3_700, 10, 3_700, 3_700]) {
                try await database.execute("CREATE DATABASE `\(name)`")
                try await database.execute("CREATE TABLE `\(name)`.migration_lock LIKE migration_lock")
                let expiry = Timestamp.now().microseconds - Int64(age) * 1_000_000
                try await database.execute(
                    "INSERT INTO `\(name)`.migration_lock (id, token, acquired_at, expires_at) VALUES (1, 1, 1, \(expiry))"
                )
            }
            #expect(try await migrator.diff().isEmpty)
            #expect(Set(try await scratchDatabases(database)) == Set(leftovers.dropFirst()))
            for name in leftovers { try await database.execute("DROP DATABASE IF EXISTS `\(name)`") }
        }
    }

    @Test("What is not applied, though a later one is, is not missed", arguments: Engine.available)
    func skipped(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            _ = try await Migrator(database, Self.plain).up()
            _ = try await database.onConnection { session in
                try session.execute("DROP TABLE a")
                try session.execute("UPDATE schema_migrations SET state = 'reverted' WHERE version = 1")
            }
            #expect(try await Migrator(database, Self.plain).diff().isEmpty)
        }
    }

    @Test("A half-applied migration is told as such, exit code 4, and not as a drift", arguments: Engine.servers)
    func halfApplied(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let wrong = "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nCREATE TABLE a (id INT NOT NULL PRIMARY KEY);"
            let migrator = try Migrator(database, files(("a", wrong, "DROP TABLE a;")))
            #expect(await migrator.error { _ = try await $0.up() }?.exitCode == 4)
            #expect(await migrator.error { _ = try await $0.diff() }?.exitCode == 4)
            #expect(try await scratchDatabases(database).isEmpty)
        }
    }

    @Test(
        "A history that differs from the files is refused, exit code 3, before anything is replayed",
        arguments: Engine.available
    )
    func history(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            _ = try await Migrator(database, Self.plain).up()
            var edited = Self.plain
            edited[0].text += "\n-- edited"
            #expect(try await Migrator(database, edited).error { _ = try await $0.diff() }?.exitCode == 3)
        }
    }

    @Test(
        "When the replay fails or is cancelled the scratch database is gone and the real one as it was",
        arguments: Engine.available
    )
    func failingReplay(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            // What the migration needs was made by hand, so the replay lacks it.
            try await database.execute("CREATE TABLE missing (id INT)")
            let migrator = try Migrator(
                database,
                files(("a", "CREATE TABLE a (id INT);\nINSERT INTO missing VALUES (1);", "DROP TABLE a;"))
            )
            _ = try await migrator.up()
            let error = await migrator.error { _ = try await $0.diff() }
            #expect(error?.exitCode == (engine == .sqlite ? 1 : 4))
            #expect(error?.description.contains("statement 2 of 2") == true)
            let cancelled = Task { await migrator.error { _ = try await $0.diff() } }
            cancelled.cancel()
            #expect(await cancelled.value != nil)
            #expect(try await scratchDatabases(database).isEmpty)
            #expect(try await database.tables() == ["a", "missing"])
            #expect(try await database.ledger() == ["1 done 2/2"])
        }
    }

    /// The scratch databases beside a database.
    private func scratchDatabases(_ database: DatabaseConfiguration) async throws -> [String] {
        guard case .mysql(let mysql) = database.engine else { return [] }
        let pattern = "\(mysql.database.prefix(40))\\_replay\\_%"
        return try await database.onConnection { session in
            try session.rows(
                "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE \(pattern)"
            )
            .map { try $0.get("name") }
        }
    }
}
