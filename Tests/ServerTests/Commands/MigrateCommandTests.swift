import Foundation
import MCP
import Migrations
import TestSupport
import Testing

@testable import Server

@Suite("migrate", .timeLimit(.minutes(5)))
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
            #expect(refused.exitCode == 2 && refused.errors.contains("down destroys data: say --yes"))
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

    @Test("a database that can't be reached has the exit code 8")
    func unreachable() async throws {
        try await TemporaryFolder.with { folder in
            for command in [["up"], ["status"], ["down", "--to", "0", "--yes"]] {
                let arguments = ["migrate"] + command + ["--database-url", "mysql://u@127.0.0.1:1/d"]
                let ended = try await Program.run(arguments, in: folder)
                #expect(ended.exitCode == 8 && ended.output == "")
            }
            let status = try await Program.run(["migrate", "status"], in: folder)
            #expect(status.exitCode == 8, "a status makes no database")
            #expect(try folder.entries() == [])
        }
    }
}
