import DBDriver
import Registry
import TestSupport
import Testing

@Suite("Services")
struct ServiceTests {
    @Test("a service is listed with what was said about it, oldest first", arguments: Engine.available)
    func list(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService("zebra")
            try await fixture.addService("ant", requiresAuthorization: false, method: "Basic")
            let services = try await fixture.registry.services()
            #expect(services.map(\.name.rawValue) == ["zebra", "ant"])
            #expect(services[0].method == .bearer)
            #expect(services[1].method == .none, "no method without authorization")
            #expect(services[1].endpoint.rawValue == "https://ant.example/mcp")
            #expect(fixture.hook.count == 2)
        }
    }

    @Test("a tool keeps name, title, description, schemas and annotations", arguments: Engine.available)
    func tools(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let tool = OfferedTool(
                name: "order",
                title: "Order 🍕",
                description: "Orders",
                inputSchema: #"{"type":"object"}"#,
                outputSchema: #"{"type":"object","x":1}"#,
                annotations: #"{"readOnlyHint":true}"#
            )
            fixture.discovery.answer([.named("zz"), tool])
            try await fixture.addService()
            let tools = try await fixture.registry.tools(of: ServiceName("pizza"))
            #expect(tools.map(\.definition.name) == ["zz", "order"], "in the service's own order")
            #expect(tools.last?.definition == tool)
            #expect(try await fixture.registry.tools(of: ServiceName("nobody")).isEmpty)
        }
    }

    @Test("120 tools are stored, and each at most once", arguments: Engine.available)
    func manyTools(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer((0..<120).map { .named("tool\($0)") })
            try await fixture.addService()
            let tools = try await fixture.registry.tools(of: ServiceName("pizza"))
            #expect(tools.map(\.definition.name) == (0..<120).map { "tool\($0)" })
            #expect(Set(tools.map(\.id)).count == 120)
        }
    }

    @Test("a taken name or endpoint is a conflict that names it, and changes nothing", arguments: Engine.available)
    func taken(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            let name = try await failure { try await fixture.addService(endpoint: "https://other.example") }
            #expect(name == RegistryError(.conflict, "Service with name 'pizza' already exists"))
            let endpoint = try await failure {
                try await fixture.addService("other", endpoint: "https://pizza.example/mcp")
            }
            #expect(endpoint?.code == .conflict)
            #expect(endpoint?.message.contains("https://pizza.example/mcp") == true)
            #expect(try await fixture.count("services") == 1)
            #expect(fixture.discovery.calls.count == 1, "nobody is asked in vain")
        }
    }

    @Test(
        "an empty description is asked for, a blank one is kept, a missing one has a fallback",
        arguments: Engine.available
    )
    func descriptions(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([], description: "from the service")
            try await fixture.addService("a", description: "")
            try await fixture.addService("b", description: "   ")
            fixture.discovery.answer([])
            try await fixture.addService("c", description: "")
            let stored = try await fixture.registry.services().map(\.description)
            #expect(
                stored == ["from the service", "   ", "No description found, list tools to get more information"]
            )
            #expect(fixture.discovery.calls.map(\.wantsDescription) == [true, false, true])
        }
    }

    @Test("a service that can't be read is not registered, and the hook is not called", arguments: Engine.available)
    func unreadable(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.fail(.failed("no answer"))
            let error = try await failure { try await fixture.addService() }
            #expect(
                error == RegistryError(.upstream, "Failed to fetch tools from https://pizza.example/mcp: no answer")
            )
            #expect(try await fixture.count("services") == 0)
            #expect(try await fixture.count("audit_log") == 0)
            #expect(fixture.hook.count == 0)
        }
    }

    @Test(
        "a service that wants a credential is registered without tools, and read once it has one",
        arguments: Engine.available
    )
    func authorizationRequired(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.fail(.authorizationRequired(scheme: nil))
            let service = try await fixture.addService()
            #expect(service.status == .authorizationRequired)
            let refused = try await failure { _ = try await fixture.registry.refresh(service.name, by: .administrator) }
            #expect(refused?.code == .upstream)

            try await fixture.registry.storeDiscoveryCredential(
                NewToken("discovery-secret"),
                .bearer,
                for: service.name,
                by: .administrator
            )
            fixture.discovery.answer([.named("order")])
            #expect(try await fixture.registry.refresh(service.name, by: .administrator) == 1)
            #expect(fixture.discovery.calls.last?.token == "discovery-secret")
            #expect(try await fixture.registry.services().first?.status == .active)
        }
    }

    @Test("a refresh keeps the ids and roles of tools that remain", arguments: Engine.available)
    func refresh(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("keep"), .named("drop")])
            try await fixture.addService()
            try await fixture.createRole("r")
            let name = try ServiceName("pizza")
            for tool in try await fixture.registry.tools(of: name) {
                try await fixture.registry.attach(RoleName("r"), to: tool.id, by: .administrator)
            }
            let before = try await fixture.registry.tools(of: name)
            fixture.discovery.answer([.named("new"), .named("keep", "changed")])
            #expect(try await fixture.registry.refresh(name, by: .administrator) == 2)
            let after = try await fixture.registry.tools(of: name)
            #expect(after.map(\.definition.name) == ["new", "keep"])
            #expect(after.last?.id == before.first?.id)
            #expect(after.last?.roles == before.first?.roles)
            #expect(after.last?.definition.description == "changed")
            #expect(after.first?.roles == [])
        }
    }

    @Test("a failed refresh leaves the stored tools as they were", arguments: Engine.available)
    func failedRefresh(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("order")])
            try await fixture.addService()
            fixture.discovery.fail(.failed("no answer"))
            #expect(
                try await failure { _ = try await fixture.registry.refresh(ServiceName("pizza"), by: .administrator) }
                    != nil
            )
            #expect(try await fixture.registry.tools(of: ServiceName("pizza")).count == 1)
        }
    }

    @Test(
        "removing a service removes its tools, links and tokens, and an unknown one is an error",
        arguments: Engine.available
    )
    func remove(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer([.named("order")])
            try await fixture.addService()
            try await fixture.createRole("r")
            let name = try ServiceName("pizza")
            let tool = try #require(try await fixture.registry.tools(of: name).first)
            try await fixture.registry.attach(RoleName("r"), to: tool.id, by: .administrator)
            try await fixture.registry.store(NewToken("t"), for: UserID("u"), at: name, by: .administrator)
            try await fixture.registry.removeService(name, by: .administrator)
            for table in ["services", "tools", "tool_roles", "user_tokens"] as [SQL] {
                #expect(try await fixture.count(table) == 0, "\(table.text)")
            }
            let hooks = fixture.hook.count
            let again = try await failure { try await fixture.registry.removeService(name, by: .administrator) }
            #expect(again == RegistryError(.notFound, "Service with name 'pizza' not found"))
            #expect(fixture.hook.count == hooks)
        }
    }

    @Test("names that only look alike are different services", arguments: Engine.available)
    func lookAlikes(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            for (index, name) in ["cafe", "Cafe", "café", "cafe\u{301}", "ｃafe"].enumerated() {
                try await fixture.addService(name, endpoint: "https://\(index).example")
            }
            #expect(try await fixture.registry.services().count == 5)
        }
    }

    @Test("the longest values that are allowed can be stored", arguments: Engine.available)
    func longest(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let tool = OfferedTool(
                name: String(repeating: "t", count: 255),
                title: String(repeating: "🍕", count: 16_384),
                description: String(repeating: "🍕", count: 16_384),
                inputSchema: #"{"a":""# + String(repeating: "x", count: 131_000) + #""}"#
            )
            fixture.discovery.answer([tool])
            let endpoint = "https://pizza.example/" + String(repeating: "p", count: 2_048 - 22)
            let name = String(repeating: "🍕", count: 255)
            try await fixture.addService(
                name,
                endpoint: endpoint,
                description: String(repeating: "🍕", count: 16_384)
            )
            #expect(try await fixture.registry.tools(of: ServiceName(name)).first?.definition == tool)
            try await fixture.createRole(name, prompt: String(repeating: "🍕", count: 8_192))
            let token = String(repeating: "🍕", count: 4_096)
            try await fixture.registry.store(
                NewToken(token),
                for: UserID(name),
                at: ServiceName(name),
                by: .administrator
            )
            #expect(try await fixture.token(name, at: name) == token)
        }
    }
}
