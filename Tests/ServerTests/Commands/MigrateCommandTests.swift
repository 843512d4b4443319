import DBDriver
import Foundation
import MCP
import Migrations
import TestSupport
import Testing

@testable import Server

@Suite("migrate", .timeLimit(.minutes(10)))
struct MigrateCommandTests {
    private static let names = Set(BundledMigrations.files.map { $0.path.prefix { $0 != "/" } }).sorted()

    @Test("up, status and down", arguments: Engine.available)
    func lifecycle(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let count = Self.names.count
            for output in ["applied \(count) migration(s)\n", "nothing to do: the schema is up to date\n"] {
                let ended = try await deployment.run("migrate", "up")
                #expect(ended.exitCode == 0 && ended.output == output)
            }
            let status = try await deployment.run("migrate", "status")
            #expect(status.exitCode == 0)
            let lines =
                Self.names.map { "\($0.prefix(4))  applied  \($0.dropFirst(5))" } + ["the schema is up to date", ""]
            #expect(status.output == lines.joined(separator: "\n"))

            let refused = try await deployment.run("migrate", "down", "--to", "0")
            #expect(refused.exitCode == 2 && refused.errors.hasSuffix("\nsay --yes if that is what you want\n"))
            for output in ["took back \(count) migration(s)\n", "nothing to do\n"] {
                let ended = try await deployment.run("migrate", "down", "--to", "0", "--yes")
                #expect(ended.exitCode == 0 && ended.output == output)
            }
            let version = try await deployment.run("migrate", "up", "--to", "99")
            #expect(version.exitCode == 2)
            #expect(
                version.errors == "mcp-registry: there is no version 99: the versions are 0 (nothing) to \(count)\n"
            )
            let one = try await deployment.run("migrate", "up", "--to", "1")
            #expect(one.exitCode == 0 && one.output == "applied 1 migration(s)\n")
            #expect(one.errors.contains("\(Self.names[0]) up: done in "))
            #expect(try await deployment.run("serve").exitCode == 6)
        }
    }

    @Test("status --json is for programs", arguments: Engine.available)
    func json(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            _ = try await deployment.run("migrate", "up", "--to", "1")
            let status = try JSONValue.parse(try await deployment.run("migrate", "status", "--json").output)
            #expect(
                status["schema"]?.string
                    == "the schema is at version 1, this program needs \(Self.names.count); run: mcp-registry migrate up"
            )
            #expect(status["is_current"] == false && status["locked_by"] == .null)
            let migrations = try #require(status["migrations"]?.array)
            #expect(migrations.map { $0["name"]?.string } == Self.names.map { String($0.dropFirst(5)) })
            #expect(
                migrations.map { $0["state"]?.string } == ["applied"] + Self.names.dropFirst().map { _ in "pending" }
            )
            #expect(migrations[0]["app_version"]?.string == Version.current)
        }
    }

    @Test("wait ends when another process has brought the schema up to date", arguments: Engine.available)
    func waitForSchema(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            #expect(try await deployment.migrate("up", "--to", "1").exitCode == 0)
            let arguments = ["migrate", "wait", "--schema"]
            try await Program.with(arguments, in: deployment.folder, deployment.settings) { waiting in
                // It would have looked by the time that another process has done so.
                #expect(try await deployment.migrate("wait", "--schema", "--timeout", "1").exitCode == 7)
                #expect(waiting.isRunning && waiting.output.soFar == "")
                #expect(try await deployment.migrate("up").exitCode == 0)
                let ended = try await waiting.ended()
                #expect(
                    ended.exitCode == 0 && ended.output == "the schema is one that this program can work with\n"
                        && ended.errors == ""
                )
            }
        }
    }

    @Test("wait ends when the database has come to be", arguments: Engine.available)
    func waitForDatabase(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            // A SQLite file is made by up; a database on a server by whoever may.
            let later = engine == .sqlite ? deployment.databaseURL : deployment.databaseURL + "_later"
            let settings = ["DATABASE_URL": later]
            try await Program.with(["migrate", "wait", "--db"], in: deployment.folder, settings) { waiting in
                let early = try await deployment.migrate("wait", "--db", "--timeout", "1", settings: settings)
                #expect(early.exitCode == 7 && early.errors.hasPrefix("mcp-registry: waited in vain: "))
                #expect(waiting.isRunning && waiting.output.soFar == "")
                switch engine {
                case .sqlite: #expect(try await deployment.migrate("up").exitCode == 0)
                case .mariadb, .galera, .mysql:
                    try await deployment.withDatabase { try await $0.execute("CREATE DATABASE \($0.later)") }
                }
                let ended = try await waiting.ended()
                #expect(ended.exitCode == 0 && ended.output == "the database answers\n" && ended.errors == "")
            }
            guard engine != .sqlite else { return }
            try await deployment.withDatabase { try await $0.execute("DROP DATABASE \($0.later)") }
        }
    }

    @Test(
        "of two runs at once one waits for the other, and each migration is applied once",
        arguments: Engine.available
    )
    func two(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let dir = try deployment.folder.migrations(smallMigrations)
            #expect(try await deployment.migrate("up", "--to", "0", "--dir", dir).exitCode == 0)
            // A third one holds both up until they have begun.
            try await deployment.withDatabase { database in
                try await database.execute(
                    "UPDATE migration_lock SET owner = 'o-1', holder = 'host-9', expires_at = 9000000000000000"
                )
            }
            let (up, folder, settings) = (["migrate", "up", "--dir", dir], deployment.folder, deployment.settings)
            try await Program.with(up, in: folder, settings) { first in
                try await Program.with(up, in: folder, settings) { second in
                    for program in [first, second] {
                        #expect(await program.errors.text { $0.range(of: "waiting for host-9") } != nil)
                    }
                    #expect(try await deployment.migrate("unlock", "--owner", "o-1").exitCode == 0)
                    let ends = [try await first.ended(), try await second.ended()]
                    #expect(ends.map(\.exitCode) == [0, 0], "\(ends.map(\.errors))")
                    let outputs = ["applied 3 migration(s)\n", "nothing to do: the schema is up to date\n"]
                    #expect(ends.map(\.output).sorted() == outputs)
                }
            }
            try await deployment.withDatabase { database in
                let attempts = try await database.read { session in
                    try session.rows("SELECT version, outcome FROM schema_migration_log ORDER BY version").map { row in
                        "\(try row.get("version", as: Int.self)) \(try row.get("outcome", as: String.self))"
                    }
                }
                #expect(attempts == ["1 done", "2 done", "3 done"])
            }
        }
    }

    @Test("new makes the files of the next migration, which lint finds clean once they have a statement")
    func new() async throws {
        try await TemporaryFolder.with { folder in
            func migrate(_ arguments: String...) async throws -> Program.Ended {
                try await Program.run(["migrate"] + arguments, in: folder)
            }
            let missing = try await migrate("new", "user_notes")
            #expect(missing.exitCode == 2 && missing.errors.contains("there is no such folder"))
            _ = try folder.migrations([], in: "Migrations")
            for (version, name) in [("0001", "user_notes"), ("0002", "more_notes")] {
                let new = try await migrate("new", name)
                #expect(new.exitCode == 0, "\(new.errors)")
                let files = ["up.mysql", "down.mysql", "up.sqlite", "down.sqlite"].map {
                    "Migrations/\(version)_\(name)/\($0).sql"
                }
                #expect(new.output == files.map { $0 + "\n" }.joined())
                let draft = try await migrate("lint", "--dir", "Migrations")
                #expect(draft.exitCode == 1 && draft.errors.contains("there is no statement in this file"))
                #expect(try await migrate("new", "next").exitCode == 1, "one draft at a time")
                for file in files {
                    let mysql = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
                    let table =
                        "CREATE TABLE \(name) (id INT NOT NULL PRIMARY KEY)" + (file.contains("mysql") ? mysql : "")
                    let statement = file.contains("/up.") ? table : "DROP TABLE \(name)"
                    _ = try folder.write(file, try folder.text(file) + statement + ";\n")
                }
                let lint = try await migrate("lint", "--strict", "--dir", "Migrations")
                #expect(
                    lint.exitCode == 0 && lint.output == "0 error(s), 0 warning(s)\n",
                    "\(lint.output)\(lint.errors)"
                )
            }
            for name in ["Upper", "a-b", "", "../x", "a__b"] {
                #expect(try await migrate("new", name).exitCode == 1, "\(name)")
            }
            #expect(try folder.entries() == ["Migrations"])
            let up = ["migrate", "up", "--dir", "Migrations"]
            #expect(try await Program.run(up, in: folder).output == "applied 2 migration(s)\n")
        }
    }

    @Test("the bundled migrations have no lint errors")
    func lint() async throws {
        try await TemporaryFolder.with { folder in
            let ended = try await Program.run(["migrate", "lint"], in: folder)
            #expect(ended.exitCode == 0 && ended.output.contains("0 error(s), "), "\(ended.output)")
        }
    }
}

extension Database {
    /// The name of a database beside this one that does not exist yet.
    fileprivate var later: String {
        guard case .mysql(let mysql) = configuration.engine else { return "" }
        return mysql.database + "_later"
    }
}
