import Testing

@testable import DBDriver

@Suite("Migration plan")
struct MigrationPlanTests {
    private let folder: MigrationFolder

    init() throws {
        folder = try MigrationFolder(
            files: files(
                ("a", "CREATE TABLE a (id INT);", "DROP TABLE a;"),
                ("b", "CREATE TABLE b (id INT);\nINSERT INTO b VALUES (1);\n", "DROP TABLE b;"),
                ("c", "CREATE TABLE c (id INT);", "DROP TABLE c;")
            ),
            dialect: .mysql
        )
    }

    private func row(_ version: Int, _ state: LedgerRow.State, done: Int = 0) -> LedgerRow {
        let migration = folder.migrations[version - 1]
        return LedgerRow(
            version: version,
            name: migration.name,
            dialect: "mysql",
            phase: .expand,
            upChecksum: migration.up.checksum,
            downChecksum: migration.down?.checksum,
            direction: .up,
            state: state,
            statementDone: done,
            statements: migration.up.statements.count,
            startedAt: Timestamp(microseconds: 0),
            appVersion: "1",
            owner: "o"
        )
    }

    private func up(
        _ rows: [LedgerRow],
        to target: Int? = nil,
        allowing outOfOrder: Set<Int> = [],
        ignoringNewer: Bool = false
    ) -> String {
        var leniency = MigrationLeniency()
        leniency.outOfOrder = outOfOrder
        leniency.ignoresNewer = ignoringNewer
        return describe { [leniency] () throws(MigrationError) in
            try MigrationPlan.up(folder, rows, to: target, leniency: leniency)
        }
    }

    private func down(_ rows: [LedgerRow], to target: Int) -> String {
        describe { () throws(MigrationError) in try MigrationPlan.down(folder, rows, to: target) }
    }

    private func down(_ rows: [LedgerRow], steps: Int) -> String {
        describe { () throws(MigrationError) in try MigrationPlan.down(folder, rows, steps: steps) }
    }

    private func describe(_ plan: () throws(MigrationError) -> [MigrationStep]) -> String {
        do throws(MigrationError) {
            return try plan().map { step in
                "\(step.direction.rawValue) \(step.migration.version)"
                    + (step.interrupted.map { " from \($0.statementDone)" } ?? "")
            }.joined(separator: ", ")
        } catch {
            return "\(error.exitCode): \(error)"
        }
    }

    @Test("Up applies what is missing, in order, up to the target")
    func upPlan() {
        #expect(up([]) == "up 1, up 2, up 3")
        #expect(up([], to: 2) == "up 1, up 2")
        #expect(up([row(1, .done)]) == "up 2, up 3")
        #expect(up([row(1, .done), row(2, .reverted)]) == "up 2, up 3")
        #expect(up([row(1, .done), row(2, .done), row(3, .done)]) == "")
        #expect(up([row(1, .done), row(2, .done)], to: 1) == "")
        #expect(up([], to: 0) == "")
    }

    @Test("Down takes back what is above the target, the latest first")
    func downPlan() {
        #expect(down([row(1, .done), row(2, .done), row(3, .done)], to: 1) == "down 3, down 2")
        #expect(down([row(1, .done), row(2, .done), row(3, .reverted)], to: 0) == "down 2, down 1")
        #expect(down([], to: 0) == "")
        #expect(down([row(1, .done)], to: 3) == "")
    }

    @Test("An interrupted migration goes on in its own direction only", arguments: [LedgerRow.State.running, .failed])
    func interrupted(_ state: LedgerRow.State) {
        var half = row(2, state, done: 1)
        half.errorText = "Table full"
        #expect(up([row(1, .done), half]) == "up 2 from 1, up 3")
        #expect(up([row(1, .done), half], to: 1).hasPrefix("4: migration 0002_b (up) stopped at statement 2 of 2"))
        #expect(down([row(1, .done), half], to: 0).hasPrefix("4: migration 0002_b (up) stopped at statement 2 of 2"))
        half.direction = .down
        half.statementDone = 0
        #expect(down([row(1, .done), half], to: 0) == "down 2 from 0, down 1")
        #expect(down([row(1, .done), half], to: 2).hasPrefix("4: "))
        #expect(up([row(1, .done), half]).hasPrefix("4: migration 0002_b (down) stopped at statement 1 of 1"))
    }

    @Test("A stop is told with place, text and what to do: run again after a refusal, look after a lost connection")
    func stopText() {
        var half = row(2, .failed, done: 1)
        half.errorText = "Table full"
        let refused = up([row(1, .done), half], to: 1)
        #expect(refused.contains("(0002_b/up.sql:3)"))
        #expect(refused.contains("INSERT INTO b VALUES (1)"))
        #expect(refused.contains("The database said: Table full"))
        #expect(refused.contains("`migrate up` again"))
        let doubtful = up([row(1, .done), row(2, .running, done: 1)], to: 1)
        #expect(
            doubtful.contains(
                "`migrate resolve 2 --statement 2 --done` or `migrate resolve 2 --statement 2 --not-done`"
            )
        )
    }

    @Test("A history that does not fit the files is refused with exit code 3")
    func history() {
        var unknown = row(3, .done)
        unknown.version = 4
        #expect(up([unknown]).hasPrefix("3: the database has migration 0004_c, which this program does not know"))
        var renamed = row(1, .done)
        renamed.name = "x"
        #expect(up([renamed]).hasPrefix("3: migration 0001 was applied as 'x' but is called 'a'"))
        var edited = row(1, .done)
        edited.upChecksum = "v1:00"
        #expect(up([edited]).hasPrefix("3: 0001_a/up.sql was changed"))
        #expect(down([edited], to: 0).hasPrefix("3: 0001_a/up.sql was changed"))
        var editedDown = row(1, .failed)
        editedDown.downChecksum = nil
        #expect(up([editedDown]).hasPrefix("3: 0001_a/down.sql was changed"))
        #expect(up([row(1, .done), row(3, .done)]).hasPrefix("3: migration 0002 is not applied although 0003 is"))
        edited.state = .reverted
        #expect(up([edited]) == "up 1, up 2, up 3")
    }

    @Test("A version that is not there is a wrong request, exit code 2", arguments: [-1, 4])
    func noSuchVersion(_ version: Int) {
        #expect(up([], to: version).hasPrefix("2: "))
        #expect(down([], to: version).hasPrefix("2: "))
    }

    @Test("An older number that was added later is applied only when it is named")
    func outOfOrder() {
        let rows = [row(1, .done), row(3, .done)]
        #expect(up(rows).hasSuffix("or apply it all the same with --allow-out-of-order 2"))
        #expect(up(rows, allowing: [2]) == "up 2")
        #expect(up(rows, to: 1, allowing: [2]) == "")
        #expect(up(rows, allowing: [1, 3]).hasPrefix("3: migration 0002 is not applied although 0003 is"))
        #expect(up([row(3, .done)], allowing: [2]).hasPrefix("3: migration 0001 is not applied although 0003 is"))
        #expect(up([row(3, .done)], allowing: [1, 2]) == "up 1, up 2")
        #expect(up([row(1, .done), row(2, .reverted), row(3, .done)], allowing: [2]) == "up 2")
    }

    @Test("Migrations that only the database has are left alone when that is asked for, and never taken back")
    func ignoreNewer() {
        var newer = row(3, .done)
        newer.version = 4
        #expect(up([row(1, .done), newer]).hasSuffix("or leave it alone with --ignore-newer"))
        #expect(up([row(1, .done), newer], ignoringNewer: true) == "up 2, up 3")
        #expect(up([row(1, .done), row(2, .done), row(3, .done), newer], ignoringNewer: true) == "")
        var edited = row(1, .done)
        edited.upChecksum = "v1:00"
        #expect(up([edited, newer], ignoringNewer: true).hasPrefix("3: 0001_a/up.sql was changed"))
        #expect(down([row(1, .done), newer], to: 0).hasPrefix("3: the database has migration 0004_c"))
        #expect(down([row(1, .done), newer], steps: 1).hasPrefix("3: the database has migration 0004_c"))
    }

    @Test("Down by steps counts what is applied, whatever the numbers are")
    func steps() {
        let all = [row(1, .done), row(2, .done), row(3, .done)]
        #expect(down(all, steps: 1) == "down 3")
        #expect(down(all, steps: 2) == "down 3, down 2")
        #expect(down(all, steps: 9) == "down 3, down 2, down 1")
        #expect(down([row(1, .done), row(2, .reverted), row(3, .done)], steps: 2) == "down 3, down 1")
        #expect(down([], steps: 1) == "")
        var half = row(3, .failed)
        half.direction = .down
        #expect(down([row(1, .done), row(2, .done), half], steps: 2) == "down 3 from 0, down 2")
    }

    @Test("Every difference of the history is told at once; what was taken back does not count")
    func differences() {
        var renamed = row(1, .done)
        renamed.name = "x"
        renamed.upChecksum = "v1:00"
        var edited = row(2, .failed)
        edited.upChecksum = "v1:00"
        edited.downChecksum = "v1:00"
        var reverted = row(3, .reverted)
        reverted.upChecksum = "v1:00"
        var unknown = row(3, .done)
        unknown.version = 4
        let found = MigrationPlan.differences(folder, [renamed, edited, reverted, unknown])
        let texts = [
            "migration 0001 was applied as 'x' but is called 'a' here", "0001_a/up.sql was changed",
            "0002_b/up.sql was changed", "0002_b/down.sql was changed", "the database has migration 0004_c",
        ]
        #expect(found.count == texts.count)
        for (error, text) in zip(found, texts) {
            #expect(error.exitCode == 3)
            #expect(error.description.hasPrefix(text))
        }
        #expect(found[1].description.hasSuffix("or accept it with `migrate repair --accept 1`"))
    }

    @Test("An irreversible migration stops the way down, before anything is taken back")
    func irreversible() throws {
        let text = "-- phase: expand\n-- irreversible: the old keys are gone\nSELECT 1;"
        let folder = try MigrationFolder(files: [(path: "0001_a/up.sql", text: text)], dialect: .mysql)
        var applied = row(1, .done)
        applied.upChecksum = folder.migrations[0].up.checksum
        applied.downChecksum = nil
        let error = describe { [applied] () throws(MigrationError) in try MigrationPlan.down(folder, [applied], to: 0) }
        #expect(error == "1: migration 0001 cannot be taken back: the old keys are gone")
    }

    @Test("A server sees how the schema fits it, and what to run")
    func schemaState() throws {
        let all = [row(1, .done), row(2, .done), row(3, .done)]
        #expect(SchemaState(folder, all) == .current)
        #expect(SchemaState(folder, []) == .empty)
        #expect(SchemaState(folder, [row(1, .reverted)]) == .empty)
        #expect(SchemaState(folder, [row(1, .done), row(2, .done)]) == .behind(applied: 2, wanted: 3, usable: 3))
        #expect(SchemaState(folder, [row(1, .done), row(2, .running)]) == .halfApplied(version: 2))
        var unknown = row(3, .done)
        unknown.version = 4
        #expect(SchemaState(folder, all + [unknown]) == .ahead(unknown: [4]))
        #expect(SchemaState.current.advice(command: "x migrate") == nil)
        #expect(
            SchemaState.behind(applied: 2, wanted: 3, usable: 3).advice(command: "x migrate")
                == "the schema is at version 2, this program needs 3; run: x migrate up"
        )
    }
}
