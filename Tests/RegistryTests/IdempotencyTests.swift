import DBDriver
import Registry
import TestSupport
import Testing

/// A request that is sent again under the same key.
@Suite("Idempotency keys")
struct IdempotencyTests {
    /// Asks as an edge does.
    static func ask<T: Sendable>(
        _ registry: MCPRegistry,
        _ key: String,
        _ request: String,
        by principal: Principal = .administrator,
        _ body: () async throws -> T
    ) async throws -> (answer: T, isRepeated: Bool) {
        let request = try await registry.idempotentRequest(
            IdempotencyKey(key),
            for: Array(request.utf8),
            by: principal
        )
        let answer = try await IdempotentRequest.$current.withValue(request) { try await registry.perform(body) }
        return (answer, request.isRepeated)
    }

    static func createRole(_ registry: MCPRegistry, _ key: String, _ name: String) async throws -> Bool {
        try await ask(registry, key, "create \(name)") {
            try await registry.createRole(RoleName(name), SystemPrompt(""), by: .administrator)
        }.isRepeated
    }

    @Test("a change is made once, and answered the same through every instance", arguments: Engine.available)
    func once(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let instances = [fixture.registry, fixture.another(vault: nil)]
            #expect(try await !Self.createRole(instances[0], "k", "r"))
            for instance in instances { #expect(try await Self.createRole(instance, "k", "r")) }
            #expect(try await fixture.count("roles") == 1)
            #expect(try await fixture.count("audit_log") == 1)
            let other = try await failure { _ = try await Self.createRole(instances[1], "k2", "r") }
            #expect(other?.code == .conflict, "under another key it is another request")
        }
    }

    @Test("50 that send one request at once through two nodes have it done once", arguments: Engine.available)
    func race(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let results = try await ConcurrencyTests().race(fixture) { registry, _ in
                try await Self.createRole(registry, "k", "r")
            }
            for result in results {
                #expect(throws: Never.self) { try result.get() }
            }
            #expect(try await fixture.count("roles") == 1)
            #expect(try await fixture.count("audit_log") == 1)
            #expect(try await fixture.count("idempotency_keys") == 1)
        }
    }

    @Test("a request that finds its own first one done meanwhile gets that one's answer", arguments: Engine.available)
    func overtaken(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("a")])
            let key = try IdempotencyKey("k")
            // Both have looked before either was done.
            var requests: [IdempotentRequest] = []
            for _ in 0..<2 {
                requests.append(
                    try await fixture.registry.idempotentRequest(key, for: Array("add".utf8), by: .administrator)
                )
            }
            var added: [RegisteredService] = []
            for request in requests {
                added.append(
                    try await IdempotentRequest.$current.withValue(request) {
                        try await fixture.registry.perform { try await fixture.addService() }
                    }
                )
            }
            #expect(added.first == added.last)
            #expect(requests.map(\.isRepeated) == [false, true])
            #expect(try await fixture.count("services") == 1)
        }
    }

    @Test("that a service was changed meanwhile is no lasting answer", arguments: Engine.available)
    func changedMeanwhile(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("a")])
            try await fixture.addService()
            let gates = [Gate(), Gate()]
            fixture.discovery.wait(at: gates[0])
            let refresh = { @Sendable () async throws -> Int in
                try await Self.ask(fixture.registry, "k", "refresh") {
                    try await fixture.registry.refresh(ServiceName("pizza"), by: .administrator)
                }.answer
            }
            let asking = Task { try await refresh() }
            // It is overtaken each of the two times that it reads.
            for (number, gate) in gates.enumerated() {
                try await until { fixture.discovery.calls.count == 2 + number }
                fixture.discovery.wait(at: gates.last)
                try await fixture.database.write { session in
                    try session.execute("UPDATE services SET endpoint = \("https://moved-\(number).example")")
                }
                gate.open()
            }
            let error = try await failure { _ = try await asking.value }
            #expect(error?.code == .conflict)
            fixture.discovery.wait(at: nil)
            #expect(try await refresh() == 1)
        }
    }

    @Test("another request under the same key is a conflict and changes nothing", arguments: Engine.available)
    func anotherRequest(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            _ = try await Self.createRole(fixture.registry, "k", "r")
            let error = try await failure { _ = try await Self.createRole(fixture.registry, "k", "s") }
            #expect(error?.code == .conflict)
            #expect(error?.message.contains("Idempotency-Key") == true)
            #expect(try await fixture.count("roles") == 1)
        }
    }

    @Test("each caller has keys of its own", arguments: Engine.available)
    func callers(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            for name in ["ann", "bob"] {
                let asked = try await Self.ask(
                    fixture.registry,
                    "k",
                    "create \(name)",
                    by: Principal(name: name, scopes: [.administer])
                ) {
                    try await fixture.registry.createRole(RoleName(name), SystemPrompt(""), by: .administrator)
                }
                #expect(!asked.isRepeated)
            }
            #expect(try await fixture.count("roles") == 2)
        }
    }

    @Test("a failure of the request's own is told again, even when it would succeed now", arguments: Engine.available)
    func failures(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let remove = { @Sendable () async throws -> Bool in
                try await Self.ask(fixture.registry, "k", "remove r") {
                    try await fixture.registry.removeRole(RoleName("r"), by: .administrator)
                }.isRepeated
            }
            let first = try await failure { _ = try await remove() }
            #expect(first?.code == .notFound)
            try await fixture.createRole("r")
            let second = try await failure { _ = try await remove() }
            #expect(second == first)
            #expect(try await fixture.count("roles") == 1)
        }
    }

    @Test("a failure that passes is not kept", arguments: Engine.available)
    func passingFailures(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.fail(.failed("it is down"))
            let add = { @Sendable () async throws -> RegisteredService in
                try await Self.ask(fixture.registry, "k", "add pizza") { try await fixture.addService() }.answer
            }
            #expect(try await failure { _ = try await add() }?.code == .upstream)
            fixture.discovery.answer([.named("a")])
            let added = try await add()
            #expect(added.name.rawValue == "pizza")
        }
    }

    @Test("what was found at a service is not read again for the same answer", arguments: Engine.available)
    func discovery(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("a"), .named("b")])
            let added = try await Self.ask(fixture.registry, "k1", "add") { try await fixture.addService() }.answer
            let refresh = { @Sendable () async throws -> Int in
                try await Self.ask(fixture.registry, "k2", "refresh") {
                    try await fixture.registry.refresh(ServiceName("pizza"), by: .administrator)
                }.answer
            }
            let wish = try ServiceUpdate(
                endpoint: "https://new.example/mcp",
                description: nil,
                requiresAuthorization: nil,
                method: nil
            )
            let update = { @Sendable () async throws -> RegisteredService in
                try await Self.ask(fixture.registry, "k3", "update") {
                    try await fixture.registry.update(ServiceName("pizza"), wish, by: .administrator)
                }.answer.service
            }
            #expect(try await refresh() == 2)
            let updated = try await update()
            fixture.discovery.fail(.failed("it is down"))
            let calls = fixture.discovery.calls.count
            let again = try await Self.ask(fixture.registry, "k1", "add") { try await fixture.addService() }.answer
            #expect(again == added)
            #expect(try await refresh() == 2)
            #expect(try await update() == updated)
            #expect(fixture.discovery.calls.count == calls)
        }
    }

    @Test("that nothing waited for approval stays the answer when something waits later", arguments: Engine.available)
    func approval(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("a")])
            try await fixture.addService()
            let approve = { @Sendable () async throws -> [String] in
                try await Self.ask(fixture.registry, "k", "approve") {
                    try await fixture.registry.approveToolChanges(
                        of: ServiceName("pizza"),
                        tool: nil,
                        sha256: nil,
                        by: .administrator
                    )
                }.answer
            }
            #expect(try await approve() == [])
            fixture.discovery.answer([.named("a", "changed")])
            _ = try await fixture.registry.refresh(ServiceName("pizza"), by: .administrator)
            #expect(try await approve() == [])
            #expect(try await fixture.registry.toolChanges(of: nil).count == 1)
        }
    }

    @Test("neither key, request nor token can be read from what is kept", arguments: Engine.available)
    func secrets(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            _ = try await Self.ask(fixture.registry, "my-key", "store my-token") {
                try await fixture.registry.store(
                    NewToken("my-token"),
                    for: UserID("u"),
                    at: ServiceName("pizza"),
                    by: .administrator
                )
            }
            let kept = try await fixture.database.read { session in
                try session.rows("SELECT id, request_sha256, answer FROM idempotency_keys").map { "\($0)" }
            }
            #expect(kept.count == 1)
            #expect(!kept.joined().contains("my-"))
            #expect(try await fixture.token("u") == "my-token")
        }
    }

    @Test("what was kept for a day is forgotten, and only that", arguments: Engine.available)
    func forgetting(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            for number in 1...3 { _ = try await Self.createRole(fixture.registry, "k\(number)", "r\(number)") }
            let first = try await fixture.database.read { session in
                try session.row("SELECT id FROM idempotency_keys ORDER BY id LIMIT 1")?.get("id", as: String.self) ?? ""
            }
            let age = IdempotencyKey.keptFor + .seconds(1)
            let time = Timestamp.now() + (Duration.zero - age)
            try await fixture.database.write { session in
                try session.execute("UPDATE idempotency_keys SET created_at = \(time) WHERE id = \(first)")
            }
            #expect(try await fixture.registry.forgetOld() == 1)
            #expect(try await fixture.registry.forgetOld() == 0)
            #expect(try await fixture.count("idempotency_keys") == 2)
        }
    }

    @Test("keys are checked")
    func keys() throws {
        for text in ["a", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", String(repeating: "x", count: 255)] {
            #expect(throws: Never.self) { try IdempotencyKey(text) }
        }
        for text in ["", "a b", "ä", "a\n", String(repeating: "x", count: 256)] {
            #expect(throws: RegistryError.self) { try IdempotencyKey(text) }
        }
    }
}
