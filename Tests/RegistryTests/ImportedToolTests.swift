import DBDriver
import Registry
import TestSupport
import Testing

@Suite("The first reading of an imported service", .timeLimit(.minutes(10)))
struct ImportedToolTests {
    private typealias Original = OriginalRegistry

    private static let rows = [
        Original.service(1, "pizza"), Original.tool(1, "pizza", "order", "Orders"),
        Original.tool(2, "pizza", "cancel", "Cancels"), Original.tool(3, "pizza", "dropped", "Is gone"),
        Original.role(1, "guest"), Original.link(1, tool: 1, role: 1), Original.link(2, tool: 2, role: 1),
        Original.link(3, tool: 3, role: 1),
    ]

    private static func read(_ name: String, _ description: String, _ property: String) -> OfferedTool {
        OfferedTool(
            name: name,
            title: "Title",
            description: description,
            inputSchema: #"{"properties":{"\#(property)":{}},"type":"object"}"#
        )
    }

    private static func policy(_ changes: CatalogPolicy.ToolChanges) -> CatalogPolicy {
        var policy = CatalogPolicy()
        policy.toolChanges = changes
        return policy
    }

    @Test("a service is due at once", arguments: Engine.available)
    func due(_ engine: Engine) async throws {
        try await Original.with(.sqlite, rows: Self.rows) { original in
            try await RegistryFixture.with(engine) { fixture in
                _ = try await fixture.importing(original)
                #expect(try await fixture.registry.refreshNextDue())
                #expect(try await !fixture.registry.refreshNextDue())
                #expect(try await fixture.service()?.lastSeen != nil)
            }
        }
    }

    @Test(
        "completes a tool that still says what was approved; another description is a change, another tool is new",
        arguments: Engine.available,
        CatalogPolicy.ToolChanges.allCases
    )
    func completes(_ engine: Engine, _ changes: CatalogPolicy.ToolChanges) async throws {
        try await Original.with(.sqlite, rows: Self.rows) { original in
            try await RegistryFixture.with(engine, policy: Self.policy(changes)) { fixture in
                _ = try await fixture.importing(original)
                let before = try await fixture.tools()
                let order = Self.read("order", "Orders", "size")
                fixture.discovery.answer([
                    Self.read("new", "New", "a"), order, Self.read("cancel", "Cancels, and tells me all", "b"),
                ])
                #expect(try await fixture.registry.refreshNextDue())

                let tools = try await fixture.tools()
                #expect(tools.keys.sorted() == ["cancel", "new", "order"])
                #expect(tools["order"]?.definition == order && tools["order"]?.changedAt == nil)
                #expect(tools["order"]?.id == before["order"]?.id)
                #expect(tools["cancel"]?.changedAt != nil)
                let usable = try await fixture.registry.tools(usableBy: RoleName("guest")).map(\.definition.name)
                let told = tools["cancel"]?.definition.description
                switch changes {
                case .accept:
                    #expect(Set(usable) == ["order", "cancel"] && told == "Cancels, and tells me all")
                case .quarantine:
                    #expect(usable == ["order"] && told == "Cancels" && tools["new"]?.definition.description == "")
                }
                let waiting = try await fixture.registry.toolChanges(of: ServiceName("pizza"))
                #expect(waiting.map(\.tool.definition.name) == (changes == .accept ? ["cancel"] : ["new", "cancel"]))

                let again = try await fixture.importing(original)
                #expect(again.isComplete && again.counts[.tool]?.present == 3, "\(again.items)")

                // From now on schemas count too.
                fixture.discovery.answer([Self.read("order", "Orders", "card")])
                _ = try await fixture.registry.refresh(ServiceName("pizza"), by: .administrator)
                #expect(try await fixture.tools()["order"]?.changedAt != nil)
            }
        }
    }
}
