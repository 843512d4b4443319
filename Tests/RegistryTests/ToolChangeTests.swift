import DBDriver
import TestSupport
import Testing

@testable import Registry

@Suite("Changed tools and their approval")
struct ToolChangeTests {
    private static func with(
        _ engine: Engine,
        _ changes: CatalogPolicy.ToolChanges,
        _ body: (RegistryFixture) async throws -> Void
    ) async throws {
        var policy = CatalogPolicy()
        policy.toolChanges = changes
        try await RegistryFixture.with(engine, policy: policy) { fixture in
            fixture.discovery.answer([.named("order", "Orders pizza."), .named("pay", "Pays.")])
            try await fixture.addService()
            try await fixture.createRole("guest")
            for tool in try await fixture.tools().values {
                try await fixture.registry.attach(RoleName("guest"), to: tool.id, by: .administrator)
            }
            try await body(fixture)
        }
    }

    private static func refresh(_ fixture: RegistryFixture, _ tools: [OfferedTool]) async throws {
        fixture.discovery.answer(tools)
        _ = try await fixture.registry.refresh(ServiceName("pizza"), by: .administrator)
    }

    private static func usable(_ fixture: RegistryFixture) async throws -> [String] {
        try await fixture.registry.tools(usableBy: RoleName("guest")).map(\.definition.description).sorted()
    }

    private static func approve(
        _ fixture: RegistryFixture,
        _ tool: String? = nil,
        sha256: String? = nil
    ) async throws -> [String] {
        try await fixture.registry.approveToolChanges(
            of: ServiceName("pizza"),
            tool: tool,
            sha256: sha256,
            by: Principal(name: "ann", scopes: [.administer])
        )
    }

    @Test("a service that was just added has nothing to approve", arguments: Engine.available)
    func added(engine: Engine) async throws {
        for changes in CatalogPolicy.ToolChanges.allCases {
            try await Self.with(engine, changes) { fixture in
                let open = try await fixture.registry.toolChanges(of: nil)
                #expect(open.isEmpty)
                #expect(try await Self.usable(fixture).count == 2)
            }
        }
    }

    @Test(
        "accept: roles keep the tool and get the new text; the change is shown until it is approved",
        arguments: Engine.available
    )
    func accept(engine: Engine) async throws {
        try await Self.with(engine, .accept) { fixture in
            try await Self.refresh(fixture, [.named("order", "Steals pizza."), .named("pay", "Pays.")])
            #expect(try await Self.usable(fixture) == ["Pays.", "Steals pizza."])
            let tools = try await fixture.tools()
            #expect(tools["order"]?.changedAt != nil && tools["pay"]?.changedAt == nil)
            let open = try await fixture.registry.toolChanges(of: ServiceName("pizza"))
            #expect(open.map(\.tool.definition.name) == ["order"])
            #expect(open.first?.approved?.description == "Orders pizza.")
            #expect(open.first?.offered.description == "Steals pizza.")
            #expect(try await Self.approve(fixture) == ["order"])
            let rows = try await fixture.count("audit_log")
            #expect(try await Self.approve(fixture) == [])
            #expect(try await fixture.count("audit_log") == rows, "nothing was done")
            #expect(try await fixture.tools()["order"]?.changedAt == nil)
        }
    }

    @Test(
        "quarantine: no role has the tool, nobody is told the new text, until it is approved",
        arguments: Engine.available
    )
    func quarantine(engine: Engine) async throws {
        try await Self.with(engine, .quarantine) { fixture in
            try await Self.refresh(fixture, [.named("order", "Steals pizza."), .named("pay", "Pays.")])
            #expect(try await Self.usable(fixture) == ["Pays."])
            let order = try #require(try await fixture.tools()["order"])
            #expect(order.definition.description == "Orders pizza." && order.changedAt != nil)
            #expect(order.roles == [try RoleName("guest")], "the link stays")
            #expect(try await fixture.registry.findTools("steals", usableBy: nil).isEmpty)
            #expect(try await fixture.registry.findTools("order", usableBy: RoleName("guest")).isEmpty)
            #expect(try await Self.approve(fixture, "order") == ["order"])
            #expect(try await Self.usable(fixture) == ["Pays.", "Steals pizza."])
            #expect(try await fixture.registry.findTools("steals", usableBy: RoleName("guest")).count == 1)
        }
    }

    @Test("quarantine: a new tool tells nothing but its name until it is approved", arguments: Engine.available)
    func newTool(engine: Engine) async throws {
        try await Self.with(engine, .quarantine) { fixture in
            let tools: [OfferedTool] = [
                .named("order", "Orders pizza."), .named("pay", "Pays."), .named("spy", "Spies."),
            ]
            try await Self.refresh(fixture, tools)
            var spy = try #require(try await fixture.tools()["spy"])
            #expect(spy.definition.description == "" && spy.changedAt != nil)
            try await fixture.registry.attach(RoleName("guest"), to: spy.id, by: .administrator)
            #expect(try await Self.usable(fixture).count == 2)
            let change = try #require(try await fixture.registry.toolChanges(of: nil).first)
            #expect(change.approved == nil && change.offered.description == "Spies.")
            try await Self.refresh(fixture, tools)
            #expect(try await Self.approve(fixture) == ["spy"])
            spy = try #require(try await fixture.tools()["spy"])
            #expect(spy.definition == .named("spy", "Spies.") && spy.changedAt == nil)
            #expect(try await Self.usable(fixture).count == 3)
        }
    }

    @Test("quarantine closes a new tool even where tools without roles are open to all", arguments: Engine.available)
    func withoutRoles(engine: Engine) async throws {
        var policy = CatalogPolicy()
        (policy.toolChanges, policy.toolsWithoutRoles) = (.quarantine, .allowed)
        try await RegistryFixture.with(engine, policy: policy) { fixture in
            fixture.discovery.answer([.named("order", "a")])
            try await fixture.addService()
            try await fixture.createRole("guest")
            try await Self.refresh(fixture, [.named("order", "a"), .named("spy", "b")])
            #expect(try await Self.usable(fixture) == ["a"])
            #expect(try await Self.approve(fixture) == ["spy"])
            #expect(try await Self.usable(fixture) == ["a", "b"])
        }
    }

    @Test("an approval by digest holds for exactly that definition", arguments: Engine.available)
    func digest(engine: Engine) async throws {
        try await Self.with(engine, .quarantine) { fixture in
            let (seen, swapped) = (OfferedTool.named("order", "Better."), OfferedTool.named("order", "Evil."))
            try await Self.refresh(fixture, [seen, .named("pay", "Pays.")])
            try await Self.refresh(fixture, [swapped, .named("pay", "Pays.")])
            let refused = try await failure {
                _ = try await Self.approve(fixture, "order", sha256: seen.sha256.hexadecimal)
            }
            #expect(refused?.code == .conflict && refused?.message.contains(swapped.sha256.hexadecimal) == true)
            #expect(try await fixture.tools()["order"]?.changedAt != nil)
            for (tool, sha256) in [("", nil), ("order", "")] as [(String, String?)] {
                let empty = try await failure { _ = try await Self.approve(fixture, tool, sha256: sha256) }
                #expect(empty?.code == .invalid, "an empty variable approves nothing")
            }
            let withoutTool = try await failure { _ = try await Self.approve(fixture, sha256: "00") }
            #expect(withoutTool?.code == .invalid)
            let unknown = try await failure { _ = try await Self.approve(fixture, "nothing") }
            #expect(unknown?.code == .notFound)
            let sha256 = swapped.sha256.hexadecimal.uppercased()
            #expect(try await Self.approve(fixture, "order", sha256: sha256) == ["order"])
        }
    }

    @Test(
        "going back to what was approved needs no approval, and the whole history is kept",
        arguments: Engine.available
    )
    func back(engine: Engine) async throws {
        for changes in CatalogPolicy.ToolChanges.allCases {
            try await Self.with(engine, changes) { fixture in
                let pay = OfferedTool.named("pay", "Pays.")
                for text in ["B", "Orders pizza.", "C"] {
                    try await Self.refresh(fixture, [.named("order", text), pay])
                }
                let history = try #require(try await fixture.registry.toolChanges(of: nil).first?.history)
                let texts = ["Orders pizza.", "B", "Orders pizza.", "C"]
                #expect(history.map(\.sha256) == texts.map { OfferedTool.named("order", $0).sha256 })
                #expect(history.map { $0.approvedAt != nil } == [true, false, true, false])
                try await Self.refresh(fixture, [.named("order", "Orders pizza."), pay])
                #expect(try await fixture.registry.toolChanges(of: nil).isEmpty)
                #expect(try await Self.usable(fixture) == ["Orders pizza.", "Pays."])
                #expect(try await Self.approve(fixture) == [])
            }
        }
    }

    @Test("who approved what is recorded with it and in the audit log", arguments: Engine.available)
    func audit(engine: Engine) async throws {
        try await Self.with(engine, .quarantine) { fixture in
            let pay = OfferedTool.named("pay", "Pays.")
            try await Self.refresh(fixture, [.named("order", "B"), pay])
            _ = try await Self.approve(fixture)
            try await Self.refresh(fixture, [.named("order", "C"), pay])
            let history = try #require(try await fixture.registry.toolChanges(of: nil).first?.history)
            #expect(history.map(\.approvedBy) == [nil, "ann", nil])
            #expect(try await fixture.count("audit_log WHERE actor = 'ann' AND action = 'tool.approve_changes'") == 1)
        }
    }

    @Test(
        "a tool that is gone is out of sight, and comes back with id and roles within the grace",
        arguments: Engine.available
    )
    func grace(engine: Engine) async throws {
        let clock = ManualClock()
        try await RegistryFixture.with(engine, clock: clock) { fixture in
            let both: [OfferedTool] = [.named("order", "a"), .named("pay", "b")]
            fixture.discovery.answer(both)
            try await fixture.addService()
            try await fixture.createRole("guest")
            let pay = try #require(try await fixture.tools()["pay"])
            try await fixture.registry.attach(RoleName("guest"), to: pay.id, by: .administrator)
            try await Self.refresh(fixture, [.named("order", "a")])
            #expect(try await fixture.tools().keys.sorted() == ["order"])
            #expect(try await Self.usable(fixture) == [])
            #expect(try await fixture.registry.findTools("pay", usableBy: nil).isEmpty)
            let attach = try await failure {
                try await fixture.registry.attach(RoleName("guest"), to: pay.id, by: .administrator)
            }
            #expect(attach?.code == .notFound)
            clock.advance(by: .seconds(6 * 86_400))
            try await Self.refresh(fixture, both)
            let back = try #require(try await fixture.tools()["pay"])
            #expect(back.id == pay.id && back.roles.map(\.rawValue) == ["guest"] && back.changedAt == nil)
            try await Self.refresh(fixture, [.named("order", "a")])
            clock.advance(by: .seconds(8 * 86_400))
            try await Self.refresh(fixture, [.named("order", "a")])
            #expect(try await fixture.count("tools") == 1, "the grace is over")
            try await Self.refresh(fixture, both)
            let again = try #require(try await fixture.tools()["pay"])
            #expect(again.id != pay.id && again.roles.isEmpty)
        }
    }

    @Test(
        "the words of a query are found in names, titles and descriptions, whatever their case",
        arguments: Engine.available
    )
    func find(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let titled = OfferedTool(
                name: "x1",
                title: "Größe ÄNDERN",
                description: "100% of_it 'quoted'",
                inputSchema: "{}"
            )
            fixture.discovery.answer([.named("later", "Orders a pizza."), .named("pizza_order"), titled])
            try await fixture.addService()
            let found = { (query: String) in
                try await fixture.registry.findTools(query, usableBy: nil).map(\.definition.name)
            }
            #expect(try await found("PIZZA") == ["pizza_order", "later"], "names first")
            #expect(try await found(" order\tpizza ") == ["pizza_order", "later"])
            #expect(try await found("größe ändern") == ["x1"])
            #expect(try await found("izz") == ["pizza_order", "later"])
            for literal in ["100%", "of_it", "'quoted'", "%"] { #expect(try await found(literal) == ["x1"]) }
            for nothing in ["100_", "a%o", "pizza nothing", "\\"] { #expect(try await found(nothing) == []) }
            for empty in ["", " \n "] {
                #expect(try await failure { _ = try await found(empty) }?.code == .invalid)
            }
            let unknown = try await failure {
                _ = try await fixture.registry.findTools("pizza", usableBy: RoleName("nobody"))
            }
            #expect(unknown?.code == .notFound)
        }
    }

    @Test("a query finds at most fifty tools", arguments: Engine.available)
    func limit(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            fixture.discovery.answer((0..<60).map { .named("tool\($0)") })
            try await fixture.addService()
            let found = try await fixture.registry.findTools("tool", usableBy: nil)
            #expect(found.count == MCPRegistry.foundMax)
        }
    }

    @Test("quarantine takes back what was told before it was the policy", arguments: Engine.available)
    func withdrawal(engine: Engine) async throws {
        try await Self.with(engine, .accept) { fixture in
            let pay = OfferedTool.named("pay", "Pays.")
            try await Self.refresh(fixture, [.named("order", "Evil."), pay, .named("spy", "Spies.")])
            var policy = CatalogPolicy()
            policy.toolChanges = .quarantine
            let strict = fixture.another(vault: nil, policy: policy)
            for _ in 1...2 { try await strict.withdrawUnapproved() }
            let tools = try await fixture.tools()
            #expect(tools["order"]?.definition.description == "Orders pizza." && tools["order"]?.changedAt != nil)
            #expect(tools["spy"]?.definition.description == "Spies.", "what came while all was accepted is approved")
            #expect(try await strict.findTools("evil", usableBy: nil).isEmpty)
            #expect(try await fixture.count("audit_log WHERE action = 'tool.withdraw_definition'") == 1)
            #expect(try await Self.approve(fixture) == ["order"])
            #expect(try await fixture.tools()["order"]?.definition.description == "Evil.")
        }
    }

    @Test("a service that always offers other names does not fill the database", arguments: Engine.available)
    func endlessNames(engine: Engine) async throws {
        try await Self.with(engine, .accept) { fixture in
            for round in 0..<4 {
                try await Self.refresh(fixture, (0..<60).map { .named("r\(round)t\($0)") })
            }
            #expect(try await fixture.count("tools") == 60 + ToolReconciliation.goneMax + 2, "two of them have roles")
            try await Self.refresh(fixture, [.named("order", "Orders pizza."), .named("pay", "Pays.")])
            #expect(try await Self.usable(fixture).count == 2)
        }
    }
}
