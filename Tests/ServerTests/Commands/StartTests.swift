import Foundation
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("Starting the server", .timeLimit(.minutes(10)))
struct StartTests {
    /// A start that must fail with one line and leave nothing behind.
    private static func expectRefusal(
        _ arguments: [String],
        _ settings: [String: String],
        code: Int32,
        _ line: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await TemporaryFolder.with { folder in
            let ended = try await Program.run(arguments, in: folder, settings)
            #expect(ended.exitCode == code, sourceLocation: sourceLocation)
            #expect(ended.errors == "mcp-registry: \(line)\n", sourceLocation: sourceLocation)
            #expect(ended.output == "", sourceLocation: sourceLocation)
            #expect(try folder.entries() == [], sourceLocation: sourceLocation)
        }
    }

    private static let token = ["REGISTRY_ADMIN_TOKEN": "correct-horse-battery-staple"]
    private static let key = Data(KeyRing.generateKey()).base64EncodedString()
    private static let settings = token.merging(["REGISTRY_KEY": key]) { $1 }

    @Test("without an admin token it says how to set one")
    func withoutAdminToken() async throws {
        try await Self.expectRefusal(
            ["serve"],
            ["REGISTRY_KEY": Self.key],
            code: 2,
            "REGISTRY_ADMIN_TOKEN is not set: callers send it as 'Authorization: Bearer …'. "
                + "Set it (or REGISTRY_ADMIN_TOKEN_FILE), or use --dev on your own machine"
        )
    }

    @Test("without a key ring it says how to make one")
    func withoutKeyRing() async throws {
        try await Self.expectRefusal(
            ["serve"],
            Self.token,
            code: 2,
            "no key ring is configured: set REGISTRY_KEY (make one with: mcp-registry keys generate), REGISTRY_KEYRING, "
                + "or one of them with _FILE; --allow-no-tokens starts without"
        )
    }

    @Test("a development key is refused in production")
    func developmentKey() async throws {
        let ring = #"{"active":4000000000,"keys":{"4000000000":"\#(Self.key)"}}"#
        try await Self.expectRefusal(
            ["serve"],
            Self.token.merging(["REGISTRY_KEYRING": ring]) { $1 },
            code: 2,
            "the key ring holds a development key: make one for production"
        )
    }

    @Test("a malformed setting is named, wherever it stands")
    func malformed() async throws {
        let line = "MCP_PORT=80a is no whole number from 0 to 65535"
        try await Self.expectRefusal(["serve"], Self.settings.merging(["MCP_PORT": "80a"]) { $1 }, code: 2, line)
        try await Self.expectRefusal(["serve", "--port", "80a"], Self.settings, code: 2, line)
        try await Self.expectRefusal(["serve", "--dev", "--port", "80a"], [:], code: 2, line)
        try await Self.expectRefusal(
            ["serve"],
            Self.settings.merging(["DATABASE_URL": "postgresql://h/d"]) { $1 },
            code: 2,
            "DATABASE_URL names PostgreSQL, which is not supported: use MariaDB, MySQL or SQLite"
        )
    }

    @Test("--dev is for this machine and for SQLite only")
    func developmentElsewhere() async throws {
        try await Self.expectRefusal(
            ["serve", "--dev", "--host", "0.0.0.0"],
            [:],
            code: 2,
            "--dev has no access control and listens on loopback only, not on 0.0.0.0"
        )
        try await Self.expectRefusal(
            ["serve", "--dev"],
            ["MCP_HOST": "192.0.2.1"],
            code: 2,
            "--dev has no access control and listens on loopback only, not on 192.0.2.1"
        )
        try await Self.expectRefusal(
            ["serve", "--dev"],
            ["DATABASE_URL": "mysql://u:p@127.0.0.1/d"],
            code: 2,
            "--dev migrates its database by itself, and so works on SQLite only: unset DATABASE_URL, or serve without --dev"
        )
    }

    @Test("a missing database file is not made")
    func missingFile() async throws {
        try await TemporaryFolder.with { folder in
            let ended = try await Program.run(["serve"], in: folder, Self.settings)
            #expect(ended.exitCode == 8)
            #expect(ended.errors.hasPrefix("mcp-registry: the database ./dev.db can't be used: "))
            #expect(ended.errors.filter { $0 == "\n" }.count == 1)
            #expect(try folder.entries() == [])
        }
    }

    @Test("a database without the schema is left as it is", arguments: Engine.available)
    func withoutSchema(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            if engine == .sqlite {
                _ = FileManager.default.createFile(
                    atPath: String(deployment.databaseURL.dropFirst("sqlite:///".count)),
                    contents: nil
                )
            }
            for _ in 1...2 {
                let ended = try await deployment.run("serve")
                #expect(ended.exitCode == 6)
                #expect(ended.errors.hasSuffix(": the database has no schema yet; run: mcp-registry migrate up\n"))
                #expect(ended.errors.filter { $0 == "\n" }.count == 1)
                #expect(try deployment.folder.entries() == [])
            }
        }
    }

    @Test("a database that does not answer is named without its password")
    func unreachable() async throws {
        let url = "mysql://u:canary@127.0.0.1:1/d"
        try await TemporaryFolder.with { folder in
            let ended = try await Program.run(
                ["serve"],
                in: folder,
                Self.settings.merging(["DATABASE_URL": url]) { $1 }
            )
            #expect(ended.exitCode == 8)
            #expect(ended.errors.hasPrefix("mcp-registry: the database 127.0.0.1:1/d can't be used: "))
            #expect(!ended.errors.contains("canary"))
        }
    }

    @Test("wrong usage has the exit code 2")
    func usage() async throws {
        try await TemporaryFolder.with { folder in
            for arguments in [["serve", "--nope"], ["nope"], ["migrate", "down", "--to"], ["keys", "generate", "x"]] {
                let ended = try await Program.run(arguments, in: folder)
                #expect(ended.exitCode == 2, "\(arguments)")
                #expect(!ended.errors.isEmpty && ended.output == "")
            }
            for arguments in [["--help"], ["serve", "--help"], ["--version"]] {
                let ended = try await Program.run(arguments, in: folder)
                #expect(ended.exitCode == 0 && ended.errors == "" && !ended.output.isEmpty)
            }
        }
    }

    @Test("keys generate prints a new key each time")
    func keys() async throws {
        try await TemporaryFolder.with { folder in
            let keys = [
                try await Program.run(["keys", "generate"], in: folder).output,
                try await Program.run(["keys", "generate"], in: folder).output,
            ].map { Data(base64Encoded: $0.trimmingCharacters(in: .newlines))?.count }
            #expect(keys == [32, 32])
            let ring = try await Program.run(["keys", "generate", "--ring"], in: folder)
            #expect(try KeyRingSource.parse(ring.output, key: "").active == 1)
        }
    }
}
