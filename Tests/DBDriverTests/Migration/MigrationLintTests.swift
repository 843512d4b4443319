import Testing

@testable import DBDriver

@Suite("Migration lint")
struct MigrationLintTests {
    /// The rules that fire for a second migration with this script, behind one that has made table `old` (id, n).
    private static func rules(_ text: String, mysqlOnly: Bool = true) throws -> [String] {
        try findings(text, mysqlOnly: mysqlOnly).map { "\($0.severity.rawValue) \($0.rule)" }
    }

    private static func findings(_ text: String, mysqlOnly: Bool = true) throws -> [MigrationLint.Finding] {
        let header = text.split(separator: "\n").filter { $0.hasPrefix("-- ") }.joined(separator: "\n")
        let own =
            mysqlOnly
            ? [
                (path: "0002_new/up.mysql.sql", text: text),
                (path: "0002_new/up.sqlite.sql", text: header + "\nSELECT 1;"),
            ] : [(path: "0002_new/up.sql", text: text)]
        let first = files(("old", "CREATE TABLE old (id INT);", "DROP TABLE old;"))
        let down = (path: "0002_new/down.sql", text: "SELECT 1;")
        return try MigrationLint.findings(in: first + own + [down], from: 2)
    }

    private static let expand = "-- phase: expand\n"
    private static let data = "-- phase: data\n"
    private static let contract = "-- phase: contract\n-- min-app: 2\n"
    private static let good = "CREATE TABLE t (id INT PRIMARY KEY, n INT) ENGINE=InnoDB COLLATE=utf8mb4_bin;\n"

    @Test(
        "A rule fires",
        arguments: [
            // Moving rows, and changing the schema, in one migration.
            (expand + "UPDATE old SET n = 1;", "error data-with-ddl"),
            (expand + "DELETE FROM old;", "error data-with-ddl"),
            (expand + "INSERT INTO old VALUES (1);", "error data-with-ddl"),
            (expand + good + "INSERT INTO t SELECT id, n FROM old;", "error data-with-ddl"),
            (contract + "DELETE FROM old;", "error data-with-ddl"),
            (data + "CREATE INDEX i ON old (n);", "error data-with-ddl"),
            (data + "DROP TABLE old;", "error data-with-ddl"),
            // New tables.
            (expand + "CREATE TABLE t (id INT) ENGINE=InnoDB COLLATE=utf8mb4_bin;", "error primary-key"),
            (expand + "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB;", "error collation"),
            (expand + "CREATE TABLE t (id INT PRIMARY KEY) COLLATE=utf8mb4_bin;", "warning engine"),
            // What the running program would notice.
            (expand + "DROP TABLE old;", "error expand-drops"),
            (expand + "ALTER TABLE old DROP COLUMN n, ALGORITHM=INSTANT;", "error expand-drops"),
            (expand + "ALTER TABLE old DROP n, ALGORITHM=INSTANT;", "error expand-drops"),
            (expand + "ALTER TABLE old DROP PRIMARY KEY, ALGORITHM=INSTANT;", "error expand-drops"),
            (expand + "ALTER TABLE old RENAME COLUMN n TO m, ALGORITHM=INSTANT;", "error expand-changes"),
            (expand + "ALTER TABLE old MODIFY n BIGINT, ALGORITHM=INSTANT;", "error expand-changes"),
            (expand + "ALTER TABLE old CHANGE n m BIGINT, ALGORITHM=INSTANT;", "error expand-changes"),
            (expand + "CREATE UNIQUE INDEX i ON old (n);", "error expand-unique"),
            (expand + "ALTER TABLE old ADD UNIQUE KEY i (n), ALGORITHM=INSTANT;", "error expand-unique"),
            (expand + "ALTER TABLE old ADD COLUMN c INT UNIQUE, ALGORITHM=INSTANT;", "error expand-unique"),
            (expand + "ALTER TABLE old ADD COLUMN c INT NOT NULL, ALGORITHM=INSTANT;", "error expand-not-null"),
            (expand + "ALTER TABLE old ADD COLUMN c INT FIRST, ALGORITHM=INSTANT;", "error expand-position"),
            (expand + "ALTER TABLE old ADD COLUMN c INT AFTER id, ALGORITHM=INSTANT;", "error expand-position"),
            (expand + "ALTER TABLE old ADD PRIMARY KEY (id), ALGORITHM=INSTANT;", "error expand-constraint"),
            (expand + "ALTER TABLE old ADD CONSTRAINT c CHECK (n > 0), ALGORITHM=INSTANT;", "error expand-constraint"),
            (
                expand + "ALTER TABLE old ADD FOREIGN KEY (n) REFERENCES t (id), ALGORITHM=INSTANT;",
                "error expand-constraint"
            ),
            (
                expand + "ALTER TABLE old ADD COLUMN c INT, DROP COLUMN n, ALGORITHM=INSTANT;", "error expand-drops"
            ),
            // Clusters.
            (expand + "ALTER TABLE old ADD COLUMN c INT, ALGORITHM=INSTANT, LOCK=NONE;", "error lock-none"),
            (expand + "CREATE INDEX i ON old (n) LOCK = NONE;", "error lock-none"),
            (expand + "DROP INDEX i ON old LOCK NONE;", "error lock-none"),
            (expand + "ALTER TABLE old ADD COLUMN c INT;", "warning may-copy"),
            (expand + "ALTER TABLE old ADD COLUMN IF NOT EXISTS c INT, ALGORITHM=INSTANT;", "error if-exists"),
            (contract + "ALTER TABLE old DROP COLUMN IF EXISTS n, ALGORITHM=INSTANT;", "error if-exists"),
            (
                expand + good + "ALTER TABLE old ADD COLUMN c INT, ALGORITHM=INSTANT;", "warning one-table"
            ),
        ]
    )
    func fires(_ script: String, _ rule: String) throws {
        #expect(try Self.rules(script) == [rule])
    }

    @Test(
        "No rule fires",
        arguments: [
            expand + good,
            expand + good + "INSERT INTO t VALUES (1, 2);",
            // Nobody uses a table yet that the same migration has made.
            expand + good + "CREATE UNIQUE INDEX i ON t (n);",
            expand + good + "ALTER TABLE t ADD COLUMN c INT NOT NULL FIRST, DROP COLUMN n;",
            expand + good + "DROP TABLE t;",
            expand + "CREATE TABLE t LIKE old;",
            contract + "ALTER TABLE old ADD CONSTRAINT c CHECK (n > 0), ALGORITHM=INSTANT;",
            expand + "ALTER TABLE old ADD COLUMN c INT, ALGORITHM=INSTANT;",
            expand + "ALTER TABLE old ADD COLUMN c INT NOT NULL DEFAULT 0, ADD COLUMN d INT, ALGORITHM=INSTANT;",
            expand + "CREATE INDEX i ON old (n);",
            expand + "DROP INDEX i ON old;",
            expand + "ALTER TABLE old DROP INDEX i, ALGORITHM=INSTANT;",
            expand + "-- long: true\nALTER TABLE old ADD COLUMN c INT;",
            data + "UPDATE old SET n = 1 WHERE n IS NULL;\nDELETE FROM old WHERE n = 2;",
            data + "INSERT INTO old SELECT id + 1, n FROM old;",
            // What a contract migration is for.
            contract + "DROP TABLE old;",
            contract + "ALTER TABLE old DROP COLUMN n, ALGORITHM=INSTANT;",
            contract + "ALTER TABLE old RENAME COLUMN n TO m, ALGORITHM=INSTANT;",
            contract + "-- long: true\nALTER TABLE old MODIFY n INT NOT NULL;",
            contract + "CREATE UNIQUE INDEX i ON old (n);",
            // Words in comments, strings and names are no keywords.
            expand + "ALTER TABLE old ADD COLUMN c VARCHAR(9) DEFAULT 'NOT NULL UNIQUE', ALGORITHM=INSTANT;",
            expand + "ALTER TABLE old ADD COLUMN `first` INT /* AFTER id */, ALGORITHM=INSTANT;",
        ]
    )
    func silent(_ script: String) throws {
        #expect(try Self.rules(script).isEmpty)
    }

    @Test("A script for one server only is read too")
    func particularServer() throws {
        let shared = files(
            ("old", "CREATE TABLE old (id INT PRIMARY KEY) ENGINE=InnoDB COLLATE=utf8mb4_bin;", "SELECT 1;")
        )
        let own = (path: "0001_old/up.mariadb.sql", text: Self.expand + "DROP TABLE old;")
        #expect(
            try MigrationLint.findings(in: shared + [own]).map(\.description).contains {
                $0.hasPrefix("0001_old/up.mariadb.sql:2: error: ") && $0.hasSuffix("[expand-drops]")
            }
        )
    }

    @Test("SQLite has neither engines and collations nor copies to speak of, but the same phases")
    func sqlite() throws {
        func rules(_ text: String) throws -> [String] {
            let files =
                files(("old", "CREATE TABLE old (id INT);", "DROP TABLE old;")) + [
                    (path: "0002_new/up.mysql.sql", text: Self.expand + "SELECT 1;"),
                    (path: "0002_new/up.sqlite.sql", text: Self.expand + text),
                    (path: "0002_new/down.sql", text: "SELECT 1;"),
                ]
            return try MigrationLint.findings(in: files, from: 2).map(\.rule)
        }
        #expect(try rules("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT;").isEmpty)
        #expect(try rules("ALTER TABLE old ADD COLUMN c INT;").isEmpty)
        #expect(try rules("ALTER TABLE \"old\" DROP COLUMN n;") == ["expand-drops"])
        #expect(try rules("CREATE TABLE t (id INTEGER) STRICT;") == ["primary-key"])
    }

    @Test("A finding says place, severity, message and rule, and one script for both engines is told once")
    func text() throws {
        let found = try Self.findings(Self.expand + "-- Why.\n\nSELECT 1;\nDROP\nTABLE old;\n", mysqlOnly: false)
        #expect(
            found.map(\.description) == [
                "0002_new/up.sql:5: error: the running program still uses it: drop it in a migration with "
                    + "'-- phase: contract' and '-- min-app: N' [expand-drops]"
            ]
        )
    }

    @Test("Findings come by script and line; versions below the first that counts are left out")
    func order() throws {
        let old = (0..<10).map { "DROP TABLE t\($0);\n" }.joined()
        let all = files(("a", old, "SELECT 1;"), ("b", "DROP TABLE old;", "SELECT 1;"))
        let found = try MigrationLint.findings(in: all)
        #expect(found.map(\.path) == Array(repeating: "0001_a/up.sql", count: 11) + ["0002_b/up.sql"])
        #expect(found.map(\.line) == [1] + Array(2...11) + [2])
        #expect(try MigrationLint.findings(in: all, from: 2).map(\.path) == ["0002_b/up.sql"])
        #expect(try MigrationLint.findings(in: all, from: 3).isEmpty)
    }

    @Test("Files that are no migrations are an error of their own")
    func noMigrations() {
        #expect(throws: MigrationError.self) { try MigrationLint.findings(in: [(path: "x.sql", text: "")]) }
    }
}
