import DBDriver
import Foundation
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("import-original", .timeLimit(.minutes(10)))
struct ImportOriginalTests {
    private static let bad = [
        OriginalRegistry.service(90, "ftp\u{202e}", "ftp://x.example"),
        OriginalRegistry.token(9_999, user: 8_888, "s1", "canary-orphan"),
    ]

    @Test("the report, for people and for programs", arguments: Engine.available)
    func report(_ engine: Engine) async throws {
        try await OriginalRegistry.with(engine, rows: OriginalRegistry.many(8) + Self.bad) { original in
            try await Deployment.with(engine) { deployment in
                _ = try await deployment.run("migrate", "up")
                let settings = ["IMPORT_FROM_URL": original.url]
                let dry = try await deployment.run("import-original", "--dry-run", settings: settings)
                #expect(try await deployment.count("encryption_keys") == 0, "not even the key is noted")
                let ended = try await deployment.run("import-original", settings: settings)
                #expect(dry.exitCode == 0 && dry.errors.hasSuffix("a dry run: nothing was written\n"))
                #expect(ended.exitCode == 0 && ended.output == dry.output, "\(ended.errors)")
                #expect(
                    ended.output == """
                                        in the original  brought over  here already  conflicts  not brought over
                        services                      5             4             0          0                 1
                        tools                       400           400             0          0                 0
                        roles                         3             3             0          0                 0
                        roles of tools              400           400             0          0                 0
                        users                         8             8             0          0                 0
                        roles of users                6             6             0          0                 0
                        tokens                        9             8             0          0                 1

                        Not brought over:
                          service 'ftp\\u{202e}' (row 90): endpoint must be a URL that begins with http:// or https://, such as https://pizza.example/mcp
                          token of user row 8888, service 's1' (row 9999): there is no user with the id 8888 in the original

                        """
                )
                #expect(ended.errors.contains("825 of 825 rows, tokens\n"))
                let strict = try await deployment.run("import-original", "--json", "--strict", settings: settings)
                #expect(strict.exitCode == 1)
                let json = try JSONValue.parse(strict.output)
                #expect(json["dry_run"] == false && json["is_complete"] == false)
                #expect(json["counts"]?["token"]?["present"] == 8 && json["counts"]?["token"]?["refused"] == 1)
                #expect(json["items"]?[0]?["name"] == "'ftp\u{202e}'" && json["items"]?[0]?["outcome"] == "refused")
                for text in [dry.output, dry.errors, ended.errors, strict.output, strict.errors] {
                    #expect(!text.contains("canary") && !text.contains(original.password ?? "canary"))
                }
            }
        }
    }

    @Test("a run that is killed and run again ends like one that was not", arguments: Engine.available)
    func killed(_ engine: Engine) async throws {
        try await OriginalRegistry.with(engine, rows: OriginalRegistry.many(3_000)) { original in
            let file = try await Deployment.imported(engine, original) { _ in }
            for table in ["tool_roles", "users", "user_tokens"] {
                let other = try await Deployment.imported(engine, original) { deployment in
                    let arguments = ["import-original", "--from", original.url]
                    try await Program.with(arguments, in: deployment.folder, deployment.settings) { program in
                        while try await deployment.count(table) == 0 { try #require(program.isRunning) }
                    }
                    let left = try await deployment.count(table)
                    #expect(left < (table == "tool_roles" ? 401 : 3_000) && left > 0, "\(left) of \(table)")
                }
                #expect(other == file, "killed in \(table)")
            }
        }
    }

    @Test("exit codes and what is said about them", arguments: Engine.available)
    func exitCodes(_ engine: Engine) async throws {
        try await OriginalRegistry.with(engine, rows: []) { original in
            try await Deployment.with(engine) { deployment in
                let settings = ["IMPORT_FROM_URL_FILE": try deployment.folder.write("from", original.url + "\n")]
                let early = try await deployment.run("import-original", settings: settings)
                #expect(
                    early.exitCode == (engine == .sqlite ? 8 : 6) && early.errors.contains("mcp-registry migrate up")
                )
                _ = try await deployment.run("migrate", "up", "--to", "1")
                #expect(try await deployment.run("import-original", settings: settings).exitCode == 6)
                _ = try await deployment.run("migrate", "up")
                #expect(try await deployment.run("import-original", settings: settings).exitCode == 0)

                let nowhere = try await deployment.run("import-original", "--json")
                #expect(nowhere.exitCode == 2)
                #expect(
                    nowhere.output
                        == #"{"error":"say where the original's database is: --from URL, --from-file FILE or IMPORT_FROM_URL","exit_code":2}"#
                        + "\n"
                )
                let twice = try await deployment.run("import-original", "--from", "sqlite:///x", "--from-file", "y")
                #expect(twice.exitCode == 2)
                let keyless = try await deployment.run(
                    "import-original",
                    settings: settings.merging(["REGISTRY_KEYRING": ""]) { $1 }
                )
                #expect(keyless.exitCode == 2 && keyless.errors.contains("no key ring is configured"))
                let key = Data(KeyRing.generateKey()).base64EncodedString()
                let ring = ["REGISTRY_KEYRING": #"{"active":3,"keys":{"3":"\#(key)"}}"#]
                let wrong = try await deployment.run(
                    "import-original",
                    "--dry-run",
                    settings: settings.merging(ring) { $1 }
                )
                #expect(wrong.exitCode == 2 && wrong.errors.contains("is not the key that this database knows"))
                let itself = try await deployment.run("import-original", "--from", deployment.databaseURL)
                #expect(itself.exitCode == 2 && itself.errors.contains("is none of the original registry's"))
                for url in ["mysql://u:canary@127.0.0.1:1/d", "sqlite:///nowhere.db"] {
                    let lost = try await deployment.run("import-original", "--from", url)
                    #expect(lost.exitCode == 8 && !lost.errors.contains("canary"), "\(lost.errors)")
                }
            }
        }
    }

    @Test("the file that is read stays as it is")
    func unchanged() async throws {
        try await OriginalRegistry.with(.sqlite, rows: OriginalRegistry.many(10)) { original in
            try await Deployment.with(.sqlite) { deployment in
                _ = try await deployment.run("migrate", "up")
                let path = String(original.url.dropFirst("sqlite:///".count))
                let folder = URL(filePath: path).deletingLastPathComponent()
                let bytes = FileManager.default.contents(atPath: path)
                #expect(try await deployment.run("import-original", "--from", original.url).exitCode == 0)
                #expect(FileManager.default.contents(atPath: path) == bytes)
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["test.db"])
            }
        }
    }
}

extension OriginalRegistry {
    /// Where it is, with its password.
    fileprivate var url: String { Deployment.url(of: configuration) }

    fileprivate var password: String? { URLComponents(string: url)?.password }
}

extension Deployment {
    /// What a finished import leaves behind, without ids and times: services, tools, roles, links, users, and opened tokens.
    fileprivate static func imported(
        _ engine: Engine,
        _ original: OriginalRegistry,
        _ before: @escaping @Sendable (Deployment) async throws -> Void
    ) async throws -> String {
        try await engine.withEmptyDatabase { configuration in
            try await TemporaryFolder.with { folder in
                let deployment = Deployment(folder: folder, databaseURL: url(of: configuration))
                _ = try await deployment.run("migrate", "up")
                try await before(deployment)
                let ended = try await deployment.run("import-original", "--strict", "--from", original.url)
                #expect(ended.exitCode == 0, "\(ended.output)\(ended.errors)")
                return try await deployment.contents()
            }
        }
    }

    fileprivate func count(_ table: String) async throws -> Int {
        try await withDatabase { database in
            try await database.read { session in
                let table = SQL(stringLiteral: table)
                return try session.row("SELECT COUNT(*) AS n FROM \(table)")?.get("n") ?? 0
            }
        }
    }

    private func contents() async throws -> String {
        let bytes = try #require(Data(base64Encoded: key))
        let vault = TokenVault(ring: try KeyRing(active: 3, keys: [3: Array(bytes)]))
        return try await withDatabase { database in
            let queries: [SQL] = [
                "SELECT name, endpoint, description, method_authorization, status, last_seen FROM services ORDER BY name",
                """
                SELECT s.name, t.name AS tool, t.description, t.input_schema, t.search_text, t.position, t.changed_at
                FROM tools t JOIN services s ON s.id = t.service_id ORDER BY s.name, t.name
                """,
                "SELECT name, default_system_prompt FROM roles ORDER BY name",
                "SELECT t.name, r.role_name FROM tool_roles r JOIN tools t ON t.id = r.tool_id ORDER BY t.name, r.role_name",
                "SELECT user_id, role_name FROM users ORDER BY user_id",
            ]
            var lines = try await database.read { session in
                try queries.flatMap { try session.rows($0).map(\.text) }
            }
            let registry = MCPRegistry(
                database: database,
                vault: vault,
                discovery: StubDiscovery(),
                hook: SilentHook(),
                logger: quietLogger
            )
            for number in 1...3_000 {
                let service = try ServiceName("s\(number % 4)")
                guard
                    case .token(let secret, _) = try await registry.access(
                        to: service,
                        for: UserID("user\(number)"),
                        by: .administrator
                    )
                else { continue }
                lines.append("user\(number): \(secret.revealText() ?? "")")
            }
            return lines.joined(separator: "\n")
        }
    }
}

private struct SilentHook: ChangeHook {
    func catalogChanged() {}
}
