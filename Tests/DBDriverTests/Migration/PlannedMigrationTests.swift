import TestSupport
import Testing

@testable import DBDriver

@Suite("Planned migrations")
struct PlannedMigrationTests {
    private static let all = files(
        ("a", "CREATE TABLE a (id INT NOT NULL PRIMARY KEY, n INT);", "DROP TABLE a;"),
        ("b", "CREATE TABLE b (id INT NOT NULL PRIMARY KEY);\nINSERT INTO b VALUES (1);", "DROP TABLE b;"),
        ("m", "ALTER TABLE a ADD COLUMN m INT;", "UPDATE a SET n = 0;\nDELETE FROM b;\nALTER TABLE a DROP COLUMN m;")
    )

    @Test("A plan lists what up would run, and changes nothing", arguments: Engine.available)
    func up(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.all)
            let plan = try await migrator.planUp()
            #expect(plan.map(\.label) == ["0001_a", "0002_b", "0003_m"])
            #expect(
                plan[1].statements == [
                    .init(number: 1, place: "0002_b/up.sql:2", text: "CREATE TABLE b (id INT NOT NULL PRIMARY KEY)"),
                    .init(number: 2, place: "0002_b/up.sql:3", text: "INSERT INTO b VALUES (1)"),
                ]
            )
            #expect(plan.allSatisfy { $0.direction == .up && $0.phase == .expand && $0.destroys.isEmpty })
            #expect(try await database.onConnection { try MigrationTables.count(in: $0) } == 0)
            #expect(try await database.tables().isEmpty)

            _ = try await migrator.up(to: 1)
            #expect(try await migrator.planUp().map(\.version) == [2, 3])
            #expect(try await migrator.planUp(to: 2).map(\.version) == [2])
            #expect(try await database.ledger() == ["1 done 1/1"])
            var edited = Self.all
            edited[0].text += "\n-- edited"
            #expect(try await Migrator(database, edited).error { _ = try await $0.planUp() }?.exitCode == 3)
            #expect(await migrator.error { _ = try await $0.planUp(to: 9) }?.exitCode == 2)
        }
    }

    @Test("A plan waits for nobody who migrates", arguments: Engine.available)
    func locked(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let other = MigrationLease(owner: "other", holder: "host-other", duration: .seconds(60))
            try await database.onConnection { session in
                try MigrationTables.create(in: session)
                _ = try other.take(in: session)
            }
            #expect(try await Migrator(database, Self.all).planUp().count == 3)
        }
    }

    @Test(
        "A plan to take back names what would be lost, tables with their rows, and changes nothing",
        arguments: Engine.available
    )
    func down(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let migrator = try Migrator(database, Self.all)
            _ = try await migrator.up()
            try await database.execute("INSERT INTO a (id) VALUES (1), (2), (3)")
            let plan = try await migrator.planDown(to: 0)
            #expect(plan.map(\.label) == ["0003_m", "0002_b", "0001_a"])
            #expect(plan.allSatisfy { $0.direction == .down })
            #expect(
                plan.map(\.destroys) == [
                    ["rows, by: UPDATE a SET n = 0", "rows, by: DELETE FROM b", "column a.m"],
                    ["table b (1 rows)"], ["table a (3 rows)"],
                ]
            )
            #expect(try await migrator.planDown(to: nil).map(\.version) == [3])
            #expect(try await migrator.planDown(to: nil, steps: 2).map(\.version) == [3, 2])
            #expect(try await database.tables() == ["a", "b"])
            #expect(try await database.ledger() == ["1 done 1/1", "2 done 2/2", "3 done 1/1"])
            #expect(try await database.log().count == 3)
        }
    }

    @Test(
        "What can't be read is among what would be lost, and SQLite takes a table's name in any case",
        arguments: Engine.available
    )
    func unread(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { database in
            let name = engine == .sqlite ? "A" : "a"
            let down = "DROP VIEW v;\nDROP TABLE \(name);"
            let up = "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nCREATE VIEW v AS SELECT id FROM a;"
            let migrator = try Migrator(database, files(("a", up, down)))
            _ = try await migrator.up()
            #expect(
                try await migrator.planDown(to: 0).map(\.destroys) == [
                    ["what this does, which can't be read here: DROP VIEW v", "table a (0 rows)"]
                ]
            )
        }
    }

    @Test("SQLite: what would be lost is seen behind quoted names too")
    func quoted() async throws {
        try await Engine.sqlite.withEmptyDatabase { database in
            let up = "CREATE TABLE \"a \"\"b\" (id INTEGER);\nINSERT INTO \"a \"\"b\" VALUES (1);"
            let migrator = try Migrator(database, files(("a", up, "DROP TABLE \"a \"\"b\";")))
            _ = try await migrator.up()
            #expect(try await migrator.planDown(to: 0).map(\.destroys) == [["table a \"b (1 rows)"]])
        }
    }
}
