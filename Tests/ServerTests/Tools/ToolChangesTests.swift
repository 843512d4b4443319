import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("Changed tools, accepted")
struct ToolChangesTests {
    private static let schema = #"{"type":"object"}"#

    @Test(
        "a changed tool is told as it is now, and marked everywhere until it is approved",
        arguments: Engine.available
    )
    func change(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("pizza")
            try await server.addRole("r1", for: ids)
            #expect(try await server.changes() == [])
            #expect(try await server.resource(of: "add", at: "pizza")["sha256"]?.string == StubDiscovery.standardDigest)
            server.discovery.offer(StubDiscovery.changed)
            try await server.refresh("pizza")

            let tools = try await server.tools(of: "pizza")
            #expect(tools[0]["description"]?.string == "Adds faster.")
            #expect(tools[0]["definition_changed"]?.bool == true && tools[0]["roles"] == ["r1"])
            let time = try #require(tools[0]["changed_at"]?.string)
            #expect(time.wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
            #expect(tools[1].object?.keys.contains("definition_changed") == false)
            #expect(try await server.toolNames(for: "r1") == ["add", "price"])
            try await server.expect("faster", role: "r1", finds: ["add"])
            let resource = try await server.resource(of: "add", at: "pizza")
            let digest = StubDiscovery.changed[0].sha256.hexadecimal
            #expect(resource["sha256"]?.string == digest && digest != StubDiscovery.standardDigest)
            #expect(resource["definition"]?["description"]?.string == "Adds faster.")
            #expect(resource["definition_changed"]?.bool == true && resource["changed_at"]?.string == time)

            try await server.done("approve_tool_changes", #"{"service_name":"pizza"}"#)
            #expect(try await server.changes() == [])
            for tool in [try await server.tools(of: "pizza")[0], try await server.resource(of: "add", at: "pizza")] {
                #expect(tool["definition_changed"] == nil && tool["changed_at"] == nil)
                #expect(tool.text.contains("Adds faster."))
            }
        }
    }

    @Test("list_tool_changes shows what was approved, what is offered and all versions", arguments: Engine.available)
    func list(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("pizza")
            var tool = StubDiscovery.changed[0]
            tool.inputSchema = #"{"properties":{"a":{"type":"number"}},"type":"object"}"#
            server.discovery.offer([tool, StubDiscovery.tool("price", "")])
            try await server.refresh("pizza")
            let changes = try await server.changes()
            let change = try #require(changes.first)
            #expect(changes.count == 1)
            let history = try #require(change["history"]?.array)
            let times = history.compactMap { $0["recorded_at"]?.string }
            let changedAt = try #require(change["changed_at"]?.string)
            let digest = tool.sha256.hexadecimal
            #expect(times.count == 2 && times[1] == changedAt)
            #expect(
                change.text
                    == #"{"tool_id":\#(ids[0]),"service_name":"pizza","tool_name":"add","change":"changed","#
                    + #""changed_at":"\#(changedAt)","sha256":"\#(digest)","changed_parts":["description","inputSchema"],"#
                    + #""approved":{"description":"Adds.","inputSchema":{"type":"object"},"name":"add"},"#
                    + #""offered":{"description":"Adds faster.","inputSchema":\#(tool.inputSchema),"name":"add"},"#
                    + #""history":[{"sha256":"\#(StubDiscovery.standardDigest)","recorded_at":"\#(times[0])","#
                    + #""approved_at":"\#(times[0])"},{"sha256":"\#(digest)","recorded_at":"\#(changedAt)"}]}"#
            )
        }
    }

    @Test("every part of a definition counts, and is named", arguments: Engine.available)
    func parts(_ engine: Engine) async throws {
        let base = OfferedTool(name: "t", title: "T", description: "d", inputSchema: Self.schema)
        var title = base, description = base, input = base, output = base, annotations = base, icons = base
        title.title = nil
        description.description = "D"
        input.inputSchema = #"{"properties":{},"type":"object"}"#
        output.outputSchema = Self.schema
        annotations.annotations = #"{"readOnlyHint":true}"#
        icons.icons = #"[{"src":"https://h/i.png"}]"#
        let tools = [
            ("title", title), ("description", description), ("inputSchema", input), ("outputSchema", output),
            ("annotations", annotations), ("icons", icons),
        ]
        try await TestServer.run(engine) { server in
            server.discovery.offer([base])
            try await server.addService("pizza")
            for (part, tool) in tools {
                server.discovery.offer([tool])
                try await server.refresh("pizza")
                let changes = try await server.changes()
                #expect(changes.map { $0["changed_parts"] } == [[.string(part)]])
                server.discovery.offer([base])
                try await server.refresh("pizza")
                #expect(try await server.changes() == [], "\(part)")
            }
        }
    }

    @Test("texts in another Unicode form are another definition", arguments: Engine.available)
    func unicodeForms(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            server.discovery.offer([StubDiscovery.tool("t", "caf\u{e9}")])
            try await server.addService("pizza")
            server.discovery.offer([StubDiscovery.tool("t", "cafe\u{301}")])
            try await server.refresh("pizza")
            let changes = try await server.changes()
            #expect(changes.map { $0["changed_parts"] } == [["description"]])
            let told = try #require(try await server.tools(of: "pizza")[0]["description"]?.string)
            #expect(Array(told.utf8) == Array("cafe\u{301}".utf8))
        }
    }

    @Test("a change back to what was approved needs no approval", arguments: Engine.available)
    func back(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            let before = try await server.value("get_tools", #"{"service_name":"pizza"}"#)
            for tools in [StubDiscovery.changed, StubDiscovery.standard.tools] {
                server.discovery.offer(tools)
                try await server.refresh("pizza")
            }
            #expect(try await server.value("get_tools", #"{"service_name":"pizza"}"#) == before)
            #expect(try await server.changes() == [])
            server.discovery.offer(StubDiscovery.changed)
            try await server.refresh("pizza")
            let change = try #require(try await server.changes().first)
            #expect(change["approved"]?["description"]?.string == "Adds.")
            let digests = change["history"]?.array?.compactMap { $0["sha256"]?.string }
            let changed = StubDiscovery.changed[0].sha256.hexadecimal
            #expect(digests == [StubDiscovery.standardDigest, changed, StubDiscovery.standardDigest, changed])
        }
    }

    @Test("since when a tool has changed stays the same while it changes on", arguments: Engine.available)
    func again(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            var times: Set<String?> = []
            for text in ["1", "2", "2", "3"] {
                server.discovery.offer([StubDiscovery.tool("add", text)])
                try await server.refresh("pizza")
                times.insert(try await server.tools(of: "pizza")[0]["changed_at"]?.string)
            }
            #expect(times.count == 1)
            let change = try #require(try await server.changes().first)
            #expect(change["history"]?.array?.count == 4, "a reading that brings nothing new is no version")
            #expect(change["approved"]?["description"]?.string == "Adds.")
            #expect(change["offered"]?["description"]?.string == "3")
        }
    }

    @Test("new tools, tools that are gone, and a new order are no changes", arguments: Engine.available)
    func noChanges(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            let price = StubDiscovery.tool("price", "")
            for offer in [
                [StubDiscovery.tool("new", "New."), price], [price], [price, StubDiscovery.tool("add", "Adds.")],
            ] {
                server.discovery.offer(offer)
                try await server.refresh("pizza")
                #expect(try await server.changes() == [])
                let tools = try await server.tools(of: "pizza")
                #expect(!tools.contains { $0["definition_changed"] != nil })
            }
        }
    }

    @Test(
        "the list is by service and tool, of one service or all, without tools that are gone",
        arguments: Engine.available
    )
    func services(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for name in ["pizza", "bank"] {
                try await server.addService(name)
                server.discovery.offer([StubDiscovery.tool("price", "P"), StubDiscovery.tool("add", "A")], by: name)
                try await server.refresh(name)
            }
            let all = ["bank price", "bank add", "pizza price", "pizza add"]
            for (arguments, expected) in [
                ("{}", all), (#"{"service_name":null}"#, all), (#"{"service_name":"pizza"}"#, Array(all[2...])),
            ] {
                let listed = try await server.list("list_tool_changes", arguments).map {
                    "\($0["service_name"]?.string ?? "") \($0["tool_name"]?.string ?? "")"
                }
                #expect(listed == expected)
            }
            try await server.expect(
                "list_tool_changes",
                #"{"service_name":""}"#,
                fails: "service_name must not be empty"
            )
            server.discovery.offer([StubDiscovery.tool("add", "A")], by: "bank")
            try await server.refresh("bank")
            try await server.done("remove_service", #"{"service_name":"pizza"}"#)
            #expect(try await server.changes().map { $0["tool_name"]?.string } == ["add"])
            try await server.expect(
                "list_tool_changes",
                #"{"service_name":"pizza"}"#,
                fails: "Service with name 'pizza' not found: list_services shows which services there are"
            )
        }
    }

    @Test("characters that nobody sees are written out for whoever judges a change", arguments: Engine.available)
    func invisible(_ engine: Engine) async throws {
        // Zero width, direction, soft hyphen, tag, variation selectors, fillers, ESC, DEL, C1, private use, separators.
        let hidden: [UInt32] = [
            0x200B, 0x200D, 0x2060, 0xFEFF, 0x202E, 0x2066, 0xAD, 0xE0041, 0xFE0F, 0xE0101, 0x34F, 0x3164, 0x115F, 0x1B,
            0x07, 0x7F, 0x9B, 0xE000, 0x2028, 0x2029,
        ]
        try await TestServer.run(engine) { server in
            let scalars = hidden.compactMap { Unicode.Scalar($0) }
            let text = scalars.map { "a\($0)" }.joined() + "z"
            let shown = hidden.map { "a<U+\(String($0, radix: 16, uppercase: true).leftPadded)>" }.joined() + "z"
            server.discovery.offer([StubDiscovery.tool("t\u{200B}", "plain")])
            try await server.addService("pizza")
            let schema: JSONValue = ["properties": .object([text: ["description": .string(text)]]), "type": "object"]
            var tool = StubDiscovery.tool("t\u{200B}", "Line\n\ttab, ünicode, 🍕, 漢字. " + text)
            tool.inputSchema = schema.text
            server.discovery.offer([tool])
            try await server.refresh("pizza")
            let change = try #require(try await server.changes().first)
            #expect(change["tool_name"]?.string == "t<U+200B>")
            let offered = try #require(change["offered"])
            #expect(offered["description"]?.string == "Line\n\ttab, ünicode, 🍕, 漢字. " + shown)
            #expect(offered["inputSchema"]?["properties"]?[shown]?["description"]?.string == shown)
        }
    }
}

extension String {
    /// At least four digits.
    fileprivate var leftPadded: String { String(repeating: "0", count: max(0, 4 - count)) + self }
}
