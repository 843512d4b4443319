import DBDriver
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("Resources")
struct ResourcesTests {
    /// Names whose percent-encoded forms differ from themselves.
    private static let names = [
        ("a b", "a%20b"), ("a/b", "a%2Fb"), ("Küche", "K%C3%BCche"), ("100%", "100%25"), ("?#&=", "%3F%23%26%3D"),
        ("..", ".."), ("漢字🍕", "%E6%BC%A2%E5%AD%97%F0%9F%8D%95"), ("%41", "%2541"),
    ]
    private static let unknown = [
        "registry://services/none", "registry://services/Pizza", "registry://services/", "registry://services/pizza/",
        "registry://services/pizza%20", "registry://services/pizza?x=1", "registry://services/%",
        "registry://services/%ff",
        "registry://service/pizza", "registry://services//pizza", "REGISTRY://services", "registry://services?x",
        "resource://service_description/", "file:///etc/passwd", "http://pizza.example/mcp", "pizza", "",
    ]
    private static let serverInfo: JSONValue = [
        "io.modelcontextprotocol/serverInfo": [
            "name": "mcp-registry", "title": "MCP Registry", "version": .string(Version.current),
        ]
    ]

    private static func read(_ server: TestServer, _ uri: String, isModern: Bool) async throws -> Answer {
        isModern
            ? try await server.modern("resources/read", ["uri": .string(uri)], name: uri)
            : try await server.legacy("resources/read", ["uri": .string(uri)])
    }

    /// A result of 2026-07-28 without what only that revision has, which must be there.
    private static func stripped(_ answer: Answer, timeToLive: Int64) throws -> JSONObject {
        #expect(answer.status == 200)
        var result = try #require(try answer.json["result"]?.object, "\(answer.text)")
        #expect(result["resultType"] == "complete" && result["cacheScope"] == "private")
        #expect(result["ttlMs"] == .integer(timeToLive) && result["_meta"] == serverInfo)
        for key in ["resultType", "cacheScope", "ttlMs", "_meta"] { result[key] = nil }
        return result
    }

    @Test("both lists are the same in both eras, with caching hints in the modern one")
    func lists() async throws {
        let resources =
            #"{"resources":[{"uri":"resource://service_description","name":"service_description","#
            + #""title":"Service description","description":"What this service is for.","mimeType":"text/plain"},"#
            + #"{"uri":"registry://services","name":"services","title":"All services","description":"The catalogue: every "#
            + #"registered MCP service with its endpoint, description and state.","mimeType":"application/json"}]}"#
        let templates =
            #"{"resourceTemplates":[{"uriTemplate":"registry://services/{name}","name":"service","title":"A service","#
            + #""description":"One service with its tools and their schemas. The name is percent-encoded.","#
            + #""mimeType":"application/json"}]}"#
        try await TestServer.run(.sqlite) { server in
            for (method, list) in [("resources/list", resources), ("resources/templates/list", templates)] {
                try await server.legacy(method).expect(#"{"jsonrpc":"2.0","id":1,"result":\#(list)}"#)
                let modern = try await server.modern(method)
                #expect(try JSONValue.object(Self.stripped(modern, timeToLive: 300_000)).text == list)
                let cursor = try await server.modern(method, ["cursor": "x"])
                #expect(cursor.status == 400 && cursor.text.contains(#""code":-32602"#))
            }
        }
    }

    @Test("the description and the catalogue are read alike in both eras", arguments: Engine.available)
    func read(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("pizza")
            try await server.addService("bank", method: "Bearer")
            try await server.addRole("r1", for: [ids[0]])
            for uri in ["resource://service_description", "registry://services", "registry://services/pizza"] {
                let legacy = try await server.legacy("resources/read", ["uri": .string(uri)])
                let result = try #require(try legacy.json["result"]?.object)
                #expect(result.keys == ["contents"] && legacy.status == 200)
                let modern = try await server.modern("resources/read", ["uri": .string(uri)], name: uri)
                #expect(try Self.stripped(modern, timeToLive: 0) == result)
                let type = uri.hasPrefix("registry") ? "application/json" : "text/plain"
                #expect(result["contents"]?[0]?["mimeType"]?.string == type)
            }
            let text = try await server.legacy("resources/read", ["uri": "resource://service_description"])
            #expect(
                try text.json["result"]?["contents"]?[0]?["text"]?.string
                    == "The MCP registry that stores other MCP service endpoints, descriptions, and their available tools. "
                    + "Allows to manage them"
            )
            let catalogue = try await server.resource("registry://services")
            let services = try #require(catalogue["services"]?.array)
            let seen = services.compactMap { $0["last_seen"]?.string }
            #expect(seen.count == 2)
            #expect(
                catalogue.text
                    == #"{"services":[{"name":"pizza","endpoint":"http://pizza.example/mcp","transport":"streamable_http","#
                    + #""description":"About pizza.","requires_authorization":false,"status":"active","last_seen":"\#(seen[0])"},"#
                    + #"{"name":"bank","endpoint":"http://bank.example/mcp","transport":"streamable_http","#
                    + #""description":"About bank.","requires_authorization":true,"method_authorization":"Bearer","#
                    + #""status":"active","last_seen":"\#(seen[1])"}]}"#
            )
            let pizza = try #require(try await server.resource("registry://services/pizza").object)
            #expect(
                pizza["tools"]?[0]?.text
                    == #"{"id":\#(ids[0]),"sha256":"\#(StubDiscovery.standardDigest)","roles":["r1"],"#
                    + #""definition":{"description":"Adds.","inputSchema":{"type":"object"},"name":"add"}}"#
            )
            #expect(pizza["tools"]?[1]?["roles"] == [])
            var entry = pizza
            entry["tools"] = nil
            #expect(JSONValue.object(entry) == services[0])
        }
    }

    @Test("definitions beyond a mebibyte are left out, and their entries say so", arguments: Engine.available)
    func manySchemas(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let schema = #"{"description":"\#(String(repeating: "x", count: 100_000))","type":"object"}"#
            let tools = (0..<30).map { OfferedTool(name: "t\($0)", description: "d\($0)", inputSchema: schema) }
            server.discovery.offer(tools)
            let ids = try await server.addService("pizza")
            try await server.addRole("r1", for: ids)
            let answer = try await server.legacy("resources/read", ["uri": "registry://services/pizza"])
            #expect(answer.text.utf8.count < 1_100_000)
            let entries = try #require(try await server.resource("registry://services/pizza")["tools"]?.array)
            #expect(entries.count == 30)
            for (number, entry) in entries.enumerated() {
                #expect(entry["id"] == .integer(ids[number]) && entry["roles"] == ["r1"])
                #expect(entry["sha256"] == .string(tools[number].sha256.hexadecimal))
                #expect((entry["definition"]?["name"] ?? entry["name"]) == .string("t\(number)"))
                #expect((entry["definition"] == nil) == (number >= 10))
                #expect((entry["left_out"]?.string?.contains("get_tools") == true) == (number >= 10))
            }
        }
    }

    @Test("descriptions beyond 256 KiB are cut, and say where the rest is", arguments: Engine.available)
    func manyDescriptions(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let text = String(repeating: "x", count: 16_384)
            server.discovery.offer((0..<20).map { StubDiscovery.tool("t\($0)", text) }, by: "a")
            try await server.addService("a")
            for number in 0..<20 {
                try await server.done(
                    "add_service",
                    #"{"service_name":"s \#(number)","endpoint":"http://h\#(number)/mcp","description":"\#(text)","requires_authorization":false}"#
                )
            }
            let services = try await server.call("list_services").json["result"]?["structuredContent"]?["result"]
            let resource = try await server.resource("registry://services")["services"]
            let lists = [
                (try await server.tools(of: "a"), "registry://services/a"),
                (try #require(services?.array), "registry://services/s%2019"),
                (try #require(resource?.array), "registry://services/s%2019"),
            ]
            for (list, rest) in lists {
                let told = list.compactMap { $0["description"]?.string }
                #expect(told.filter { $0 == text }.count == (rest.hasSuffix("a") ? 16 : 15))
                let last = try #require(list.last)
                #expect(last["description"]?.string == String(repeating: "x", count: 500) + "…")
                #expect(last["left_out"]?.string == "the rest of the description: read the resource \(rest)")
                #expect(list[0]["left_out"] == nil)
            }
            #expect(try await server.resource("registry://services/s%2019")["description"]?.string == text)
        }
    }

    @Test("an empty catalogue is an empty list", arguments: Engine.available)
    func empty(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let catalogue = try await server.resource("registry://services")
            #expect(catalogue.text == #"{"services":[]}"#)
        }
    }

    @Test("every name is read in its percent-encoded form", arguments: Engine.available)
    func names(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (number, (name, _)) in Self.names.enumerated() {
                try await server.done(
                    "add_service",
                    #"{"service_name":"\#(name)","endpoint":"http://h\#(number)/mcp","description":"d","requires_authorization":false}"#
                )
            }
            for (name, encoded) in Self.names {
                for isModern in [false, true] {
                    let answer = try await Self.read(server, "registry://services/" + encoded, isModern: isModern)
                    let text = try #require(try answer.json["result"]?["contents"]?[0]?["text"]?.string, "\(encoded)")
                    #expect(try JSONValue.parse(text)["name"]?.string == name)
                }
            }
        }
    }

    @Test("an unknown URI is -32002 on 200 before 2026-07-28, and -32602 on 400 since", arguments: Engine.available)
    func unknown(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            for uri in Self.unknown {
                let error = #""message":"Resource not found","data":{"uri":\#(JSONValue.string(uri).text)}}}"#
                let legacy = try await Self.read(server, uri, isModern: false)
                legacy.expect(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,\#(error)"#)
                // A header can't be empty.
                guard !uri.isEmpty else { continue }
                let modern = try await Self.read(server, uri, isModern: true)
                #expect(modern.status == 400)
                #expect(modern.text == #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,\#(error)"#)
            }
            for params in [[:], ["uri": 1], ["uri": .null]] as [JSONObject] {
                let (legacy, modern) = (
                    try await server.legacy("resources/read", params), try await server.modern("resources/read", params)
                )
                #expect(legacy.status == 200 && modern.status == 400)
                let error = #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"uri must be a string"}}"#
                #expect(legacy.text == error && modern.text == error)
            }
        }
    }

    @Test("a broken database is -32603 without details", arguments: Engine.available)
    func broken(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("pizza")
            try await server.database.execute("ALTER TABLE services RENAME TO hidden_services")
            for uri in ["registry://services", "registry://services/pizza"] {
                for isModern in [false, true] {
                    let answer = try await Self.read(server, uri, isModern: isModern)
                    answer.expect(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error"}}"#)
                }
            }
            let description = try await Self.read(server, "resource://service_description", isModern: true)
            #expect(description.status == 200 && description.text.contains("contents"), "it needs no database")
        }
    }

    @Test("prompts are listed as none, and there is nothing to subscribe to")
    func others() async throws {
        try await TestServer.run(.sqlite) { server in
            try await server.legacy("prompts/list").expect(#"{"jsonrpc":"2.0","id":1,"result":{"prompts":[]}}"#)
            let modern = try await server.modern("prompts/list")
            #expect(try Self.stripped(modern, timeToLive: 300_000) == ["prompts": []])
            for method in ["resources/subscribe", "resources/unsubscribe"] {
                let answer = try await server.modern(method, ["uri": "registry://services"])
                #expect(answer.status == 404 && answer.text.contains(#""code":-32601"#))
                let legacy = try await server.legacy(method, ["uri": "registry://services"])
                #expect(legacy.status == 200 && legacy.text.contains(#""code":-32601"#))
            }
        }
    }
}
