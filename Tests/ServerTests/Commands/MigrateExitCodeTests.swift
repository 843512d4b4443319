import DBDriver
import Foundation
import MCP
import TestSupport
import Testing

@testable import Server

/// Which command ends with which exit code; the manual has the same list.
@Suite("Exit codes of migrate", .timeLimit(.minutes(10)))
struct MigrateExitCodeTests {
    @Test("0: done, or nothing to do", arguments: Engine.available)
    func success(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            for _ in 1...2 { #expect(try await deployment.migrate("up").exitCode == 0) }
            for command in ["status", "plan", "verify", "dump", "diff", "lint"] {
                let ended = try await deployment.migrate(command)
                #expect(ended.exitCode == 0 && ended.errors == "", "\(command): \(ended.errors)")
            }
            #expect(try await deployment.migrate("status", "--exit-code").exitCode == 0)
            #expect(try await deployment.migrate("wait", "--schema").exitCode == 0)
        }
    }

    @Test("1: an error, such as a way back that does not exist, or a finding of lint", arguments: Engine.available)
    func error(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let text = "-- phase: expand\n-- irreversible: the old keys are gone\nCREATE TABLE a (id INT);\n"
            let dir = try deployment.folder.migrations([(path: "0001_a/up.sql", text: text)])
            #expect(try await deployment.migrate("up", "--dir", dir).exitCode == 0)
            let down = try await deployment.migrate("down", "--to", "0", "--yes", "--dir", dir)
            #expect(down.exitCode == 1)
            #expect(
                down.errors == "mcp-registry: migration 0001 cannot be taken back: the old keys are gone\n"
            )
            let lint = try await deployment.migrate("lint", "--dir", dir)
            #expect(lint.exitCode == 1)
            #expect(lint.output.contains("0001_a/up.sql:3: error: "))
            #expect(lint.output.contains("[primary-key]\n"))
            let draft = try deployment.folder.migrations([(path: "0001_a/up.sql", text: "SELECT 1;")], in: "draft")
            #expect(try await deployment.migrate("up", "--dir", draft).exitCode == 1)
        }
    }

    @Test("2: a wrong request or configuration", arguments: Engine.available)
    func usage(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.migrate("up", "--to", "1").exitCode == 0)
            for arguments in [
                ["down"], ["down", "--to", "0", "--steps", "1"], ["down", "--to", "-1"], ["down", "--steps", "0"],
                ["down", "--to", "0"], ["redo"], ["up", "--to", "99"], ["up", "--timeout", "-1"], ["up", "--nope"],
                ["up", "--lock-wait", "99999999"], ["plan", "--down"], ["wait"], ["wait", "--db", "--schema"],
                ["resolve", "1", "--statement", "1", "--done"], ["repair", "--accept", "1"], ["baseline", "--at", "1"],
                ["baseline", "--at", "99"], ["unlock", "--owner", "x"], ["up", "--dir", "/nonexistent"],
                ["up", "--database-url", "postgresql://h/d"], ["up", "--dsn-file", "/nonexistent"],
            ] {
                let ended = try await Program.run(["migrate"] + arguments, in: deployment.folder, deployment.settings)
                #expect(ended.exitCode == 2, "\(arguments): \(ended.errors)")
                #expect(ended.output == "" && !ended.errors.isEmpty, "\(arguments)")
            }
            #expect(try await deployment.migrate("status").output.hasPrefix("0001  applied"))
        }
    }

    @Test("3: the history differs from the files", arguments: Engine.available)
    func history(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let dir = try deployment.folder.migrations(smallMigrations)
            #expect(try await deployment.migrate("up", "--dir", dir).exitCode == 0)
            let edited = try deployment.folder.migrations(
                smallMigrations.map { (path: $0.path, text: $0.text + "-- edited\n") },
                in: "edited"
            )
            for arguments in [
                ["up"], ["verify"], ["plan"], ["diff"], ["down", "--to", "0"], ["status", "--exit-code"],
            ] {
                let all = ["migrate"] + arguments + ["--dir", edited]
                let ended = try await Program.run(all, in: deployment.folder, deployment.settings)
                #expect(ended.exitCode == 3, "\(arguments): \(ended.errors)")
            }
            let verify = try await deployment.migrate("verify", "--dir", edited)
            #expect(verify.output.split(separator: "\n").count == 6, "all of them at once")
            #expect(verify.output.contains("migrate repair --accept 3"))
            let newer = try deployment.folder.migrations(Array(smallMigrations.prefix(4)), in: "older")
            #expect(try await deployment.migrate("up", "--dir", newer).exitCode == 3)
            #expect(try await deployment.migrate("up", "--dir", newer, "--ignore-newer").exitCode == 0)
        }
    }

    @Test("4: a migration is half applied; SQLite rolls it back instead, and that is 1", arguments: Engine.available)
    func halfApplied(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let up =
                "-- phase: expand\nCREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nINSERT INTO missing VALUES (1);\n"
            let dir = try deployment.folder.migrations([
                (path: "0001_a/up.sql", text: up), (path: "0001_a/down.sql", text: "DROP TABLE a;\n"),
            ])
            let ended = try await deployment.migrate("up", "--dir", dir)
            #expect(ended.exitCode == (engine == .sqlite ? 1 : 4))
            #expect(ended.errors.contains("statement 2 of 2 (0001_a/up.sql:3)"), "\(ended.errors)")
            let status = try await deployment.migrate("status", "--exit-code", "--dir", dir)
            #expect(status.exitCode == (engine == .sqlite ? 6 : 4))
            guard engine != .sqlite else { return }
            #expect(status.output.hasPrefix("0001  failed  a (statement 1 of 2 done)\n"))
            #expect(try await deployment.migrate("down", "--to", "0", "--yes", "--dir", dir).exitCode == 4)
            let resolved = try await deployment.migrate("resolve", "1", "--statement", "2", "--done", "--dir", dir)
            #expect(resolved.exitCode == 0 && resolved.output == "noted: statement 2 of migration 1 is done\n")
            #expect(try await deployment.migrate("up", "--dir", dir).exitCode == 0)
        }
    }

    @Test("5: the schema has drifted", arguments: Engine.available)
    func drift(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.migrate("up").exitCode == 0)
            try await deployment.withDatabase { database in
                try await database.execute("ALTER TABLE users ADD COLUMN note INT")
            }
            let ended = try await deployment.migrate("diff")
            #expect(ended.exitCode == 5 && ended.output == "+ users: column note int\n", "\(ended.output)")
            #expect(ended.errors == "")
        }
    }

    @Test("6: migrations are pending, for a status that is asked for it", arguments: Engine.available)
    func pending(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.migrate("up", "--to", "1").exitCode == 0)
            let ended = try await deployment.migrate("status", "--exit-code")
            #expect(ended.exitCode == 6 && ended.output.contains("0002  pending  "))
            #expect(try await deployment.migrate("status").exitCode == 0)
        }
    }

    @Test("7: the time to wait is over", arguments: Engine.available)
    func waiting(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.migrate("up", "--to", "1").exitCode == 0)
            try await deployment.withDatabase { database in
                try await database.execute(
                    "UPDATE migration_lock SET owner = 'o-1', holder = 'host-9', expires_at = 9000000000000000"
                )
            }
            let locked = try await deployment.migrate("up", "--lock-wait", "0")
            #expect(locked.exitCode == 7)
            #expect(locked.errors.contains("waiting for host-9"))
            #expect(locked.errors.contains("mcp-registry: waited 0 s for another run (host-9, "))
            let timeout = try await deployment.migrate("up", "--timeout", "1")
            #expect(timeout.exitCode == 7)
            #expect(timeout.errors.hasSuffix("mcp-registry: gave up after 1 s: what was finished stays applied\n"))
            let schema = try await deployment.migrate("wait", "--schema", "--timeout", "1")
            #expect(schema.exitCode == 7)
            #expect(schema.errors.hasPrefix("mcp-registry: waited in vain: the schema is at version 1, "))
            #expect(try await deployment.migrate("wait", "--db", "--timeout", "1").exitCode == 0)

            let status = try JSONValue.parse(try await deployment.migrate("status", "--json").output)
            #expect(status["locked_by"] == "host-9" && status["lock_owner"] == "o-1")
            let wrong = try await deployment.migrate("unlock", "--owner", "host-9")
            #expect(wrong.exitCode == 2 && wrong.errors.contains("it belongs to 'o-1', that is host-9"))
            #expect(try await deployment.migrate("unlock", "--owner", "o-1").output == "the migration lock is free\n")
            #expect(try await deployment.migrate("up", "--lock-wait", "0").exitCode == 0)
        }
    }

    @Test("8: the database can't be reached, and none is made but by up")
    func unreachable() async throws {
        try await TemporaryFolder.with { folder in
            for arguments in [
                ["up"], ["status"], ["verify"], ["plan"], ["dump"], ["diff"], ["down", "--to", "0", "--yes"],
                ["redo", "--yes"], ["up", "--dry-run"], ["baseline", "--at", "1"], ["repair", "--accept", "1"],
                ["unlock", "--owner", "x"], ["resolve", "1", "--statement", "1", "--done"],
            ] {
                let all = ["migrate"] + arguments + ["--database-url", "mysql://u@127.0.0.1:1/d"]
                let ended = try await Program.run(all, in: folder)
                #expect(ended.exitCode == 8 && ended.output == "", "\(arguments)")
                guard !arguments.contains("up"), arguments != ["plan"] else { continue }
                #expect(try await Program.run(["migrate"] + arguments, in: folder).exitCode == 8, "\(arguments)")
            }
            let waited = ["migrate", "wait", "--db", "--timeout", "1"]
            #expect(try await Program.run(waited, in: folder).exitCode == 7, "waiting has an end of its own")
            #expect(try folder.entries() == [])
        }
    }
}
