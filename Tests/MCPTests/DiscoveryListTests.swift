import Testing

@testable import MCP

@Suite("Lists of a discovered service")
struct DiscoveryListTests {
    typealias Reply = DiscoveryScript.Reply

    @Test("all pages are read; an empty cursor is one, null ends the list")
    func pages() throws {
        let cursors: [JSONValue?] = ["a", "", nil as JSONValue]
        var page = 0
        let script = try DiscoveryScript(wantsDescription: false) { _, sent in
            Reply.modern(sent) {
                guard $0.rpc == "tools/list" else { return nil }
                defer { page += 1 }
                return .tools($0, ["t\(page)"], cursor: cursors[page])
            }
        }
        #expect(script.sent.dropFirst().map { $0.body["params"]?["cursor"] } == [nil, "a", ""])
        #expect(script.service?.tools.map(\.name) == ["t0", "t1", "t2"])
    }

    @Test(
        "cursors that repeat, are no text or too long, end discovery",
        arguments: ["same", 5, .string(String(repeating: "x", count: 4096))] as [JSONValue]
    )
    func badCursor(cursor: JSONValue) throws {
        let script = try DiscoveryScript { _, sent in
            Reply.modern(sent) { $0.rpc == "tools/list" ? .tools($0, cursor: cursor) : nil }
        }
        #expect(script.failure?.kind == .unusable)
        #expect(script.sent.count <= 3)
    }

    @Test("cursors that differ in their bytes alone are different ones")
    func cursorBytes() throws {
        let cursors: [JSONValue?] = ["\u{e9}", "e\u{301}", nil]
        let script = try DiscoveryScript(wantsDescription: false) { number, sent in
            Reply.modern(sent) {
                $0.rpc == "tools/list" ? .tools($0, ["t\(number)"], cursor: cursors[number - 1]) : nil
            }
        }
        #expect(script.service?.tools.map(\.name) == ["t1", "t2", "t3"])
    }

    @Test("fifty pages are read, a list that goes on is refused")
    func pageLimit() throws {
        let read = { (pages: Int) in
            try DiscoveryScript(wantsDescription: false) { number, sent in
                Reply.modern(sent) {
                    guard $0.rpc == "tools/list" else { return nil }
                    return .tools($0, ["t\(number)"], cursor: number < pages ? .string("c\(number)") : nil)
                }
            }
        }
        #expect(try read(50).service?.tools.count == 50)
        #expect(try read(51).failure?.reason == "the service's list has more than 50 pages")
    }

    @Test("a thousand tools are taken, more are refused")
    func toolLimit() throws {
        let read = { (count: Int) in
            try DiscoveryScript(wantsDescription: false) { _, sent in
                Reply.modern(sent) { $0.rpc == "tools/list" ? .tools($0, (0..<count).map { "t\($0)" }) : nil }
            }
        }
        #expect(try read(1000).service?.tools.count == 1000)
        #expect(try read(1001).failure?.reason == "the service has more than 1000 tools")
    }

    private static func discover(_ tools: [JSONValue], isModern: Bool = true) throws -> DiscoveredService {
        let script = try DiscoveryScript(wantsDescription: false) { _, sent in
            let special = { (sent: DiscoveryScript.Sent) in
                sent.rpc == "tools/list" ? Reply.result(sent, ["tools": .array(tools)]) : nil
            }
            return isModern ? Reply.modern(sent, special) : Reply.legacy(sent, special)
        }
        return try #require(script.service)
    }

    @Test("a tool is kept with all that describes it, schemas in canonical form")
    func wholeTool() throws {
        let service = try Self.discover([
            [
                "name": "add", "title": "Add", "description": "Adds.", "icons": [["src": "x"]],
                "inputSchema": ["type": "object", "properties": ["b": ["type": "integer"], "a": ["type": "number"]]],
                "outputSchema": ["type": "object", "$ref": "https://evil.example/schema"],
                "annotations": ["readOnlyHint": true, "destructiveHint": false],
            ],
            ["name": "bare", "inputSchema": [:], "outputSchema": true, "annotations": nil, "description": nil],
        ])
        #expect(
            service.tools == [
                DiscoveredTool(
                    name: "add",
                    title: "Add",
                    description: "Adds.",
                    inputSchema: #"{"properties":{"a":{"type":"number"},"b":{"type":"integer"}},"type":"object"}"#,
                    outputSchema: #"{"$ref":"https://evil.example/schema","type":"object"}"#,
                    annotations: #"{"destructiveHint":false,"readOnlyHint":true}"#,
                    icons: #"[{"src":"x"}]"#
                ),
                DiscoveredTool(name: "bare", description: "", inputSchema: "{}"),
            ]
        )
        #expect(service.warnings == [])
    }

    @Test("what breaks a limit is left out or cut, with a warning, and the rest is kept")
    func limits() throws {
        let schema: JSONValue = ["type": "object"]
        let deep = (0..<31).reduce(JSONValue.array([])) { inner, _ in ["a": inner] }
        let service = try Self.discover([
            ["name": .string(String(repeating: "é", count: 128)), "inputSchema": schema],
            ["name": .string(String(repeating: "é", count: 129)), "inputSchema": schema],
            ["name": "", "inputSchema": schema], ["inputSchema": schema], "text",
            ["name": "a\u{1B}[0m", "inputSchema": schema], ["name": "no schema"], ["name": "list", "inputSchema": []],
            ["name": "long", "inputSchema": schema, "description": .string(String(repeating: "é", count: 16_385))],
            ["name": "deep", "inputSchema": deep], ["name": "deeper", "inputSchema": ["a": deep]],
            ["name": "deep out", "inputSchema": schema, "outputSchema": ["a": deep]],
            ["name": "big", "inputSchema": ["x": .string(String(repeating: "x", count: 131_072 - 8))]],
            ["name": "bigger", "inputSchema": ["x": .string(String(repeating: "x", count: 131_072 - 7))]],
            ["name": "long", "inputSchema": schema, "description": "second"],
        ])
        #expect(service.tools.map(\.name) == [String(repeating: "é", count: 128), "long", "deep", "big"])
        #expect(service.tools[1].description == String(repeating: "é", count: 16_384))
        #expect(service.warnings.count == 12)
        #expect(
            service.warnings.contains(#"tool "deeper" was left out: its input schema is nested deeper than 32 levels"#)
        )
        #expect(service.warnings.contains(#"tool "bigger" was left out: its input schema is larger than 128 KiB"#))
        #expect(service.warnings.contains(#"tool "long" is listed twice; the first is kept"#))
    }

    @Test("icons are kept when they are a list, and cost no tool when they are too many")
    func icons() throws {
        let huge: JSONValue = [["src": .string("data:," + String(repeating: "x", count: 131_072))]]
        let lists: [JSONValue] = [
            [["src": "x", "sizes": ["any"], "mimeType": "image/png"]], [], ["src": "x"], "x", huge,
        ]
        let service = try Self.discover(
            lists.enumerated().map { ["name": "t\($0.offset)", "inputSchema": [:], "icons": $0.element] }
        )
        #expect(
            service.tools.map(\.icons) == [
                #"[{"mimeType":"image/png","sizes":["any"],"src":"x"}]"#, nil, nil, nil, nil,
            ]
        )
        #expect(
            service.warnings == [#"the icons of tool "t4" were left out: its list of icons is larger than 128 KiB"#]
        )
    }

    private static func timeToLive(_ pages: [JSONValue?], isModern: Bool = true) throws -> Duration? {
        var page = 0
        let script = try DiscoveryScript(wantsDescription: false) { _, sent in
            let special = { (sent: DiscoveryScript.Sent) -> Reply? in
                guard sent.rpc == "tools/list" else { return nil }
                var result: JSONObject = ["tools": []]
                result["ttlMs"] = pages[page]
                page += 1
                if page < pages.count { result["nextCursor"] = .string("\(page)") }
                return .result(sent, .object(result))
            }
            return isModern ? Reply.modern(sent, special) : Reply.legacy(sent, special)
        }
        return try #require(script.service).timeToLive
    }

    @Test("the shortest time to live of all pages counts, for modern services only")
    func timeToLive() throws {
        #expect(try Self.timeToLive([60_000, 1500, nil, 90_000]) == .milliseconds(1500))
        #expect(try Self.timeToLive([0]) == .zero)
        for value in [nil, -1, "60000", 1.5] as [JSONValue?] { #expect(try Self.timeToLive([value]) == nil) }
        #expect(try Self.timeToLive([.integer(.max)]) == .seconds(366 * 86_400))
        #expect(try Self.timeToLive([60_000], isModern: false) == nil)
    }

    @Test("a message of very many values is refused before it is parsed; commas in texts are none")
    func values() throws {
        func script(_ tools: String) throws -> DiscoveryScript {
            try DiscoveryScript(wantsDescription: false) { _, sent in
                Reply.modern(sent) {
                    guard $0.rpc == "tools/list" else { return nil }
                    return .http(200, [], #"{"jsonrpc":"2.0","id":\#($0.id.text),"result":{"tools":[\#(tools)]}}"#)
                }
            }
        }
        let many = try script(String(repeating: "{},", count: 250_000) + "{}")
        #expect(many.failure?.reason == "the service's answer holds more than 400000 values")
        let text = #"{"name":"t","inputSchema":{},"description":"\"\#(String(repeating: ",[", count: 250_000))"}"#
        #expect(try script(text).service?.tools.count == 1)
        let event = DiscoveryLimits.self
        #expect(throws: DiscoveryFailure.self) {
            try event.checkValues(in: Array(String(repeating: "[", count: 400_001).utf8))
        }
        #expect(throws: Never.self) { try event.checkValues(in: Array(String(repeating: "[", count: 400_000).utf8)) }
    }

    @Test("warnings are bounded")
    func warningLimit() throws {
        #expect(try Self.discover(Array(repeating: [:], count: 1000)).warnings.count == 50)
    }

    private static func schema(_ header: JSONValue, type: JSONValue = "string") -> JSONValue {
        ["type": "object", "properties": ["p": ["type": type, "x-mcp-header": header]]]
    }

    static let headerSchemas: [(JSONValue, Bool)] = [
        (schema("Region"), true), (schema("a-b.c_1", type: "integer"), true), (schema("X", type: "boolean"), true),
        (schema(""), false), (schema(5), false), (schema("a b"), false), (schema("a\r\nb"), false),
        (schema("é"), false), (schema("a:b"), false), (schema("X", type: "number"), false),
        (schema("X", type: "object"), false), (schema("X", type: ["string", "null"]), false),
        (["properties": ["p": ["x-mcp-header": "X"]]], false), (["x-mcp-header": "X", "type": "string"], true),
        (
            [
                "properties": [
                    "a": ["type": "string", "x-mcp-header": "Region"],
                    "b": ["type": "string", "x-mcp-header": "REGION"],
                ]
            ], false
        ),
        (["properties": ["a": schema("X")]], true), (["properties": ["a": ["items": schema("X")]]], false),
        (["allOf": [schema("X")]], false), (["if": schema("X")], false), (["$defs": ["d": schema("X")]], false),
        // Names and data that merely look like the annotation.
        (["properties": ["x-mcp-header": ["type": "object"]]], true), (["default": schema("")], true),
        (["properties": ["p": ["enum": [schema("")]]]], true),
    ]

    @Test("tools with faulty x-mcp-header are dropped by modern rules only", arguments: headerSchemas)
    func headers(schema: JSONValue, isValid: Bool) throws {
        let tools: [JSONValue] = [["name": "t", "inputSchema": schema], ["name": "u", "inputSchema": [:]]]
        #expect(try Self.discover(tools).tools.map(\.name) == (isValid ? ["t", "u"] : ["u"]))
        #expect(try Self.discover(tools, isModern: false).tools.map(\.name) == ["t", "u"])
    }

    static let resources: [([JSONValue], String?)] = [
        ([["name": "x", "uri": "a:1"]], nil), ([], nil),
        ([["name": "service_description", "uri": "a:1"], ["name": "service_description", "uri": "a:2"]], "a:1"),
        (
            [
                ["name": "x", "title": "service_description", "uri": "a:1"],
                ["name": "service_description", "uri": "a:2"],
            ], "a:2"
        ),
        (
            [
                ["name": "x", "uri": "a://b/service_description"],
                ["name": "y", "title": "service_description", "uri": "a:2"],
            ], "a:2"
        ),
        ([["name": "x", "uri": "a://b/service_description"]], "a://b/service_description"),
        ([["name": "Service_Description", "uri": "a:1"], ["name": "service_description"], 5], nil),
        ([["name": "service_description", "uri": .string("a:" + String(repeating: "x", count: 4096))]], nil),
    ]

    @Test("the description's resource is found by name, else title, else address", arguments: resources)
    func resource(resources: [JSONValue], uri: String?) throws {
        let script = try DiscoveryScript { _, sent in
            Reply.modern(sent) {
                $0.rpc == "resources/list" ? .result($0, ["resources": .array(resources)]) : nil
            }
        }
        #expect(script.sent.first { $0.rpc == "resources/read" }?.body["params"]?["uri"]?.string == uri)
        #expect(script.service?.serviceDescription == (uri == nil ? nil : "Adds numbers."))
    }

    @Test("resources are looked through on all pages, until the exact name is found")
    func resourcePages() throws {
        let script = try DiscoveryScript { _, sent in
            Reply.modern(sent) {
                guard $0.rpc == "resources/list" else { return nil }
                let name: JSONValue = $0.body["params"]?["cursor"] == nil ? "x" : "service_description"
                return .result($0, ["resources": [["name": name, "uri": "a:é"]], "nextCursor": name])
            }
        }
        #expect(script.sent.filter { $0.rpc == "resources/list" }.count == 2)
        #expect(script.sent.last?.headers["Mcp-Name"] == "=?base64?YTrDqQ==?=")
    }

    static let contents: [(JSONValue, String?)] = [
        ([["text": "a"]], "a"), ([["blob": "YQ=="], ["text": " a\n\u{3000}"]], "a"), ([], nil), (5, nil),
        ([["text": "  "]], nil), ([["blob": "YQ=="]], nil),
        (
            [["text": "html", "mimeType": "text/html"], ["text": "md", "mimeType": "text/markdown; charset=utf-8"]],
            "md"
        ),
        ([["text": .string(String(repeating: "é", count: 20_000))]], String(repeating: "é", count: 16_384)),
    ]

    @Test("the description is the best text, trimmed and cut", arguments: contents)
    func content(contents: JSONValue, text: String?) throws {
        let script = try DiscoveryScript { _, sent in
            Reply.modern(sent) { $0.rpc == "resources/read" ? .result($0, ["contents": contents]) : nil }
        }
        #expect(script.service?.serviceDescription == text)
    }

    static let faults: [DiscoveryScript.Reply] = [
        .http(500), .http(401), .http(200, [], "<html>"), .failure(DiscoveryFailure(.unavailable, "gone")),
        .stream([]), .json(200, ["jsonrpc": "2.0", "error": ["code": -32002, "message": "secret"]]),
    ]

    @Test(
        "a fault in reading the description costs the description only",
        arguments: ["resources/list", "resources/read"],
        faults
    )
    func failingDescription(method: String, reply: DiscoveryScript.Reply) throws {
        let script = try DiscoveryScript { _, sent in Reply.legacy(sent) { $0.rpc == method ? reply : nil } }
        let service = try #require(script.service)
        #expect(service.tools.count == 1)
        #expect(service.serviceDescription == nil)
        #expect(service.warnings.count == 1)
        #expect(service.warnings.first?.contains("secret") == false)
        #expect(script.goodbye?.method == "DELETE")
    }

    @Test(
        "a tool is left out when its name holds what a reader can't see",
        arguments: [
            "\u{202E}", "\u{2066}", "\u{200F}", "\u{200B}", "\u{2060}", "\u{FEFF}", "\u{E0041}", "\u{2028}", "\u{FE0F}",
            "\u{3164}",
        ]
    )
    func invisibleNames(character: String) throws {
        let script = try DiscoveryScript(wantsDescription: false) { _, sent in
            Reply.modern(sent) { $0.rpc == "tools/list" ? .tools($0, ["p\(character)ay", "größe"]) : nil }
        }
        #expect(script.service?.tools.map(\.name) == ["größe"])
        #expect(script.service?.warnings == ["a tool with invisible characters in its name was left out"])
    }
}
