import DBDriver
import Foundation
import MCP
import Migrations
import TestSupport
import Testing

@testable import Server

@Suite("Options of migrate", .timeLimit(.minutes(10)))
struct MigrateOptionTests {
    private static let tree = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../../Migrations"
    )
    .standardized.path

    // --json

    @Test("with --json each command answers with one JSON text, errors too", arguments: Engine.available)
    func json(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let dir = try deployment.folder.migrations(smallMigrations)
            let cases: [(code: Int32, key: String, arguments: [String])] = [
                (0, "done", ["up", "--to", "1"]),
                (0, "migrations", ["status"]), (6, "migrations", ["status", "--exit-code"]),
                (0, "plan", ["plan"]), (0, "plan", ["plan", "--down", "--to", "0"]), (0, "plan", ["up", "--dry-run"]),
                (0, "differences", ["verify"]), (0, "tables", ["dump"]), (0, "drift", ["diff"]),
                (0, "findings", ["lint"]),
                (1, "findings", ["lint", "--strict", "--dir", dir]),
                (2, "error", ["redo"]), (0, "done", ["redo", "--yes"]), (0, "done", ["up"]),
                (2, "error", ["down", "--to", "0"]), (0, "done", ["down", "--steps", "1", "--yes"]),
                (0, "ready", ["wait", "--db"]), (7, "error", ["wait", "--schema", "--timeout", "0"]),
                (2, "error", ["resolve", "1", "--statement", "1", "--done"]),
                (2, "error", ["repair", "--accept", "1"]),
                (2, "error", ["baseline", "--at", "1"]), (2, "error", ["unlock", "--owner", "x"]),
                (2, "error", ["up", "--to", "99"]), (3, "error", ["up", "--dir", dir]),
                (3, "differences", ["verify", "--dir", dir]), (2, "error", ["up", "--dir", "/nonexistent"]),
                (2, "error", ["lint", "--dir", "/nonexistent"]), (2, "error", ["new", "x", "--dir", "/nonexistent"]),
                (1, "error", ["new", "Not-Snake", "--dir", dir]), (0, "files", ["new", "snake", "--dir", dir]),
                (1, "error", ["lint", "--dir", dir]), (2, "error", ["up", "--database-url", "postgresql://h/d"]),
                (8, "error", ["up", "--database-url", "mysql://u@127.0.0.1:1/d"]),
                (2, "error", ["up", "--nope"]), (2, "error", ["down"]), (2, "error", ["nonsense"]),
            ]
            for (code, key, arguments) in cases {
                let all = ["migrate"] + arguments + ["--json"]
                let ended = try await Program.run(all, in: deployment.folder, deployment.settings)
                #expect(ended.exitCode == code, "\(arguments): \(ended.errors)")
                let answer = try? JSONValue.parse(ended.output)
                #expect(answer?[key] != nil, "\(arguments): \(ended.output)")
                guard key == "error" else { continue }
                #expect(answer?.object?.count == 2 && answer?["exit_code"]?.integer == Int64(code), "\(arguments)")
                let message = answer?["error"]?.string ?? "?"
                #expect(ended.errors.contains(": \(message)\n"), "people read it on standard error")
            }
        }
    }

    // What changes nothing.

    @Test("plan and up --dry-run print the statements that would run, and change nothing", arguments: Engine.available)
    func dryRun(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.migrate("up", "--to", "1").exitCode == 0)
            let dump = try await deployment.migrate("dump").output
            let status = try await deployment.migrate("status").output
            let plan = try await deployment.migrate("plan", "--to", "2")
            #expect(plan.exitCode == 0 && plan.output.hasPrefix("-- 0002_users up (expand)\n-- 0002_users/up."))
            #expect(plan.output.contains("CREATE TABLE users ("))
            #expect(try await deployment.migrate("up", "--dry-run", "--to", "2").output == plan.output)
            let down = try await deployment.migrate("plan", "--down", "--to", "0")
            #expect(
                down.output.hasPrefix("-- 0001_catalog down (expand)\n-- destroys table catalog_revision (1 rows)\n")
            )
            #expect(down.output.contains("DROP TABLE services;\n"))
            #expect(try await deployment.migrate("plan", "--to", "1").output == "-- nothing to do\n")
            #expect(try await deployment.migrate("dump").output == dump)
            #expect(try await deployment.migrate("status").output == status)
        }
    }

    @Test("plan and up --dry-run take a SQLite file that is not there for an empty database, and make none")
    func dryRunWithoutFile() async throws {
        try await TemporaryFolder.with { folder in
            for arguments in [["plan"], ["up", "--dry-run"]] {
                let ended = try await Program.run(["migrate"] + arguments, in: folder)
                #expect(ended.exitCode == 0, "\(ended.errors)")
                #expect(ended.output.hasPrefix("-- 0001_catalog up (expand)\n"))
            }
            #expect(try folder.entries() == [])
        }
    }

    @Test("down and redo without --yes name what would be lost, and change nothing", arguments: Engine.available)
    func withoutYes(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.migrate("up", "--to", "2").exitCode == 0)
            let status = try await deployment.migrate("status").output
            let redo = try await deployment.migrate("redo")
            #expect(redo.exitCode == 2)
            #expect(
                redo.errors
                    == "mcp-registry: taking back 0002_users destroys\n  table users (0 rows)\nsay --yes if that is what you want\n"
            )
            let down = try await deployment.migrate("down", "--steps", "2")
            #expect(down.exitCode == 2 && down.output == "")
            #expect(
                down.errors.hasPrefix(
                    "mcp-registry: taking back 0002_users, 0001_catalog destroys\n  table users (0 rows)\n  table catalog_revision (1 rows)\n"
                )
            )
            #expect(try await deployment.migrate("status").output == status)
            let yes = try await deployment.migrate("down", "--steps", "2", "--yes")
            #expect(yes.exitCode == 0 && yes.output == "took back 2 migration(s)\n")
            #expect(yes.errors.hasPrefix("taking back 0002_users, 0001_catalog destroys\n"), "the log keeps it")
        }
    }

    // --dir

    @Test(
        "--dir takes the place of what is embedded, and what is embedded is what the tree holds",
        arguments: Engine.available
    )
    func dir(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.migrate("up").exitCode == 0)
            let verify = try await deployment.migrate("verify", "--dir", Self.tree)
            #expect(verify.exitCode == 0 && verify.output == "all applied migrations are as their files\n")
            let up = try await deployment.migrate("up", "--dir", Self.tree)
            #expect(up.output == "nothing to do: the schema is up to date\n")
            let dir = try deployment.folder.migrations(smallMigrations)
            let status = try await deployment.migrate("status", "--dir", dir)
            #expect(
                status.output.hasPrefix("0001  edited  a\n0002  edited  b\n0003  edited  c\n0004  unknown  audit\n")
            )
        }
    }

    @Test("a checkout with other line ends and byte order marks is the same", arguments: Engine.available)
    func lineEnds(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.migrate("up").exitCode == 0)
            let windows = BundledMigrations.files.map { file in
                (path: file.path, text: "\u{feff}" + file.text.replacing("\n", with: " \r\n"))
            }
            let dir = try deployment.folder.migrations(windows)
            #expect(try await deployment.migrate("verify", "--dir", dir).exitCode == 0)
            #expect(try await deployment.migrate("up", "--dir", dir).exitCode == 0)
        }
    }

    @Test("an older number is applied when --allow-out-of-order names it", arguments: Engine.available)
    func outOfOrder(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let dir = try deployment.folder.migrations(smallMigrations)
            #expect(try await deployment.migrate("up", "--dir", dir).exitCode == 0)
            try await deployment.withDatabase { database in
                try await database.execute("DROP TABLE b")
                try await database.execute("UPDATE schema_migrations SET state = 'reverted' WHERE version = 2")
            }
            let refused = try await deployment.migrate("up", "--dir", dir)
            #expect(refused.exitCode == 3 && refused.errors.contains("--allow-out-of-order 2\n"))
            let up = try await deployment.migrate("up", "--dir", dir, "--allow-out-of-order", "2")
            #expect(up.exitCode == 0 && up.output == "applied 1 migration(s)\n")
        }
    }

    @Test("repair accepts an edited file, and baseline tables from elsewhere", arguments: Engine.available)
    func decisions(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let dir = try deployment.folder.migrations(smallMigrations)
            #expect(try await deployment.migrate("up", "--to", "0", "--dir", dir).exitCode == 0)
            try await deployment.withDatabase { database in
                try await database.execute("CREATE TABLE a (id INT NOT NULL PRIMARY KEY)")
            }
            let missing = try await deployment.migrate("baseline", "--at", "2", "--dir", dir)
            #expect(missing.exitCode == 2 && missing.errors.hasSuffix("it lacks the table(s) b\n"))
            let baseline = try await deployment.migrate("baseline", "--at", "1", "--dir", dir)
            #expect(baseline.exitCode == 0 && baseline.output == "noted 1 migration(s) as applied\n")
            #expect(try await deployment.migrate("up", "--dir", dir).output == "applied 2 migration(s)\n")

            _ = try deployment.folder.migrations(
                smallMigrations.prefix(1).map { (path: $0.path, text: $0.text + "-- edited\n") }
            )
            #expect(try await deployment.migrate("up", "--dir", dir).exitCode == 3)
            let repair = try await deployment.migrate("repair", "--accept", "1", "--dir", dir)
            #expect(repair.exitCode == 0 && repair.output == "noted: migration 1 is as its files are now\n")
            #expect(try await deployment.migrate("up", "--dir", dir).exitCode == 0)
        }
    }

    // Which database.

    @Test(
        "MIGRATE_DATABASE_URL comes before DATABASE_URL for migrate only; options come before both",
        arguments: Engine.available
    )
    func databaseURL(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let folder = deployment.folder
            let other = ["MIGRATE_DATABASE_URL": "sqlite:///\(folder.path)/other.db"]
            #expect(try await deployment.migrate("up", settings: other).exitCode == 0)
            #expect(try folder.entries() == ["other.db"])
            let own = try await deployment.migrate("status", "--exit-code")
            #expect(own.exitCode == (engine == .sqlite ? 8 : 6), "nothing has come to DATABASE_URL")
            let serve = try await deployment.run("serve", settings: other)
            #expect(serve.exitCode == (engine == .sqlite ? 8 : 6), "serve has no use for the migrator's URL")

            let third = try await deployment.migrate(
                "up",
                "--database-url",
                "sqlite:///\(folder.path)/third.db",
                settings: other
            )
            #expect(third.exitCode == 0)
            let file = try folder.write("dsn", "sqlite:///\(folder.path)/fourth.db\n")
            #expect(try await deployment.migrate("up", "--dsn-file", file, settings: other).exitCode == 0)
            #expect(try folder.entries() == ["dsn", "fourth.db", "other.db", "third.db"])
            let both = try await deployment.migrate("up", "--dsn-file", file, "--database-url", "sqlite:///x.db")
            #expect(both.exitCode == 2)
            let inFile = ["MIGRATE_DATABASE_URL_FILE": try folder.write("url", deployment.databaseURL)]
            #expect(try await deployment.migrate("up", settings: inFile).exitCode == 0)
            #expect(try await deployment.migrate("status", "--exit-code").exitCode == 0)
        }
    }

    @Test("no command prints a password, whatever happens", arguments: [false, true])
    func passwords(_ json: Bool) async throws {
        try await TemporaryFolder.with { folder in
            let dir = try folder.migrations(smallMigrations)
            let commands = [
                ["up"], ["up", "--dry-run"], ["down", "--to", "0", "--yes"], ["redo", "--yes"], ["status"], ["plan"],
                ["verify"], ["dump"], ["diff"], ["lint"], ["new", "name", "--dir", dir],
                ["wait", "--db", "--timeout", "1"],
                ["baseline", "--at", "1"], ["resolve", "1", "--statement", "1", "--done"], ["repair", "--accept", "1"],
                ["unlock", "--owner", "x"],
            ]
            let urls = [
                "mysql://u:canary-1@127.0.0.1:1/d", "mysql://u:canary-1@127.0.0.1:x/d", "nosql://u:canary-1@h/d",
            ]
            for (index, command) in commands.enumerated() {
                let arguments = ["migrate"] + command + (json ? ["--json"] : [])
                // Each command meets the unreachable host, and one of the URLs that are wrong.
                for url in [urls[0], urls[1 + index % 2]] {
                    for key in ["DATABASE_URL", "MIGRATE_DATABASE_URL"].prefix(url == urls[0] ? 1 : 2) {
                        let ended = try await Program.run(arguments, in: folder, [key: url])
                        #expect(!(ended.output + ended.errors).contains("canary"), "\(arguments)")
                    }
                }
            }
            let file = try folder.write("dsn", urls[0])
            for command in ["up", "status"] {
                let ended = try await Program.run(["migrate", command, "--dsn-file", file], in: folder)
                #expect(ended.exitCode == 8 && !ended.errors.contains("canary"))
            }
        }
    }
}
