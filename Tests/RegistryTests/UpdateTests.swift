import DBDriver
import TestSupport
import Testing

@testable import Registry

@Suite("Changing a service")
struct UpdateTests {
    private static let name = ServiceName(trusted: "pizza")
    private static let moved = "https://moved.example/mcp"

    /// A service with two tools, a user's token, a discovery credential and a role on its first tool.
    private static func with(_ engine: Engine, _ body: (RegistryFixture) async throws -> Void) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("order", "Orders."), .named("pay")])
            try await fixture.addService()
            try await fixture.createRole("guest")
            let order = try #require(try await fixture.tools()["order"])
            try await fixture.registry.attach(RoleName("guest"), to: order.id, by: .administrator)
            for user in ["u1", "u2"] {
                try await fixture.registry.store(NewToken("t"), for: UserID(user), at: name, by: .administrator)
            }
            try await fixture.registry.storeDiscoveryCredential(
                NewToken("own"),
                .bearer,
                for: name,
                by: .administrator
            )
            try await body(fixture)
        }
    }

    private static func update(
        _ fixture: RegistryFixture,
        endpoint: String? = nil,
        description: String? = nil,
        requiresAuthorization: Bool? = nil,
        method: String? = nil
    ) async throws -> ServiceUpdate.Outcome {
        let wish = try ServiceUpdate(
            endpoint: endpoint,
            description: description,
            requiresAuthorization: requiresAuthorization,
            method: method
        )
        return try await fixture.registry.update(name, wish, by: .administrator)
    }

    @Test(
        "another endpoint removes every stored token, says so, and never gets an old credential",
        arguments: Engine.available
    )
    func endpoint(engine: Engine) async throws {
        try await Self.with(engine) { fixture in
            let before = try await fixture.tools()
            fixture.discovery.answer([.named("order", "Orders."), .named("new")])
            let outcome = try await Self.update(fixture, endpoint: Self.moved)
            #expect(outcome.tokensRemoved == 2 && outcome.isDiscoveryCredentialRemoved)
            #expect(outcome.service.endpoint.rawValue == Self.moved && outcome.service.method == .bearer)
            #expect(fixture.discovery.calls.last?.endpoint.rawValue == Self.moved)
            #expect(fixture.discovery.calls.last?.token == nil)
            let after = try await fixture.tools()
            #expect(after["order"] == before["order"] && after.keys.sorted() == ["new", "order"])
            let access = try await failure { _ = try await fixture.token("u1") }
            #expect(access?.code == .unauthenticated)
            #expect(try await fixture.count("user_tokens") == 0)
            #expect(try await fixture.count("discovery_credentials") == 0)
            #expect(try await fixture.service()?.id == outcome.service.id)
        }
    }

    @Test("the same endpoint again removes nothing and asks nobody", arguments: Engine.available)
    func sameEndpoint(engine: Engine) async throws {
        try await Self.with(engine) { fixture in
            let outcome = try await Self.update(fixture, endpoint: "https://pizza.example/mcp", description: "New")
            #expect(outcome.tokensRemoved == 0 && outcome.service.description == "New")
            #expect(fixture.discovery.calls.count == 1)
            #expect(try await fixture.token("u1") == "t")
        }
    }

    @Test("an endpoint that can't be read or is taken changes nothing", arguments: Engine.available)
    func unreadable(engine: Engine) async throws {
        try await Self.with(engine) { fixture in
            try await fixture.addService("other", endpoint: "https://other.example/mcp")
            let before = try await fixture.registry.services()
            let taken = try await failure {
                _ = try await Self.update(fixture, endpoint: "https://other.example/mcp", description: "x")
            }
            #expect(taken?.code == .conflict)
            fixture.discovery.fail(.failed("no answer"))
            let unread = try await failure {
                _ = try await Self.update(fixture, endpoint: Self.moved, description: "x")
            }
            #expect(unread == RegistryError(.upstream, "Failed to fetch tools from \(Self.moved): no answer"))
            #expect(try await fixture.registry.services() == before)
            #expect(try await fixture.token("u1") == "t")
        }
    }

    @Test("an endpoint that wants a credential is taken, with the tools as they were", arguments: Engine.available)
    func authorizationRequired(engine: Engine) async throws {
        try await Self.with(engine) { fixture in
            fixture.discovery.fail(.authorizationRequired(scheme: nil))
            let outcome = try await Self.update(fixture, endpoint: Self.moved)
            #expect(outcome.service.status == .authorizationRequired && outcome.tokensRemoved == 2)
            #expect(try await fixture.tools().count == 2)
        }
    }

    @Test("description and authorization change alone, and tokens stay", arguments: Engine.available)
    func parts(engine: Engine) async throws {
        try await Self.with(engine) { fixture in
            #expect(try await Self.update(fixture, description: "Better").service.description == "Better")
            #expect(try await Self.update(fixture, method: "Basic").service.method == .basic)
            #expect(
                try await Self.update(fixture, requiresAuthorization: false).service.method == AuthorizationMethod.none
            )
            #expect(try await fixture.token("u1") == nil)
            let noMethod = try await failure { _ = try await Self.update(fixture, requiresAuthorization: true) }
            #expect(noMethod?.code == .invalid && noMethod?.message.contains("'Bearer'") == true)
            _ = try await Self.update(fixture, requiresAuthorization: true, method: "Bearer")
            #expect(try await fixture.token("u1") == "t")
            #expect(try await fixture.service()?.description == "Better")
            #expect(fixture.discovery.calls.count == 1)
        }
    }

    @Test("an empty description is asked for at once, with the stored credential", arguments: Engine.available)
    func description(engine: Engine) async throws {
        try await Self.with(engine) { fixture in
            fixture.discovery.answer([.named("order", "Orders.")], description: "Own words.")
            #expect(try await Self.update(fixture, description: "").service.description == "Own words.")
            #expect(fixture.discovery.calls.last?.wantsDescription == true)
            #expect(fixture.discovery.calls.last?.token == "own")
            #expect(try await fixture.token("u1") == "t")
            _ = try await Self.update(fixture, endpoint: Self.moved, description: "")
            #expect(fixture.discovery.calls.last?.wantsDescription == true)
        }
    }

    @Test("what breaks a rule is refused by name", arguments: Engine.available)
    func invalid(engine: Engine) async throws {
        try await Self.with(engine) { fixture in
            let refusals: [(RegistryError.Code, () async throws -> Void)] = [
                (.invalid, { _ = try await Self.update(fixture) }),
                (.invalid, { _ = try await Self.update(fixture, endpoint: "ftp://x") }),
                (.invalid, { _ = try await Self.update(fixture, method: "Digest") }),
                (.invalid, { _ = try await Self.update(fixture, description: String(repeating: "x", count: 16_385)) }),
                (
                    .notFound,
                    {
                        let wish = try ServiceUpdate(
                            endpoint: nil,
                            description: "x",
                            requiresAuthorization: nil,
                            method: nil
                        )
                        _ = try await fixture.registry.update(ServiceName("none"), wish, by: .administrator)
                    }
                ),
            ]
            for (code, body) in refusals {
                let refusal = try await failure(body)
                #expect(refusal?.code == code)
            }
        }
    }
}
