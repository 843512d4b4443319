import Testing

@testable import MCP

@Suite("Legacy requests")
struct LegacyTests {
    static let negotiations: [(String, String)] = [
        ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"), ("2026-07-28", "2025-11-25"), ("2099-01-01", "2025-11-25"), ("", "2025-11-25"),
    ]

    @Test("initialize agrees to a legacy version and offers the newest one otherwise", arguments: negotiations)
    func initialize(wish: String, answer: String) async throws {
        let params: JSONValue = ["protocolVersion": .string(wish), "capabilities": [:], "clientInfo": [:]]
        for header in [nil, "2025-03-26"] {
            let response = await ServerFixture.legacy("initialize", params, version: header)
            #expect(response.status == 200)
            #expect(
                try response.result == [
                    "protocolVersion": .string(answer),
                    "capabilities": ["tools": [:], "resources": [:], "prompts": [:]],
                    "serverInfo": ["name": "mcp-registry", "title": "MCP Registry", "version": "1.2.3"],
                    "instructions": "Ask it.",
                ]
            )
            #expect(response.header("Mcp-Session-Id") == nil)
        }
    }

    @Test(
        "initialize without a version is -32602 on 200",
        arguments: [nil, [:], ["protocolVersion": 5]] as [JSONValue?]
    )
    func initializeWithoutVersion(params: JSONValue?) async throws {
        let response = await ServerFixture.legacy("initialize", params, version: nil)
        #expect(response.status == 200)
        #expect(try response.errorCode == -32602)
    }

    @Test(
        "requests are served without any handshake, with every version header",
        arguments: [
            nil, "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25",
        ]
    )
    func stateless(version: String?) async throws {
        #expect(try await ServerFixture.legacy("ping", version: version).result == [:])
        let tools = try await ServerFixture.legacy("tools/list", version: version).result
        #expect(tools?.object?.keys == ["tools"])
        #expect(tools?["tools"]?.array?.compactMap { $0["name"]?.string } == ["add", "list", "broken"])
        let call: JSONValue = ["name": "add", "arguments": ["a": 1, "b": 2], "task": ["ttl": 1]]
        let result = try await ServerFixture.legacy("tools/call", call, version: version).result
        #expect(
            result == [
                "content": [["type": "text", "text": "sum 3"]], "structuredContent": ["result": "sum 3"],
                "isError": false,
            ]
        )
    }

    @Test("a version in _meta is served as that version")
    func versionInBody() async throws {
        let params: JSONValue = ["_meta": [MetaKey.protocolVersion: "2025-11-25"]]
        for header in [nil, "2025-11-25"] {
            let response = await ServerFixture.legacy("tools/list", params, version: header)
            #expect(response.status == 200)
            #expect(try response.result?["resultType"] == nil)
        }
    }

    static let errors: [(String, JSONValue?, Int64)] = [
        ("no/such", nil, -32601), ("server/discover", nil, -32601), ("logging/setLevel", ["level": "debug"], -32601),
        ("completion/complete", nil, -32601), ("resources/subscribe", ["uri": "x"], -32601),
        ("subscriptions/listen", nil, -32601), ("TOOLS/LIST", nil, -32601),
        ("tools/list", ["cursor": "x"], -32602), ("tools/list", ["cursor": ""], -32602),
        ("tools/list", ["cursor": 5], -32602), ("tools/call", nil, -32602), ("tools/call", ["name": 5], -32602),
        ("tools/call", ["name": "add", "arguments": [1]], -32602), ("tools/call", ["name": "nope"], -32602),
        ("tools/call", ["name": "broken"], -32603), ("resources/read", nil, -32602),
        ("resources/read", ["uri": "resource://nope"], -32002), ("prompts/get", ["name": "p"], -32602),
        ("prompts/get", nil, -32602),
    ]

    @Test("errors ride on status 200", arguments: errors)
    func refusesOn200(method: String, params: JSONValue?, code: Int64) async throws {
        let response = await ServerFixture.legacy(method, params)
        #expect(response.status == 200)
        #expect(try response.errorCode == code)
        #expect(try response.json["id"] == 1)
    }

    @Test("a fault inside a tool shows no details")
    func internalError() async throws {
        let response = await ServerFixture.legacy("tools/call", ["name": "broken"])
        #expect(try response.json["error"] == ["code": -32603, "message": "Internal error"])
    }

    @Test("an argument fault is a result with isError; absent arguments are empty ones")
    func toolFailure() async throws {
        let expected: JSONValue = [
            "content": [["type": "text", "text": "a and b must be integers"]], "isError": true,
        ]
        #expect(try await ServerFixture.legacy("tools/call", ["name": "add"]).result == expected)
        let call: JSONValue = ["name": "add", "arguments": ["a": "1", "b": 2]]
        #expect(try await ServerFixture.legacy("tools/call", call).result == expected)
    }

    @Test("the service's own description is a resource; templates and prompts are empty lists")
    func resources() async throws {
        let list = try await ServerFixture.legacy("resources/list").result
        #expect(list?["resources"]?[0]?["name"] == "service_description")
        let uri = try #require(list?["resources"]?[0]?["uri"])
        let read = try await ServerFixture.legacy("resources/read", ["uri": uri]).result
        #expect(read == ["contents": [["uri": uri, "mimeType": "text/plain", "text": "Knows services."]]])
        #expect(try await ServerFixture.legacy("resources/templates/list").result == ["resourceTemplates": []])
        #expect(try await ServerFixture.legacy("prompts/list", ["cursor": nil]).result == ["prompts": []])
    }

    @Test("an unknown version header is 400", arguments: ["v999", "2025-1-1", ""])
    func unknownVersion(version: String) async {
        #expect(await ServerFixture.legacy("tools/list", version: version).status == 400)
    }
}
