import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("Changed tools, quarantined")
struct QuarantineTests {
    private static let options = {
        var options = TestServer.Options()
        options.policy.toolChanges = .quarantine
        return options
    }()

    @Test(
        "until it is approved no role has a changed tool, and nobody is told the new text",
        arguments: Engine.available
    )
    func change(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            let ids = try await server.addService("pizza")
            try await server.addRole("r1", for: ids)
            let add = #"{"id":\#(ids[0]),"name":"add","description":"Adds faster.","service_name":"pizza"}"#
            let price = #"{"id":\#(ids[1]),"name":"price","description":"","service_name":"pizza"}"#
            server.discovery.offer(StubDiscovery.changed)
            try await server.refresh("pizza")

            try await server.expect("/tools_for_role", #"{"role":"r1"}"#, answers: #"{"tools":[\#(price)]}"#)
            for (query, role, found) in [
                ("faster", nil, []), ("adds", nil, []), ("adds", "r1", []), ("price", "r1", ["price"]),
            ] as [(String, String?, [String])] {
                try await server.expect(query, role: role, finds: found)
            }
            let tool = try await server.tools(of: "pizza")[0]
            #expect(tool["description"]?.string == "Adds." && tool["roles"] == ["r1"])
            #expect(tool["definition_changed"]?.bool == true && tool["changed_at"]?.string != nil)
            let resource = try await server.resource(of: "add", at: "pizza")
            #expect(resource["sha256"]?.string == StubDiscovery.standardDigest)
            #expect(resource["definition"]?["description"]?.string == "Adds.")
            #expect(resource["definition_changed"]?.bool == true)
            let change = try #require(try await server.changes().first)
            #expect(change["change"]?.string == "changed" && change["changed_parts"] == ["description"])
            #expect(change["approved"]?["description"]?.string == "Adds.")
            #expect(change["offered"]?["description"]?.string == "Adds faster.")
            #expect(change["sha256"]?.string == StubDiscovery.changed[0].sha256.hexadecimal)

            try await server.done("approve_tool_changes", #"{"service_name":"pizza"}"#)
            try await server.expect("/tools_for_role", #"{"role":"r1"}"#, answers: #"{"tools":[\#(add),\#(price)]}"#)
            try await server.expect("faster", role: "r1", finds: ["add"])
            try await server.expect(
                "get_tools",
                #"{"service_name":"pizza"}"#,
                lists: #"[{"id":\#(ids[0]),"name":"add","description":"Adds faster.","roles":["r1"]},"#
                    + #"{"id":\#(ids[1]),"name":"price","description":"","roles":["r1"]}]"#
            )
            let approved = try await server.resource(of: "add", at: "pizza")
            #expect(approved["sha256"]?.string == StubDiscovery.changed[0].sha256.hexadecimal)
            #expect(try await server.changes() == [])
        }
    }

    @Test("a new tool tells nothing but its name until it is approved", arguments: Engine.available)
    func newTool(_ engine: Engine) async throws {
        let new = OfferedTool(
            name: "new",
            title: "Sesame title",
            description: "Sesame text",
            inputSchema: #"{"description":"sesame schema","type":"object"}"#,
            outputSchema: #"{"description":"sesame result","type":"object"}"#,
            annotations: #"{"title":"sesame hint"}"#,
            icons: #"[{"src":"https://sesame.example/i.png"}]"#
        )
        var options = Self.options
        for policy in CatalogPolicy.ToolsWithoutRoles.allCases {
            options.policy.toolsWithoutRoles = policy
            try await TestServer.run(engine, options) { server in
                try await server.addService("pizza")
                server.discovery.offer(StubDiscovery.standard.tools + [new])
                try await server.refresh("pizza")
                let tool = try await server.tools(of: "pizza")[2]
                let id = try #require(tool["id"]?.integer)
                #expect(tool["name"]?.string == "new" && tool["description"]?.string == "")
                #expect(tool["definition_changed"]?.bool == true)
                try await server.addRole("r1", for: [id])
                let told = [
                    try await server.call("get_tools", #"{"service_name":"pizza"}"#).text,
                    try await server.call("find_tools", #"{"query":"new"}"#).text,
                    try await server.call("find_tools", #"{"query":"sesame"}"#).text,
                    try await server.resource("registry://services/pizza").text,
                    try await server.send("POST", "/tools_for_role", #"{"role":"r1"}"#).text,
                ]
                #expect(!told.contains { $0.lowercased().contains("sesame") })
                try await server.expect("new", finds: [])
                try await server.expect("new", role: "r1", finds: [])
                #expect(try await !server.toolNames(for: "r1").contains("new"))

                let change = try #require(try await server.changes().first)
                #expect(change["change"]?.string == "new" && change["tool_id"]?.integer == id)
                #expect(change["approved"] == nil && change["changed_parts"] == nil)
                #expect(change["offered"]?.text == new.canonicalJSON)
                #expect(change["history"]?.array?.count == 1)

                try await server.done("approve_tool_changes", #"{"service_name":"pizza","tool_name":"new"}"#)
                #expect(try await server.toolNames(for: "r1").contains("new"))
                try await server.expect("sesame", role: "r1", finds: ["new"])
                #expect(try await server.resource(of: "new", at: "pizza")["definition"]?.text == new.canonicalJSON)
            }
        }
    }

    @Test("what a service offers when it is added is approved by that", arguments: Engine.available)
    func added(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            try await server.addRole("r1", for: try await server.addService("pizza"))
            try await server.refresh("pizza")
            #expect(try await server.changes() == [])
            #expect(try await server.toolNames(for: "r1") == ["add", "price"])
        }
    }

    @Test("what a service without tools offers first waits for approval", arguments: Engine.available)
    func authorizationRequired(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            server.discovery.offer(.failure(.authorizationRequired(scheme: nil)), at: "http://pizza.example/mcp")
            try await server.addService("pizza")
            server.discovery.offer(StubDiscovery.standard.tools)
            try await server.refresh("pizza")
            #expect(try await server.changes().map { $0["change"]?.string } == ["new", "new"])
        }
    }

    @Test("a change back to what was approved gives roles the tool back at once", arguments: Engine.available)
    func back(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            try await server.addRole("r1", for: try await server.addService("pizza"))
            for (tools, names) in [
                (StubDiscovery.changed, ["price"]),
                ([StubDiscovery.tool("add", "Third."), StubDiscovery.changed[1]], ["price"]),
                (StubDiscovery.standard.tools, ["add", "price"]),
            ] {
                server.discovery.offer(tools)
                try await server.refresh("pizza")
                #expect(try await server.toolNames(for: "r1") == names)
                let tool = try await server.tools(of: "pizza")[0]
                #expect(tool["description"]?.string == "Adds.")
                #expect((tool["definition_changed"] == nil) == names.contains("add"))
            }
            #expect(try await server.changes() == [])
        }
    }

    @Test("a tool that goes away and comes back as another is quarantined", arguments: Engine.available)
    func comesBack(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            let ids = try await server.addService("pizza")
            try await server.addRole("r1", for: ids)
            for tools in [[StubDiscovery.tool("price", "")], StubDiscovery.changed] {
                server.discovery.offer(tools)
                try await server.refresh("pizza")
                #expect(try await server.toolNames(for: "r1") == ["price"])
            }
            let tool = try await server.tools(of: "pizza")[0]
            #expect(tool["id"]?.integer == ids[0] && tool["description"]?.string == "Adds.")
            #expect(try await server.changes().count == 1)
        }
    }

    @Test("a change while another waits takes its place", arguments: Engine.available)
    func twice(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            try await server.addRole("r1", for: try await server.addService("pizza"))
            for text in ["Second.", "Third."] {
                server.discovery.offer([StubDiscovery.tool("add", text)])
                try await server.refresh("pizza")
            }
            let change = try #require(try await server.changes().first)
            #expect(change["approved"]?["description"]?.string == "Adds.")
            #expect(change["offered"]?["description"]?.string == "Third.")
            #expect(change["history"]?.array?.map { $0["approved_at"] != nil } == [true, false, false])
            try await server.done("approve_tool_changes", #"{"service_name":"pizza"}"#)
            #expect(try await server.tools(of: "pizza")[0]["description"]?.string == "Third.")
            server.discovery.offer([StubDiscovery.tool("add", "Second.")])
            try await server.refresh("pizza")
            #expect(try await server.toolNames(for: "r1") == [], "what was never approved is not by having been seen")
        }
    }
}
