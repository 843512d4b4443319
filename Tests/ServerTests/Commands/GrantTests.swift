import DBDriver
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import Server

/// The users of docs/migrations.md, made by its own statements under other names.
private struct DocumentedUsers {
    let password = UUID().uuidString
    let server: String
    let migrator: String
    private let database: MySQLConfiguration

    init(_ url: String) throws {
        guard case .mysql(let mysql) = try DatabaseConfiguration(url: url).engine else { throw NoServer() }
        database = mysql
        // MySQL allows 32 characters.
        let suffix = UUID().uuidString.prefix(8).lowercased()
        (server, migrator) = ("registry_\(suffix)", "registry_migrate_\(suffix)")
    }

    /// What the page says, for this database. In a GRANT a name's `_` is a wildcard, unless it is escaped.
    func statements() throws -> [String] {
        let file = URL(filePath: #filePath).appending(path: "../../../../docs/migrations.md").standardized
        let page = try String(contentsOf: file, encoding: .utf8)
        let block = try #require(page.firstMatch(of: /```sql\n((?s).*?)```/)?.1)
        return block.replacing(/--.*/, with: "").split(separator: ";").map { statement in
            statement.trimmingCharacters(in: .whitespacesAndNewlines)
                .replacing("'registry'", with: "'\(server)'")
                .replacing("'registry_migrate'", with: "'\(migrator)'")
                .replacing(#"`registry\_replay\_%`"#, with: #"`\#(escaped(database.database.prefix(40)))\_replay\_%`"#)
                .replacing(" registry.*", with: " `\(escaped(database.database[...]))`.*")
                .replacing("'…'", with: "'\(password)'")
        }.filter { !$0.isEmpty }
    }

    private func escaped(_ name: Substring) -> String { String(name).replacing("_", with: #"\_"#) }

    func url(_ user: String) -> String {
        let hosts = database.hosts.map { "\($0.name):\($0.port)" }.joined(separator: ",")
        return "mysql://\(user):\(password)@\(hosts)/\(database.database)"
    }
}

@Suite("Rights of database users", .timeLimit(.minutes(10)))
struct GrantTests {
    @Test(
        "the users that the documentation makes can do what servers and migrations need, and a server's user no more",
        arguments: Engine.servers
    )
    func leastRights(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let users = try DocumentedUsers(deployment.databaseURL)
            let statements = try users.statements()
            #expect(statements.count == 5)
            try await deployment.withDatabase { database in
                do {
                    for statement in statements { try await database.execute(statement) }
                    try await check(deployment, users)
                } catch {
                    Issue.record(error)
                }
                for user in [users.server, users.migrator] {
                    try await database.execute("DROP USER IF EXISTS '\(user)'@'%'")
                }
            }
        }
    }

    private func check(_ deployment: Deployment, _ users: DocumentedUsers) async throws {
        let settings = [
            "DATABASE_URL": users.url(users.server), "MIGRATE_DATABASE_URL": users.url(users.migrator),
        ]
        for arguments in [
            ["up", "--to", "8"], ["up"], ["status", "--exit-code"], ["verify"], ["plan"], ["dump"], ["diff"],
            ["down", "--to", "0", "--yes"], ["up"],
        ] {
            let ended = try await Program.run(
                ["migrate"] + arguments,
                in: deployment.folder,
                deployment.settings.merging(settings) { $1 }
            )
            #expect(ended.exitCode == 0, "\(arguments): \(ended.errors)")
        }
        try await deployment.serve(settings: settings) { _, server in
            try await server.send("GET", "/ready").expect(#"{"status":"ready"}"#)
            try await server.done("create_role", #"{"role_name":"level","default_system_prompt":"p"}"#)
            try await server.expect(
                "/register_user",
                #"{"user_id":"u","role_name":"level"}"#,
                answers: #"{"status":"user registered"}"#
            )
            try await server.expect("find_tools", #"{"query":"x"}"#, lists: "[]")
            try await server.expect("list_services", lists: "[]")
        }
        let back = try await deployment.migrate("down", "--steps", "1", "--yes", settings: settings)
        #expect(back.exitCode == 0)
        let byServer = ["DATABASE_URL": users.url(users.server)]
        let before = try await deployment.migrate("dump", settings: byServer)
        for arguments in [["up"], ["down", "--to", "0", "--yes"]] {
            let ended = try await Program.run(
                ["migrate"] + arguments,
                in: deployment.folder,
                deployment.settings.merging(byServer) { $1 }
            )
            #expect(ended.exitCode != 0 && ended.errors.contains("command denied"), "\(arguments): \(ended.errors)")
            #expect(!ended.errors.contains(users.password))
        }
        #expect(try await deployment.migrate("dump", settings: byServer).output == before.output)
    }
}
