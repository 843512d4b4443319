import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("find_tools")
struct FindToolsTests {
    private static func tool(_ name: String, title: String? = nil, _ description: String = "") -> OfferedTool {
        OfferedTool(name: name, title: title, description: description, inputSchema: #"{"type":"object"}"#)
    }

    /// Runs `body` beside a server with one service and its tools, whose ids it is given.
    private static func run(
        _ engine: Engine,
        _ options: TestServer.Options = TestServer.Options(),
        tools: [OfferedTool],
        _ body: @escaping @Sendable (TestServer, [Int64]) async throws -> Void
    ) async throws {
        try await TestServer.run(engine, options) { server in
            server.discovery.offer(.success(Discovery(tools: tools)), at: "http://pizza.example/mcp")
            try await body(server, try await server.addService("pizza"))
        }
    }

    @Test("looks at names, titles and descriptions, whatever their case", arguments: Engine.available)
    func places(_ engine: Engine) async throws {
        let tools = [
            Self.tool("bake_pizza"), Self.tool("t", title: "Die Köchin fragen"), Self.tool("d", "Опишите заказ 漢字."),
        ]
        try await Self.run(engine, tools: tools) { server, _ in
            for (query, name) in [
                ("bake_pizza", "bake_pizza"), ("PIZZA", "bake_pizza"), ("köchin", "t"), ("KÖCHIN", "t"),
                ("ЗАКАЗ", "d"), ("漢字", "d"),
            ] {
                try await server.expect(query, finds: [name])
            }
            for query in ["kochin", "kuchen", "object", "pizza.example"] {
                try await server.expect(query, finds: [])
            }
        }
    }

    @Test("all words must occur, in any order and place; parts of words match", arguments: Engine.available)
    func words(_ engine: Engine) async throws {
        let tools = [
            Self.tool("order_pizza", title: "Order", "Brings it to the door."),
            Self.tool("order_book", "Sends a book."),
        ]
        try await Self.run(engine, tools: tools) { server, _ in
            for query in [
                "order pizza", "PIZZA order", "door izz", " \tpizza\r\n door\u{a0}brings\u{3000}", "pizza pizza",
            ] {
                try await server.expect(query, finds: ["order_pizza"])
            }
            #expect(try await server.found("order").count == 2)
            for query in ["pizza book", "order_pizza_order", "pizzaorder"] {
                try await server.expect(query, finds: [])
            }
        }
    }

    @Test("more than eight different words are refused, not ignored", arguments: Engine.available)
    func manyWords(_ engine: Engine) async throws {
        let tools = [Self.tool("order_pizza", title: "Order", "Brings it to the door.")]
        try await Self.run(engine, tools: tools) { server, _ in
            let eight = "order pizza door brings it to the or"
            #expect(try await server.found(eight + " Order PIZZA or") == ["order_pizza"], "the same words again")
            try await server.expect("nonsense pizza door brings it to the or", finds: [])
            try await server.expect(
                "find_tools",
                #"{"query":"\#(eight) nonsense"}"#,
                fails: "query holds 9 different words, at most 8 may be searched: leave some out"
            )
        }
    }

    @Test("no character of a query has a meaning of its own", arguments: Engine.available)
    func literals(_ engine: Engine) async throws {
        let texts = [
            ("%", "50% off"), ("0%", "50% off"), ("a_b", "a_b"), ("_", "a_b"), ("'", "it's"), ("t's", "it's"),
            ("\"", #"say "hi""#), (#"\"#, #"back\slash"#), ("*", "2*3"), ("?", "really?"), ("';--", "x';-- y"),
            ("${x}", "${x}"), ("<b>", "<b>"), ("😀", "😀"),
        ]
        let descriptions = ["plain text", "axb", "50 off", "5000 off"] + texts.map(\.1)
        let unique = descriptions.enumerated().filter { descriptions.firstIndex(of: $1) == $0 }.map(\.element)
        let tools = unique.enumerated().map { Self.tool("t\($0)", $1) }
        try await Self.run(engine, tools: tools) { server, _ in
            for (query, text) in texts {
                let wanted = tools.filter { $0.description.contains(query) }.map(\.name)
                #expect(tools.contains { $0.description == text } && !wanted.isEmpty && wanted.count < 3)
                try await server.expect(query, finds: wanted)
            }
            for query in ["5%f", "a%b", "a__b", "%%", "😃"] {
                try await server.expect(query, finds: [])
            }
        }
    }

    @Test(
        "matches in the name come before those in the title, and these before the description",
        arguments: Engine.available
    )
    func order(_ engine: Engine) async throws {
        let tools = [
            Self.tool("a", "Order it."), Self.tool("b", title: "To order", "x"),
            Self.tool("a_name_that_is_much_longer_before_it_says_order"), Self.tool("order"),
        ]
        try await Self.run(engine, tools: tools) { server, _ in
            let names = try await server.found("order")
            #expect(Set(names.prefix(2)) == ["order", "a_name_that_is_much_longer_before_it_says_order"])
            #expect(names.first == "order")
            #expect(names.dropFirst(2) == ["b", "a"])
        }
    }

    @Test("with a role only what it may use is found", arguments: Engine.available)
    func roles(_ engine: Engine) async throws {
        let tools = ["order_pizza", "order_book", "order_bus"].map { Self.tool($0) }
        for policy in CatalogPolicy.ToolsWithoutRoles.allCases {
            var options = TestServer.Options()
            options.policy.toolsWithoutRoles = policy
            try await Self.run(engine, options, tools: tools) { server, ids in
                try await server.addRole("r1", for: [ids[0]])
                try await server.addRole("r2", for: [ids[1]])
                let free = policy == .allowed ? ["order_bus"] : []
                #expect(try await Set(server.found("order", role: "r1")) == Set(["order_pizza"] + free))
                #expect(try await Set(server.found("order", role: "r2")) == Set(["order_book"] + free))
                try await server.expect("pizza", role: "r2", finds: [])
                #expect(try await server.found("order").count == 3)
                #expect(try await server.list("find_tools", #"{"query":"order","role":null}"#).count == 3)
                try await server.expect(
                    "find_tools",
                    #"{"query":"order","role":""}"#,
                    fails: "role must not be empty"
                )
                for role in ["none", "R1"] {
                    try await server.expect(
                        "find_tools",
                        #"{"query":"order","role":"\#(role)"}"#,
                        fails: "Role with name '\(role)' not found: list_roles shows which roles there are"
                    )
                }
            }
        }
    }

    @Test("a query without a word is refused with what to write instead", arguments: Engine.available)
    func empty(_ engine: Engine) async throws {
        try await Self.run(engine, tools: [Self.tool("a")]) { server, _ in
            for query in ["", "  ", #" \t\n"#] {
                try await server.expect(
                    "find_tools",
                    #"{"query":"\#(query)"}"#,
                    fails: "query holds no word: say in a word or two what the tool should do"
                )
            }
        }
    }

    @Test("at most 50 tools are found, of all services", arguments: Engine.available)
    func limit(_ engine: Engine) async throws {
        try await Self.run(engine, tools: (1...49).map { Self.tool("order\($0)") }) { server, _ in
            #expect(try await server.found("order").count == 49)
            let more = (1...20).map { Self.tool("order\($0)") }
            server.discovery.offer(.success(Discovery(tools: more)), at: "http://bank.example/mcp")
            try await server.addService("bank")
            #expect(try await server.found("order").count == 50)
            let services = try await server.list("find_tools", #"{"query":"order17"}"#)
            #expect(services.map { $0["service_name"]?.string } == ["bank", "pizza"])
        }
    }

    @Test("tools that are gone are not found, and are when they are back", arguments: Engine.available)
    func gone(_ engine: Engine) async throws {
        let tools = [Self.tool("order"), Self.tool("stay")]
        try await Self.run(engine, tools: tools) { server, ids in
            try await server.addRole("r1", for: ids)
            for (offer, found) in [([tools[1]], []), (tools, ["order"])] {
                server.discovery.offer(.success(Discovery(tools: offer)), at: "http://pizza.example/mcp")
                try await server.refresh("pizza")
                try await server.expect("order", finds: found)
                try await server.expect("order", role: "r1", finds: found)
            }
            try await server.done("remove_service", #"{"service_name":"pizza"}"#)
            try await server.expect("order", finds: [])
        }
    }

    @Test("a tool is found by what it says now, with its title and at most 500 characters", arguments: Engine.available)
    func shape(_ engine: Engine) async throws {
        let long = String(repeating: "ü", count: 500)
        let tools = [Self.tool("a", title: "T", "old " + long), Self.tool("b", long)]
        try await Self.run(engine, tools: tools) { server, ids in
            try await server.expect("old", finds: ["a"])
            let offer = [Self.tool("a", title: "T", "new " + long), Self.tool("b", long)]
            server.discovery.offer(.success(Discovery(tools: offer)), at: "http://pizza.example/mcp")
            try await server.refresh("pizza")
            try await server.expect("old", finds: [])
            try await server.expect(
                "find_tools",
                #"{"query":"new"}"#,
                lists: #"[{"id":\#(ids[0]),"service_name":"pizza","name":"a","title":"T","#
                    + #""description":"new \#(long.dropLast(4))…"}]"#
            )
            try await server.expect(
                "find_tools",
                #"{"query":"\#(long)"}"#,
                lists: #"[{"id":\#(ids[1]),"service_name":"pizza","name":"b","description":"\#(long)"},"#
                    + #"{"id":\#(ids[0]),"service_name":"pizza","name":"a","title":"T","#
                    + #""description":"new \#(long.dropLast(4))…"}]"#
            )
        }
    }
}
