import Foundation
import TestSupport
import Testing

@testable import DBDriver
@testable import Server

@Suite("Migrations that are told to stop", .timeLimit(.minutes(5)))
struct MigrateStopTests {
    private static let slow = [
        (path: "0001_a/up.sql", text: "-- phase: expand\nCREATE TABLE a (id INT NOT NULL PRIMARY KEY);\n"),
        (path: "0001_a/down.sql", text: "DROP TABLE a;\n"),
        (
            path: "0002_b/up.sql",
            text: "-- phase: data\nINSERT INTO a SELECT SLEEP(3);\nINSERT INTO a SELECT 1;\n"
        ),
        (path: "0002_b/down.sql", text: "DELETE FROM a WHERE id < 2;\n"),
    ]

    @Test(
        "a signal lets the running statement end, frees the lock, and the next run goes on",
        arguments: Engine.servers
    )
    func signal(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let dir = try deployment.folder.migrations(Self.slow)
            let arguments = ["migrate", "up", "--dir", dir]
            try await Program.with(arguments, in: deployment.folder, deployment.settings) { program in
                _ = await program.errors.text { $0.range(of: "0002_b: statement 1 of 2: INSERT INTO a") }
                program.terminate()
                let ended = try await program.ended()
                #expect(ended.exitCode == 1)
                #expect(ended.errors.contains("told to stop: waiting for the running statement\n"))
                #expect(ended.errors.hasSuffix("stopped before the next statement: run the command again to go on\n"))
            }
            let status = try await deployment.migrate("status", "--dir", dir)
            #expect(status.output.contains("0002  failed  b (statement 1 of 2 done)\n"), "\(status.output)")
            #expect(!status.output.contains("locked by"))
            let up = try await deployment.migrate("up", "--lock-wait", "0", "--dir", dir)
            #expect(up.exitCode == 0, "\(up.errors)")
        }
    }

    @Test("looking at a SQLite file that may only be read works, and leaves its journal as it is")
    func readOnlyFile() async throws {
        try await TemporaryFolder.with { folder in
            let settings = ["DATABASE_URL": "sqlite:///./copy.db"]
            #expect(try await Program.run(["migrate", "up"], in: folder, settings).exitCode == 0)
            let file = folder.url.appending(path: "copy.db")
            let database = DatabaseConfiguration(engine: .sqlite(SQLiteConfiguration(path: file.path)))
            let connection = Connection(name: "journal", open: database.opener(.readWrite))
            try await connection.connect()
            try await connection.run { _ = try $0.execute(trustedText: "PRAGMA journal_mode = DELETE") }
            await connection.close()
            let before = try Data(contentsOf: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: file.path)
            for command in [
                ["status", "--exit-code"], ["verify"], ["plan"], ["dump"], ["diff"], ["wait", "--schema"],
            ] {
                let ended = try await Program.run(["migrate"] + command, in: folder, settings)
                #expect(ended.exitCode == 0, "\(command): \(ended.errors)")
            }
            #expect(try Data(contentsOf: file) == before)
            #expect(try folder.entries() == ["copy.db"])
        }
    }

    @Test("output that can't be written is an error")
    func fullDisk() async throws {
        try await TemporaryFolder.with { folder in
            let command = "exec '\(Program.executable.path)' migrate plan > /dev/full"
            let ended = try await Program.run(["-c", command], in: folder, executable: URL(filePath: "/bin/sh"))
            #expect(ended.exitCode == 1)
            #expect(ended.errors.hasPrefix("mcp-registry: standard output can't be written to"), "\(ended.errors)")
        }
    }
}
