import DBDriver
import Registry
import TestSupport
import Testing

/// What the original kept by doing one thing at a time, and many instances have to keep themselves.
@Suite("Simultaneous requests")
struct ConcurrencyTests {
    static let writers = 50

    /// Runs the body as many writers at once; half of them through another instance, and that through another node of a
    /// cluster. On a cluster each write that meets another node's is run again, and how soon all are through depends on
    /// the machine: these instances have the patience for a slow one.
    func race<T: Sendable>(
        _ fixture: RegistryFixture,
        _ body: @escaping @Sendable (MCPRegistry, Int) async throws -> T
    ) async throws -> [Result<T, any Error>] {
        let vault = TokenVault(ring: try .single(Array(repeating: 7, count: 32)))
        var configuration = fixture.database.configuration
        configuration.operationTimeout = .seconds(60)
        let databases = [configuration, configuration.throughNode(1)].map { Database($0, logger: quietLogger) }
        let instances = databases.map { fixture.another(vault: vault, database: $0) }
        let results = await withTaskGroup(of: Result<T, any Error>.self) { group in
            for index in 0..<Self.writers {
                group.addTask {
                    do {
                        return .success(try await body(instances[index % 2], index))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for database in databases { await database.shutDown() }
        return results
    }

    func codes<T>(_ results: [Result<T, any Error>]) -> [RegistryError.Code?: Int] {
        results.reduce(into: [:]) { counts, result in
            if case .failure(let error) = result { counts[(error as? RegistryError)?.code, default: 0] += 1 }
        }
    }

    @Test(
        "of 50 that add one service, one succeeds and 49 are told that the name is taken",
        arguments: Engine.available
    )
    func addService(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("a"), .named("b")])
            let results = try await race(fixture) { registry, _ in
                let new = try NewService(
                    name: "pizza",
                    endpoint: "https://pizza.example",
                    description: "d",
                    requiresAuthorization: false,
                    method: ""
                )
                return try await registry.add(new, by: .administrator)
            }
            #expect(codes(results) == [.conflict: 49])
            #expect(try await fixture.count("services") == 1)
            #expect(try await fixture.count("tools") == 2)
            #expect(try await fixture.count("audit_log") == 1)
        }
    }

    @Test("50 first questions about one user all succeed and register it once", arguments: Engine.available)
    func firstQuestion(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let results = try await race(fixture) { registry, _ in
                try await registry.role(of: UserID("u"), by: .anonymous)
            }
            #expect(codes(results).isEmpty)
            #expect(try await fixture.count("users") == 1)
        }
    }

    @Test("50 that store one user's token all succeed, and one of their tokens is stored", arguments: Engine.available)
    func storeToken(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            let results = try await race(fixture) { registry, index in
                try await registry.store(
                    NewToken("token-\(index)"),
                    for: UserID("u"),
                    at: ServiceName("pizza"),
                    by: .anonymous
                )
            }
            #expect(codes(results).isEmpty)
            #expect(try await fixture.count("user_tokens") == 1)
            let reader = fixture.another(vault: TokenVault(ring: try .single(Array(repeating: 7, count: 32))))
            guard
                case .token(let secret, _) = try await reader.access(
                    to: ServiceName("pizza"),
                    for: UserID("u"),
                    by: .administrator
                )
            else {
                Issue.record("no token")
                return
            }
            #expect((0..<Self.writers).map { "token-\($0)" }.contains(secret.revealText()))
        }
    }

    @Test(
        "50 different changes of the catalogue all happen, each with its audit row and its revision",
        arguments: Engine.available
    )
    func differentChanges(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let before = try await fixture.registry.catalogRevision()
            let results = try await race(fixture) { registry, index in
                try await registry.createRole(RoleName("r\(index)"), SystemPrompt(""), by: .administrator)
            }
            #expect(codes(results).isEmpty)
            #expect(try await fixture.registry.roles().count == 50)
            #expect(try await fixture.count("audit_log") == 50)
            #expect(try await fixture.registry.catalogRevision() > before)
        }
    }

    @Test("attaching, detaching and removing at once leaves no link without its role", arguments: Engine.available)
    func mixedChanges(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("a")])
            try await fixture.addService()
            try await fixture.createRole("r")
            let tool = try #require(try await fixture.registry.tools(of: ServiceName("pizza")).first).id
            let results = try await race(fixture) { registry, index in
                let role = try RoleName("r")
                switch index % 5 {
                case 0: try await registry.removeRole(role, by: .administrator)
                case 1: try await registry.createRole(role, SystemPrompt(""), by: .administrator)
                case 2: try await registry.detach(role, from: tool, by: .administrator)
                case 3: try await registry.register(UserID("u\(index)"), role: role, by: .administrator)
                default: try await registry.attach(role, to: tool, by: .administrator)
                }
            }
            #expect(Set(codes(results).keys).isSubset(of: [.notFound, .conflict]), "\(codes(results))")
            let roles = Set(try await fixture.registry.roles().map(\.name))
            for linked in try await fixture.registry.tools(of: ServiceName("pizza")).flatMap(\.roles) {
                #expect(roles.contains(linked))
            }
            for user in try await fixture.registry.users() { #expect(user.role.map(roles.contains) ?? true) }
        }
    }

    @Test(
        "storing tokens while the service comes and goes leaves none without its service",
        arguments: Engine.available
    )
    func tokensOfPassingServices(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let results = try await race(fixture) { registry, index in
                let name = try ServiceName("pizza")
                let new = try NewService(
                    name: "pizza",
                    endpoint: "https://pizza.example",
                    description: "d",
                    requiresAuthorization: true,
                    method: "Bearer"
                )
                switch index % 5 {
                case 0: _ = try await registry.add(new, by: .administrator)
                case 1: try await registry.removeService(name, by: .administrator)
                default: try await registry.store(NewToken("t"), for: UserID("u\(index)"), at: name, by: .anonymous)
                }
            }
            #expect(Set(codes(results).keys).isSubset(of: [.notFound, .conflict]), "\(codes(results))")
            let lost = try await fixture.count("user_tokens WHERE service_id NOT IN (SELECT id FROM services)")
            #expect(lost == 0)
        }
    }

    @Test("what one instance writes the other answers at once", arguments: Engine.available)
    func readYourWrites(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let other = fixture.another(vault: nil)
            for index in 0..<20 {
                try await fixture.createRole("r\(index)", prompt: "p\(index)")
                #expect(try await other.systemPrompt(of: RoleName("r\(index)")) == "p\(index)")
            }
        }
    }
}
