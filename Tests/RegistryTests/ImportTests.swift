import DBDriver
import Registry
import TestSupport
import Testing

@Suite("Importing the original registry's database", .timeLimit(.minutes(10)))
struct ImportTests {
    private typealias Original = OriginalRegistry

    private static let good = [
        Original.service(1, "pizza", method: "Bearer"), Original.service(2, "weather", description: ""),
        Original.service(3, "Pizza", "http://10.0.0.7:9000/Mcp/", method: "Basic"),
        Original.tool(1, "pizza", "order", "Orders a pizza"), Original.tool(2, "weather", "today"),
        Original.tool(3, "pizza", "cancel"), Original.tool(4, "pizza", "Order", "Another"),
        Original.role(1, "guest", "You help hungry people."), Original.role(2, "Gäste-客"), Original.role(3, "Guest"),
        Original.link(1, tool: 1, role: 1), Original.link(2, tool: 1, role: 2), Original.link(3, tool: 2, role: 1),
        Original.user(1, "bob", role: 1), Original.user(2, "alice"), Original.user(3, "Bob", role: 3),
        Original.token(1, user: 1, "pizza", "canary-bob"), Original.token(2, user: 3, "Pizza", "canary-Bob"),
        Original.token(3, user: 2, "weather", "canary-alice"),
    ]

    /// Names that differ by their case only: a MariaDB with the original's collation has no such rows.
    private static func rows(_ engine: Engine) -> [String] {
        engine == .sqlite
            ? good
            : good.map {
                $0.replacing("'Pizza'", with: "'sushi'").replacing("'Bob'", with: "'carl'")
                    .replacing("'Guest'", with: "'cook'").replacing("'Order'", with: "'add'")
            }
    }

    @Test("everything good comes over, in the original's order", arguments: Engine.available, Engine.available)
    func everything(_ source: Engine, _ target: Engine) async throws {
        let isSQLite = source == .sqlite
        try await Original.with(source, rows: Self.rows(source)) { original in
            try await RegistryFixture.with(target) { fixture in
                let report = try await fixture.importing(original)
                #expect(report.isComplete, "\(report.items)")
                #expect(ImportReport.Kind.allCases.map { report.counts[$0]?.added } == [3, 4, 3, 3, 3, 2, 3])

                let services = try await fixture.registry.services()
                #expect(services.map(\.name.rawValue) == ["pizza", "weather", isSQLite ? "Pizza" : "sushi"])
                #expect(services.map(\.method) == [.bearer, .none, .basic])
                #expect(services.map(\.requiresAuthorization) == [true, false, true])
                #expect(services.map(\.description) == ["Orders", NewService.fallbackDescription, "Orders"])
                #expect(services[2].endpoint.rawValue == "http://10.0.0.7:9000/Mcp/")
                #expect(services.allSatisfy { $0.status == .active && $0.lastSeen == nil && $0.lastError == nil })

                let tools = try await fixture.registry.tools(of: ServiceName("pizza"))
                #expect(tools.map(\.definition.name) == ["order", "cancel", isSQLite ? "Order" : "add"])
                #expect(tools.map(\.definition.description) == ["Orders a pizza", "", "Another"])
                #expect(tools.map { $0.roles.map(\.rawValue) } == [["Gäste-客", "guest"].sorted(), [], []])
                #expect(tools.allSatisfy { $0.changedAt == nil })

                let roles = try await fixture.registry.roles()
                #expect(roles.map(\.name.rawValue) == ["guest", "Gäste-客", isSQLite ? "Guest" : "cook"])
                #expect(roles.map(\.defaultSystemPrompt) == ["You help hungry people.", "", ""])
                let users = try await fixture.registry.users()
                #expect(users.map(\.id.rawValue) == ["bob", "alice", isSQLite ? "Bob" : "carl"])
                #expect(users.map(\.role?.rawValue) == ["guest", nil, isSQLite ? "Guest" : "cook"])

                #expect(try await fixture.token("bob") == "canary-bob")
                #expect(
                    try await fixture.token(users[2].id.rawValue, at: services[2].name.rawValue) == "canary-Bob"
                )
                #expect(try await fixture.token("alice", at: "weather") == nil, "it needs none")
                #expect(try await fixture.count("user_tokens") == 3)
                let dump = try await fixture.dump()
                #expect(dump.contains("hungry people") && !dump.contains("canary"), "tokens are encrypted")
            }
        }
    }

    @Test("each batch is one audited change of the catalogue", arguments: Engine.available)
    func audit(_ engine: Engine) async throws {
        try await Original.with(.sqlite, rows: Original.many(1_200)) { original in
            try await RegistryFixture.with(engine) { fixture in
                let before = try await fixture.registry.catalogRevision()
                #expect(try await fixture.importing(original).isComplete)
                // Services with tools, roles, links, users, tokens.
                #expect(try await fixture.count("audit_log WHERE action = 'import'") == 1 + 1 + 1 + 3 + 3)
                #expect(try await fixture.count("audit_log WHERE actor <> 'import-original'") == 0)
                #expect(try await fixture.registry.catalogRevision() > before)
                #expect(fixture.hook.count == 9)
            }
        }
    }

    @Test("a second run adds nothing and writes nothing", arguments: Engine.available, Engine.available)
    func twice(_ source: Engine, _ target: Engine) async throws {
        try await Original.with(source, rows: Self.rows(source)) { original in
            try await RegistryFixture.with(target) { fixture in
                _ = try await fixture.importing(original)
                let before = try await fixture.dump()
                let report = try await fixture.importing(original)
                #expect(report.isComplete, "\(report.items)")
                #expect(ImportReport.Kind.allCases.map { report.counts[$0]?.present } == [3, 4, 3, 3, 3, 2, 3])
                #expect(ImportReport.Kind.allCases.allSatisfy { report.counts[$0]?.added == 0 })
                #expect(try await fixture.dump() == before)

                try await original.add(Original.user(9, "dora", role: 1))
                #expect(try await fixture.importing(original).counts[.user]?.added == 1, "it goes on with what is new")
            }
        }
    }

    @Test("a dry run reports the same and writes nothing", arguments: Engine.available, Engine.available)
    func dryRun(_ source: Engine, _ target: Engine) async throws {
        let bad = [Original.service(7, "ftp", "ftp://x.example"), Original.token(8, user: 99, "pizza", "canary")]
        try await Original.with(source, rows: Self.rows(source) + bad) { original in
            try await RegistryFixture.with(target) { fixture in
                let before = try await fixture.dump()
                let dry = try await fixture.importing(original, isDryRun: true)
                #expect(try await fixture.dump() == before)
                #expect(try await fixture.importing(original) == dry)
                #expect(dry.items.count == 2 && dry.counts[.token]?.added == 3)
            }
        }
    }

    @Test("what is here and different is reported and left alone", arguments: Engine.available)
    func conflicts(_ engine: Engine) async throws {
        let rows =
            Self.good + [
                Original.service(4, "other", method: "Bearer"), Original.tool(9, "other", "t"),
                Original.link(9, tool: 9, role: 1), Original.token(9, user: 1, "other", "canary"),
                Original.service(5, "taken", "https://held.example/mcp"),
            ]
        try await Original.with(.sqlite, rows: rows) { original in
            try await RegistryFixture.with(engine) { fixture in
                try await fixture.addService("pizza", description: "Mine")
                try await fixture.addService("other", endpoint: "https://elsewhere.example/mcp")
                try await fixture.addService("held")
                try await fixture.createRole("guest", prompt: "Mine")
                try await fixture.createRole("cook")
                try await fixture.registry.register(UserID("bob"), role: RoleName("cook"), by: .administrator)
                try await fixture.registry.store(
                    NewToken("mine"),
                    for: UserID("bob"),
                    at: ServiceName("pizza"),
                    by: .administrator
                )
                let report = try await fixture.importing(original)
                let conflicts = report.items.filter(\.isConflict).map { "\($0.kind) \($0.name): \($0.reason)" }
                #expect(
                    conflicts == [
                        "service 'pizza': the service here has another description",
                        "service 'other': a service of this name is here at another endpoint",
                        "service 'taken': its endpoint is registered here for service 'held'",
                        "role 'guest': the role here has another default system prompt",
                        "userRole user 'bob', role 'guest': the user has the role 'cook' here",
                        "token user 'bob', service 'pizza': the user has another token for it here",
                    ]
                )
                let refused = report.items.filter { !$0.isConflict }.map { "\($0.kind) \($0.row): \($0.reason)" }
                #expect(
                    refused == [
                        // 'pizza' was read here, and offers nothing.
                        "tool 1: its service was read here, and does not offer it",
                        "tool 3: its service was read here, and does not offer it",
                        "tool 4: its service was read here, and does not offer it",
                        "tool 9: its service could not be brought over",
                        "toolRole 1: its tool could not be brought over",
                        "toolRole 2: its tool could not be brought over",
                        "toolRole 9: its tool could not be brought over",
                        "token 9: its service could not be brought over",
                    ],
                    "no token follows its service to another address"
                )
                #expect(try await fixture.token("bob") == "mine")
                #expect(try await fixture.service("pizza")?.description == "Mine")
                #expect(try await fixture.registry.role(of: UserID("bob"), by: .administrator)?.rawValue == "cook")
                #expect(try await fixture.registry.systemPrompt(of: RoleName("guest")) == "Mine")
            }
        }
    }

    @Test("a token is known by the service it belongs to, however MariaDB let it be spelt")
    func lookAlikes() async throws {
        guard Engine.available.contains(.mariadb) else { return }
        for charset in ["utf8mb4", "latin1"] {
            let rows = [
                Original.service(1, "Pizzería", "https://pizza.example/mcp", method: "Bearer"),
                Original.tool(1, "PIZZERÍA", "order"), Original.user(1, "bob"),
                Original.token(1, user: 1, "pizzería", "canary-ñ"),
            ]
            try await Original.with(.mariadb, charset: charset, rows: rows) { original in
                try await RegistryFixture.with(.sqlite) { fixture in
                    let report = try await fixture.importing(original)
                    #expect(report.isComplete, "\(report.items)")
                    #expect(try await fixture.token("bob", at: "Pizzería") == "canary-ñ")
                    #expect(try await fixture.tools("Pizzería").keys.sorted() == ["order"])
                }
            }
        }
    }

    @Test("an older database, whose roles have no prompts", arguments: Engine.available)
    func withoutPrompts(_ engine: Engine) async throws {
        let rows = ["INSERT INTO mcp_roles VALUES (1, 'guest')", Original.user(1, "bob", role: 1)]
        try await Original.with(engine, hasPrompts: false, rows: rows) { original in
            try await RegistryFixture.with(.sqlite) { fixture in
                let report = try await fixture.importing(original)
                #expect(report.isComplete && report.counts[.role]?.added == 1)
                #expect(try await fixture.registry.roles().map(\.defaultSystemPrompt) == [""])
            }
        }
    }

    @Test("another program's database is refused, and a missing one too", arguments: Engine.available)
    func foreign(_ engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let error = try await failure { _ = try await OriginalDatabase(fixture.database) }
            #expect(error?.code == .invalid)
            #expect(
                error?.message
                    == "the database to import from is none of the original registry's: a table or a column is missing"
            )
        }
        var missing = DatabaseConfiguration(engine: .sqlite(SQLiteConfiguration(path: "/nonexistent/x.db")))
        missing.isReadOnly = true
        let database = Database(missing, logger: quietLogger)
        let error = try await failure { _ = try await OriginalDatabase(database) }
        await database.shutDown()
        #expect(error?.code == .unavailable)
    }

    @Test("nothing can be written to a database that is opened to be read only", arguments: Engine.available)
    func readOnly(_ engine: Engine) async throws {
        try await Original.with(engine, rows: Self.rows(engine)) { original in
            let database = Database(original.configuration, logger: quietLogger)
            let statement: SQL = "DELETE FROM mcp_users"
            await #expect(throws: DatabaseError.self) { try await database.write { try $0.execute(statement) } }
            await #expect(throws: DatabaseError.self) { try await database.read { try $0.execute(statement) } }
            let left = try await database.read { try $0.rows("SELECT id FROM mcp_users").count }
            #expect(left == 3)
            await database.shutDown()
        }
    }
}

extension RegistryFixture {
    /// Imports, and closes the original's database again.
    func importing(_ original: OriginalRegistry, isDryRun: Bool = false) async throws -> ImportReport {
        let database = Database(original.configuration, logger: quietLogger)
        do {
            let report = try await registry.importOriginal(try await OriginalDatabase(database), isDryRun: isDryRun)
            await database.shutDown()
            return report
        } catch {
            await database.shutDown()
            throw error
        }
    }

    /// Everything that the registry's tables hold, as text.
    func dump() async throws -> String {
        let queries: [SQL] = [
            "SELECT * FROM services ORDER BY id", "SELECT * FROM tools ORDER BY id",
            "SELECT * FROM roles ORDER BY name",
            "SELECT * FROM tool_roles ORDER BY tool_id, role_name", "SELECT * FROM users ORDER BY user_id",
            "SELECT * FROM user_tokens ORDER BY service_id, user_id", "SELECT * FROM audit_log ORDER BY operation_id",
            "SELECT * FROM catalog_revision", "SELECT * FROM encryption_keys", "SELECT * FROM tool_definitions",
        ]
        return try await database.read { session in
            try queries.map { try session.rows($0).map(\.text).joined(separator: "\n") }.joined(separator: "\n")
        }
    }
}
