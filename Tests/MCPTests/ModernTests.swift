import Testing

@testable import MCP

@Suite("Modern requests")
struct ModernTests {
    private static func post(
        method: String = "tools/list",
        meta: JSONValue?,
        params: JSONObject = [:],
        headers: [(name: String, value: String)]
    ) async -> MCPHTTPResponse {
        var params = params
        params["_meta"] = meta
        return await ServerFixture.post(
            ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(params)],
            headers
        )
    }

    private static func meta(_ version: JSONValue, capabilities: JSONValue = [:]) -> JSONValue {
        [MetaKey.protocolVersion: version, MetaKey.clientCapabilities: capabilities]
    }

    private static let version = (name: "MCP-Protocol-Version", value: "2026-07-28")
    private static let list = (name: "Mcp-Method", value: "tools/list")

    static let incomplete: [JSONValue?] = [
        nil, 5, [:], meta(5), [MetaKey.clientCapabilities: [:]], [MetaKey.protocolVersion: "2026-07-28"],
        meta("2026-07-28", capabilities: []),
    ]

    @Test("incomplete _meta is 400 and -32602, before any header is looked at", arguments: incomplete)
    func incompleteMeta(meta: JSONValue?) async throws {
        for headers in [[Self.version, Self.list], [Self.version]] {
            let response = await Self.post(meta: meta, headers: headers)
            #expect(response.status == 400)
            #expect(try response.errorCode == -32602)
            #expect(try response.json["id"] == 1)
        }
    }

    @Test(
        "a header of the modern version without params is 400 and -32602, initialize included",
        arguments: [
            "tools/list", "initialize", "ping",
        ]
    )
    func headerOnly(method: String) async throws {
        let response = await ServerFixture.legacy(method, version: "2026-07-28")
        #expect(response.status == 400)
        #expect(try response.errorCode == -32602)
    }

    static let versions: [(String?, JSONValue, Int64)] = [
        (nil, "2026-07-28", -32020), ("2025-11-25", "2026-07-28", -32020), ("2026-07-28", "v999", -32020),
        ("v999", "2026-07-28", -32020), (nil, "v999", -32020), ("2026-07-28", "2025-11-25", -32020),
        ("2025-06-18", "2025-11-25", -32020), ("v999", "v999", -32022), ("2027-01-01", "2027-01-01", -32022),
    ]

    @Test("a version mismatch outranks an unsupported version", arguments: versions)
    func comparesVersions(header: String?, body: JSONValue, code: Int64) async throws {
        let headers = [Self.list] + (header.map { [("MCP-Protocol-Version", $0)] } ?? [])
        let response = await Self.post(meta: Self.meta(body), headers: headers)
        #expect(response.status == 400)
        #expect(try response.errorCode == code)
        #expect(try response.json["id"] == 1)
        guard code == -32022 else { return }
        #expect(
            try response.json["error"]?["data"] == [
                "supported": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"], "requested": body,
            ]
        )
    }

    @Test("a legacy version in _meta that contradicts the header is -32020, whatever else _meta lacks")
    func contradiction() async throws {
        let response = await Self.post(
            meta: [MetaKey.protocolVersion: "2025-11-25"],
            headers: [Self.version, Self.list]
        )
        #expect(response.status == 400)
        #expect(try response.errorCode == -32020)
    }

    static let methodHeaders: [([(name: String, value: String)], Bool)] = [
        ([version, list], true), ([("mcp-protocol-version", " 2026-07-28\t"), ("MCP-METHOD", " tools/list ")], true),
        ([version], false), ([version, ("Mcp-Method", "tools/call")], false),
        ([version, ("Mcp-Method", "Tools/List")], false), ([version, ("Mcp-Method", "")], false),
        ([version, list, list], false), ([version, version, list], false),
        // On a method that mirrors nothing Mcp-Name does not matter.
        ([version, list, ("Mcp-Name", "=?base64?!?=")], true),
    ]

    @Test("Mcp-Method must be there once and equal the body's method", arguments: methodHeaders)
    func methodHeader(headers: [(name: String, value: String)], isAccepted: Bool) async throws {
        let response = await Self.post(meta: ServerFixture.meta, headers: headers)
        #expect(response.status == (isAccepted ? 200 : 400))
        #expect(try response.errorCode == (isAccepted ? nil : -32020))
    }

    static let nameHeaders: [([String], Bool)] = [
        (["add"], true), ([" add "], true), (["=?base64?YWRk?="], true), ([], false), (["list"], false),
        (["ADD"], false),
        (["add", "add"], false), (["=?base64?YWRk"], false), (["=?base64?YWRk=?="], false),
        (["=?BASE64?YWRk?="], false),
        (["=?base64?!!!!?="], false), (["=?base64?/w==?="], false),
    ]

    @Test("Mcp-Name must be there once and stand for the tool's name", arguments: nameHeaders)
    func nameHeader(values: [String], isAccepted: Bool) async throws {
        let headers = [Self.version, ("Mcp-Method", "tools/call")] + values.map { ("Mcp-Name", $0) }
        let params: JSONObject = ["name": "add", "arguments": ["a": 1, "b": 2]]
        let response = await Self.post(method: "tools/call", meta: ServerFixture.meta, params: params, headers: headers)
        #expect(response.status == (isAccepted ? 200 : 400))
        #expect(try response.errorCode == (isAccepted ? nil : -32020))
    }

    @Test("for resources/read Mcp-Name stands for the address")
    func resourceName() async throws {
        let uri = "resource://service_description"
        #expect(await ServerFixture.modern("resources/read", ["uri": .string(uri)]).status == 200)
        let headers = [Self.version, ("Mcp-Method", "resources/read"), ("Mcp-Name", "resource://other")]
        let params: JSONObject = ["uri": .string(uri)]
        let response = await Self.post(
            method: "resources/read",
            meta: ServerFixture.meta,
            params: params,
            headers: headers
        )
        #expect(try response.errorCode == -32020)
    }

    static let removed = [
        "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "unknown/method",
        "subscriptions/listen", "completion/complete", "tasks/list",
    ]

    @Test("a method that is gone or unknown is 404 and -32601", arguments: removed)
    func refusesRemoved(method: String) async throws {
        let response = await ServerFixture.modern(method)
        #expect(response.status == 404)
        #expect(try response.errorCode == -32601)
        #expect(try response.json["id"] == 1)
    }

    static let malformed: [(String, JSONObject, Int, Int64)] = [
        ("tools/list", ["cursor": "x"], 400, -32602), ("tools/call", ["name": "nope"], 400, -32602),
        ("tools/call", [:], 400, -32602), ("tools/call", ["name": "add", "arguments": []], 400, -32602),
        ("tools/call", ["name": "broken"], 200, -32603), ("prompts/get", ["name": "p"], 400, -32602),
        ("resources/read", [:], 400, -32602), ("resources/read", ["uri": "x:y"], 400, -32602),
    ]

    @Test("faults of a method's parameters are 400, of the server 200", arguments: malformed)
    func refusesParams(method: String, params: JSONObject, status: Int, code: Int64) async throws {
        let response = await ServerFixture.modern(method, params)
        #expect(response.status == status)
        #expect(try response.errorCode == code)
    }

    @Test("an unknown resource is named in the error's data")
    func unknownResource() async throws {
        let response = await ServerFixture.modern("resources/read", ["uri": "x:y"])
        #expect(try response.json["error"]?["data"] == ["uri": "x:y"])
    }

    private static let serverInfo: JSONValue = [
        MetaKey.serverInfo: ["name": "mcp-registry", "title": "MCP Registry", "version": "1.2.3"]
    ]

    @Test("server/discover tells versions, capabilities and, in _meta, who answers")
    func discover() async throws {
        let response = await ServerFixture.modern("server/discover")
        #expect(response.status == 200)
        #expect(
            try response.result == [
                "supportedVersions": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"],
                "capabilities": ["tools": [:], "resources": [:], "prompts": [:]], "instructions": "Ask it.",
                "resultType": "complete", "ttlMs": 300_000, "cacheScope": "private", "_meta": Self.serverInfo,
            ]
        )
    }

    @Test(
        "lists and reads carry caching hints",
        arguments: [
            "tools/list", "resources/list", "resources/templates/list", "prompts/list", "resources/read",
        ]
    )
    func caching(method: String) async throws {
        let params: JSONObject = method == "resources/read" ? ["uri": "resource://service_description"] : [:]
        let result = try #require(try await ServerFixture.modern(method, params).result)
        #expect(result["resultType"] == "complete")
        #expect(result["ttlMs"]?.integer ?? -1 >= 0)
        #expect(result["cacheScope"] == "private")
        #expect(result["_meta"] == Self.serverInfo)
    }

    @Test("a tool's result is complete and carries no caching hints")
    func call() async throws {
        let params: JSONObject = ["name": "list", "arguments": [:]]
        #expect(
            try await ServerFixture.modern("tools/call", params).result == [
                "content": [], "structuredContent": ["result": []], "isError": false, "resultType": "complete",
                "_meta": Self.serverInfo,
            ]
        )
    }

    @Test("what fastmcp 4 adds to _meta is ignored")
    func extraMeta() async throws {
        var meta = try #require(ServerFixture.meta.object)
        meta["io.modelcontextprotocol/logLevel"] = "debug"
        meta["progressToken"] = 3
        meta[MetaKey.clientInfo] = nil
        #expect(await Self.post(meta: .object(meta), headers: [Self.version, Self.list]).status == 200)
    }
}
