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
    private static let idempotent = "-- idempotent: true\n"
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
            (expand + idempotent + "ALTER TABLE old DROP PRIMARY KEY, ALGORITHM=INSTANT;", "error expand-drops"),
            (expand + "ALTER TABLE old RENAME COLUMN n TO m, ALGORITHM=INSTANT;", "error expand-changes"),
            (expand + idempotent + "ALTER TABLE old MODIFY n BIGINT, ALGORITHM=INSTANT;", "error expand-changes"),
            (expand + idempotent + "ALTER TABLE old CHANGE n m BIGINT, ALGORITHM=INSTANT;", "error expand-changes"),
            (
                expand + idempotent + "ALTER TABLE old ALTER COLUMN n DROP DEFAULT, ALGORITHM=INSTANT;",
                "error expand-changes"
            ),
            (expand + "RENAME TABLE old TO new;", "error expand-changes"),
            (expand + "ALTER TABLE old RENAME TO new;", "error expand-changes"),
            (expand + "CREATE UNIQUE INDEX i ON old (n);", "error expand-unique"),
            (expand + "ALTER TABLE old ADD UNIQUE KEY i (n), ALGORITHM=INSTANT;", "error expand-unique"),
            (expand + "ALTER TABLE old ADD COLUMN c INT UNIQUE, ALGORITHM=INSTANT;", "error expand-unique"),
            (expand + "ALTER TABLE old ADD COLUMN c INT NOT NULL, ALGORITHM=INSTANT;", "error expand-not-null"),
            (
                expand + "ALTER TABLE old ADD COLUMN c CHAR(36) NOT NULL DEFAULT (UUID()), ALGORITHM=INSTANT;",
                "error expand-default"
            ),
            (
                expand + "ALTER TABLE old ADD COLUMN c DATETIME DEFAULT CURRENT_TIMESTAMP, ALGORITHM=INSTANT;",
                "error expand-default"
            ),
            (expand + "ALTER TABLE old ADD COLUMN c INT CHECK (c > 0), ALGORITHM=INSTANT;", "error expand-constraint"),
            (
                expand + "ALTER TABLE old ADD COLUMN c INT REFERENCES t (id), ALGORITHM=INSTANT;",
                "error expand-constraint"
            ),
            (expand + "ALTER TABLE old ADD COLUMN c INT PRIMARY KEY, ALGORITHM=INSTANT;", "error expand-constraint"),
            (expand + "ALTER TABLE old ADD COLUMN c INT FIRST, ALGORITHM=INSTANT;", "error expand-position"),
            (expand + "ALTER TABLE old ADD COLUMN c INT AFTER id, ALGORITHM=INSTANT;", "error expand-position"),
            (
                expand + idempotent + "ALTER TABLE old ADD PRIMARY KEY (id), ALGORITHM=INSTANT;",
                "error expand-constraint"
            ),
            (expand + "ALTER TABLE old ADD CONSTRAINT c CHECK (n > 0), ALGORITHM=INSTANT;", "error expand-constraint"),
            (
                expand + idempotent + "ALTER TABLE old ADD FOREIGN KEY (n) REFERENCES t (id), ALGORITHM=INSTANT;",
                "error expand-constraint"
            ),
            (
                expand + "ALTER TABLE old ADD COLUMN c INT, DROP COLUMN n, ALGORITHM=INSTANT;", "error expand-drops"
            ),
            // What lint can't read, it does not let pass.
            (expand + idempotent + "CREATE OR REPLACE TABLE old (id INT PRIMARY KEY);", "error expand-unknown"),
            (expand + idempotent + "ALTER IGNORE TABLE old DROP COLUMN n;", "error expand-unknown"),
            (expand + idempotent + "ALTER TABLE other.old DROP COLUMN n;", "error expand-unknown"),
            (expand + idempotent + "DROP TABLE q, old;", "error expand-unknown"),
            (expand + idempotent + "DROP TABLE other.old;", "error expand-unknown"),
            (expand + idempotent + "DROP VIEW v;", "error expand-unknown"),
            (expand + idempotent + "RENAME TABLE a TO b, b TO a;", "error expand-unknown"),
            (expand + idempotent + "/*! DROP TABLE old */;", "error expand-unknown"),
            (
                expand + idempotent + "ALTER TABLE old ADD (c INT NOT NULL), ALGORITHM=INSTANT;",
                "error expand-unknown"
            ),
            (
                expand + idempotent + "ALTER TABLE old CONVERT TO CHARACTER SET latin1, ALGORITHM=INSTANT;",
                "error expand-unknown"
            ),
            (
                expand + idempotent + "ALTER TABLE old TRUNCATE PARTITION p, ALGORITHM=INSTANT;",
                "error expand-unknown"
            ),
            (expand + idempotent + "CALL tidy_up();", "error expand-unknown"),
            (expand + idempotent + "ANALYZE DELETE FROM old;", "error expand-unknown"),
            (
                expand + idempotent + "CREATE TRIGGER t BEFORE INSERT ON old FOR EACH ROW SET NEW.n = 1;",
                "error expand-unknown"
            ),
            (
                expand
                    + "CREATE TABLE IF NOT EXISTS old (id INT PRIMARY KEY) ENGINE=InnoDB COLLATE=utf8mb4_bin;\nDROP TABLE old;",
                "error expand-drops"
            ),
            (data + idempotent + "CALL tidy_up();", "error data-with-ddl"),
            // What can't be looked up, and may not run twice, needs a person when the connection is lost.
            (contract + "-- long: true\nALTER TABLE old MODIFY n INT NOT NULL;", "warning in-doubt"),
            (contract + "DROP TABLE a, b;", "warning in-doubt"),
            // All rows in one statement.
            (data + "UPDATE old SET n = 1;", "warning all-rows"),
            (data + "DELETE FROM old;", "warning all-rows"),
            // Clusters.
            (
                expand + "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM COLLATE=utf8mb4_bin;", "error engine"
            ),
            (expand + "ALTER TABLE old ADD COLUMN c INT, ALGORITHM=INSTANT, LOCK=NONE;", "error lock-none"),
            (expand + "CREATE INDEX i ON old (n) LOCK = NONE;", "error lock-none"),
            (expand + "DROP INDEX i ON old LOCK NONE;", "error lock-none"),
            (expand + "ALTER TABLE old ADD COLUMN c INT;", "warning may-copy"),
            (expand + "ALTER TABLE old ADD COLUMN IF NOT EXISTS c INT, ALGORITHM=INSTANT;", "error if-exists"),
            (contract + "ALTER TABLE old DROP COLUMN IF EXISTS n, ALGORITHM=INSTANT;", "error if-exists"),
            (
                expand + good + "ALTER TABLE old ADD COLUMN c INT, ALGORITHM=INSTANT;", "warning one-table"
            ),
            (expand + good + "RENAME TABLE t TO u;\nALTER TABLE u ADD COLUMN c INT NOT NULL;", "warning one-table"),
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
            contract + "-- long: true\n" + idempotent + "ALTER TABLE old MODIFY n INT NOT NULL;",
            contract + "RENAME TABLE old TO new;",
            expand + "ANALYZE TABLE old;",
            expand + idempotent + "CREATE VIEW v AS SELECT n FROM old;",
            expand + "ALTER TABLE old ADD COLUMN c INT NOT NULL DEFAULT -1, ALGORITHM=INSTANT;",
            expand + "ALTER TABLE old ADD COLUMN c VARCHAR(9) NOT NULL DEFAULT '', ALGORITHM=INSTANT;",
            contract + "CREATE UNIQUE INDEX i ON old (n);",
            // Words in comments, strings and names are no keywords.
            expand + "ALTER TABLE old ADD COLUMN c VARCHAR(9) DEFAULT 'NOT NULL UNIQUE', ALGORITHM=INSTANT;",
            expand + "ALTER TABLE old ADD COLUMN `first` INT /* AFTER id */, ALGORITHM=INSTANT;",
        ]
    )
    func silent(_ script: String) throws {
        #expect(try Self.rules(script).isEmpty)
    }

    @Test("What takes a migration back is read too: for clusters, and for what can't be looked up")
    func down() throws {
        func rules(_ text: String) throws -> [String] {
            let old = files(("old", "CREATE TABLE old (id INT);", "DROP TABLE old;"))
            let new = [
                (path: "0002_new/up.sql", text: Self.expand + "SELECT 1;"),
                (path: "0002_new/down.mysql.sql", text: text), (path: "0002_new/down.sqlite.sql", text: "SELECT 1;"),
            ]
            return try MigrationLint.findings(in: old + new, from: 2).map(\.rule)
        }
        #expect(try rules("ALTER TABLE old DROP COLUMN n, DROP INDEX i;\nDROP TABLE t;").isEmpty)
        #expect(try rules("ALTER TABLE old DROP COLUMN n, LOCK=NONE;") == ["lock-none"])
        #expect(try rules("ALTER TABLE old DROP COLUMN IF EXISTS n;") == ["if-exists"])
        #expect(try rules("ALTER TABLE old MODIFY n INT;") == ["in-doubt"])
        #expect(try rules("DELETE FROM old WHERE n = 1;\nDROP TABLE t;") == ["data-with-ddl"])
    }

    @Test("No program could ever be as new as this contract migration wants it")
    func minApp() throws {
        func rules(_ minApp: Int) throws -> [String] {
            try Self.rules("-- phase: contract\n-- min-app: \(minApp)\nDROP TABLE old;", mysqlOnly: false)
        }
        #expect(try rules(3) == ["error min-app"])
        #expect(try rules(2).isEmpty)
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
