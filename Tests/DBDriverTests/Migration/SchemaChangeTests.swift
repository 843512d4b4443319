import Testing

@testable import DBDriver

@Suite("Recognising DDL")
struct SchemaChangeTests {
    @Test(
        "Statements about one object are recognised",
        arguments: [
            ("CREATE TABLE a (id INT, n INT)", SchemaChange.createTable("a")),
            ("create table if not exists `a``b` (id INT)", .createTable("a`b")),
            ("/* x */ CREATE TABLE a LIKE b", .createTable("a")),
            ("DROP TABLE IF EXISTS a", .dropTable("a")),
            ("RENAME TABLE a TO b", .renameTable("a", to: "b")),
            ("ALTER TABLE a RENAME `b`", .renameTable("a", to: "b")),
            ("CREATE UNIQUE INDEX i ON a (n, m)", .createIndex("i", table: "a")),
            ("DROP INDEX i ON a", .dropIndex("i", table: "a")),
            ("ALTER TABLE a ADD COLUMN c INT", .addColumn("c", table: "a")),
            ("ALTER TABLE a ADD c DECIMAL(3, 2) DEFAULT 0, ALGORITHM = INSTANT", .addColumn("c", table: "a")),
            ("ALTER TABLE a ADD COLUMN `key` INT", .addColumn("key", table: "a")),
            ("ALTER TABLE a DROP COLUMN c, LOCK = NONE", .dropColumn("c", table: "a")),
            ("ALTER TABLE a DROP c", .dropColumn("c", table: "a")),
            ("ALTER TABLE a RENAME COLUMN c TO d", .renameColumn("c", to: "d", table: "a")),
            ("ALTER TABLE a ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES b (y)", .addConstraint("k", table: "a")),
            ("ALTER TABLE a DROP CONSTRAINT k", .dropConstraint("k", table: "a")),
            ("ALTER TABLE a DROP FOREIGN KEY k", .dropConstraint("k", table: "a")),
            ("ALTER TABLE a ADD INDEX i (n)", .createIndex("i", table: "a")),
            ("ALTER TABLE a ADD UNIQUE KEY i (n)", .createIndex("i", table: "a")),
            ("ALTER TABLE a DROP INDEX i", .dropIndex("i", table: "a")),
        ]
    )
    func recognised(_ statement: String, _ change: SchemaChange) {
        #expect(SchemaChange.changes(of: statement) == [change])
    }

    @Test("An ALTER TABLE is recognised when each of its changes is")
    func several() {
        let statement = "ALTER TABLE a ADD COLUMN c DECIMAL(3, 2), DROP KEY i, DROP COLUMN d, ALGORITHM = INSTANT"
        #expect(
            SchemaChange.changes(of: statement) == [
                .addColumn("c", table: "a"), .dropIndex("i", table: "a"), .dropColumn("d", table: "a"),
            ]
        )
    }

    @Test(
        "SQLite's names may stand in quotes of its own",
        arguments: ["DROP TABLE \"a\"\"b\"", "DROP TABLE [a\"b]", "DROP TABLE `a\"b`"]
    )
    func sqliteNames(_ statement: String) {
        #expect(SchemaChange.changes(of: statement, .sqlite) == [.dropTable("a\"b")])
    }

    @Test(
        "Anything else is left to an operator",
        arguments: [
            "CREATE TABLE a AS SELECT 1", "CREATE TABLE other.a (id INT)", "CREATE TEMPORARY TABLE a (id INT)",
            "CREATE VIEW v AS SELECT 1", "DROP TABLE a, b", "DROP VIEW v",
            "ALTER TABLE a ADD COLUMN c INT, MODIFY COLUMN d TEXT",
            "ALTER TABLE a MODIFY COLUMN c TEXT", "ALTER TABLE a ADD PRIMARY KEY (id)",
            "ALTER TABLE a DROP PRIMARY KEY",
            "RENAME TABLE a TO b, c TO d", "CREATE OR REPLACE TABLE a (id INT)",
            "ALTER TABLE a ADD (c INT, d INT)", "ALTER TABLE x.a ADD COLUMN c INT",
            "ALTER TABLE a ADD UNIQUE (n)", "ALTER TABLE a RENAME COLUMN c TO d, RENAME COLUMN d TO c",
            "ALTER TABLE a ENGINE = InnoDB",
            "INSERT INTO a VALUES (1)",
            "TRUNCATE TABLE a", "",
        ]
    )
    func unknown(_ statement: String) {
        #expect(SchemaChange.changes(of: statement).isEmpty)
    }
}
