import DBDriver
import TestSupport
import Testing

@testable import Registry

@Suite("Roles and users")
struct RoleTests {
    @Test("a role is created once, listed, given another prompt, and removed", arguments: Engine.available)
    func life(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.createRole("r1", prompt: "Be kind.")
            let again = try await failure { try await fixture.createRole("r1") }
            #expect(again == RegistryError(.conflict, "Role with name 'r1' already exists"))
            let role = try RoleName("r1")
            try await fixture.registry.setSystemPrompt(of: role, to: SystemPrompt("Be brief."), by: .administrator)
            #expect(try await fixture.registry.systemPrompt(of: role) == "Be brief.")
            try await fixture.registry.removeRole(role, by: .administrator)
            #expect(try await fixture.registry.roles().isEmpty)
            #expect(try await fixture.registry.systemPrompt(of: role) == "")
            let gone = try await failure { try await fixture.registry.removeRole(role, by: .administrator) }
            #expect(gone == RegistryError(.notFound, "Role r1 does not exist"))
            let unset = try await failure {
                try await fixture.registry.setSystemPrompt(of: role, to: SystemPrompt(""), by: .administrator)
            }
            #expect(unset == RegistryError(.notFound, "Role with name 'r1' not found"))
        }
    }

    @Test("the same prompt again is no error: matched rows count, not changed ones", arguments: Engine.available)
    func samePrompt(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.createRole("r", prompt: "p")
            for _ in 0..<2 {
                try await fixture.registry.setSystemPrompt(of: RoleName("r"), to: SystemPrompt("p"), by: .administrator)
            }
        }
    }

    @Test("attach and detach are idempotent, and check the role before the tool", arguments: Engine.available)
    func links(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("a"), .named("b")])
            try await fixture.addService()
            try await fixture.createRole("r")
            let registry = fixture.registry
            let role = try RoleName("r")
            let tool = try #require(try await registry.tools(of: ServiceName("pizza")).first)
            for _ in 0..<2 { try await registry.attach(role, to: tool.id, by: .administrator) }
            #expect(try await registry.tools(usableBy: role).map(\.definition.name) == ["a"])
            #expect(try await registry.tools(usableBy: role).first?.serviceName.rawValue == "pizza")
            #expect(try await registry.tools(of: ServiceName("pizza")).map(\.roles) == [[role], []])
            for _ in 0..<2 { try await registry.detach(role, from: tool.id, by: .administrator) }
            #expect(try await registry.tools(usableBy: role).isEmpty)

            let nothing = ToolID(rawValue: .max)
            let noTool = try await failure { try await registry.attach(role, to: nothing, by: .administrator) }
            #expect(noTool == RegistryError(.notFound, "Tool with id '9223372036854775807' not found"))
            let noRole = try await failure { try await registry.attach(RoleName("x"), to: nothing, by: .administrator) }
            #expect(noRole == RegistryError(.notFound, "Role with name 'x' not found"))
        }
    }

    @Test("the tools of several services are each told with their own roles, in order", arguments: Engine.available)
    func several(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("z"), .named("a")])
            for name in ["one", "two"] { try await fixture.addService(name) }
            for name in ["r", "q"] { try await fixture.createRole(name) }
            let (registry, one, two) = (fixture.registry, try ServiceName("one"), try ServiceName("two"))
            let first = try #require(try await registry.tools(of: one).first)
            for role in ["r", "q"] { try await registry.attach(RoleName(role), to: first.id, by: .administrator) }
            let last = try #require(try await registry.tools(of: two).last)
            try await registry.attach(RoleName("q"), to: last.id, by: .administrator)
            let services = [two, try ServiceName("none"), one, two]
            let found = try await fixture.database.read { try ToolTable.all(of: services, $0) }
            let told = found.map { $0.map { "\($0.serviceName) \($0.definition.name) \($0.roles)" } }
            let ofTwo = ["two z []", "two a [q]"]
            #expect(told == [ofTwo, [], ["one z [r, q]", "one a []"], ofTwo])
        }
    }

    @Test("removing a role takes it from its users and tools", arguments: Engine.available)
    func removal(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("a")])
            try await fixture.addService()
            try await fixture.createRole("r")
            let registry = fixture.registry
            let role = try RoleName("r")
            let tool = try #require(try await registry.tools(of: ServiceName("pizza")).first)
            try await registry.attach(role, to: tool.id, by: .administrator)
            try await registry.register(UserID("u"), role: role, by: .administrator)
            try await registry.removeRole(role, by: .administrator)
            #expect(try await registry.role(of: UserID("u"), by: .administrator) == nil)
            #expect(try await registry.tools(of: ServiceName("pizza")).first?.roles == [])
        }
    }

    @Test("a tool without roles is open to every known role only where that is configured", arguments: Engine.available)
    func toolsWithoutRoles(engine: Engine) async throws {
        for (choice, expected) in [(.denied, ["mine"]), (.allowed, ["free", "mine"])]
            as [(CatalogPolicy.ToolsWithoutRoles, [String])]
        {
            var policy = CatalogPolicy()
            policy.toolsWithoutRoles = choice
            try await RegistryFixture.with(engine, policy: policy) { fixture in
                fixture.discovery.answer([.named("free"), .named("mine"), .named("others")])
                try await fixture.addService()
                for role in ["me", "other"] { try await fixture.createRole(role) }
                let tools = try await fixture.registry.tools(of: ServiceName("pizza"))
                try await fixture.registry.attach(RoleName("me"), to: tools[1].id, by: .administrator)
                try await fixture.registry.attach(RoleName("other"), to: tools[2].id, by: .administrator)
                let usable = try await fixture.registry.tools(usableBy: RoleName("me"))
                #expect(usable.map(\.definition.name) == expected)
                #expect(try await fixture.registry.tools(usableBy: RoleName("nobody")).isEmpty)
            }
        }
    }

    @Test(
        "a user is registered by its first question, and keeps its role when registered again",
        arguments: Engine.available
    )
    func users(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let registry = fixture.registry
            let user = try UserID("u1")
            #expect(try await registry.role(of: user, by: .anonymous) == nil)
            #expect(try await registry.users().map(\.id) == [user])
            try await fixture.createRole("r1")
            try await registry.register(user, role: RoleName("r1"), by: .administrator)
            try await registry.register(user, role: nil, by: .administrator)
            #expect(try await registry.role(of: user, by: .anonymous)?.rawValue == "r1")
            let error = try await failure {
                try await registry.register(UserID("u2"), role: RoleName("nope"), by: .administrator)
            }
            #expect(error == RegistryError(.notFound, "Role with name 'nope' not found"))
            #expect(try await registry.users().count == 1, "nothing was stored")
        }
    }

    @Test("only the named role is taken away", arguments: Engine.available)
    func unassign(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let registry = fixture.registry
            for role in ["r1", "r2"] { try await fixture.createRole(role) }
            let user = try UserID("u")
            let missing = try await failure {
                try await registry.assign(RoleName("r1"), to: user, by: .administrator)
            }
            #expect(missing == RegistryError(.notFound, "User u does not exist"))
            try await registry.register(user, role: RoleName("r1"), by: .administrator)
            for (role, code) in [("r2", .conflict), ("nope", .notFound)] as [(String, RegistryError.Code)] {
                let error = try await failure {
                    try await registry.unassign(RoleName(role), from: user, by: .administrator)
                }
                #expect(error?.code == code)
                #expect(try await registry.role(of: user, by: .anonymous)?.rawValue == "r1")
            }
            try await registry.unassign(RoleName("r1"), from: user, by: .administrator)
            #expect(try await registry.role(of: user, by: .anonymous) == nil)
        }
    }
}
