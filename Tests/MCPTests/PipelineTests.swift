import Testing

@testable import MCP

/// The steps before a message is looked at by the rules of its era.
@Suite("HTTP pipeline")
struct PipelineTests {
    private static let list: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "tools/list"]

    private static func respond(
        method: String = "POST",
        type: String? = "application/json",
        accept: String? = nil,
        body: [UInt8] = list.serialized()
    ) async -> MCPHTTPResponse {
        var headers: [(name: String, value: String)] = []
        if let type { headers.append(("Content-Type", type)) }
        if let accept { headers.append(("Accept", accept)) }
        return await ServerFixture.server.respond(
            to: MCPHTTPRequest(method: method, headers: headers, body: body),
            from: ()
        )
    }

    @Test("every method but POST is 405 with Allow", arguments: ["GET", "DELETE", "PUT", "PATCH", "HEAD", "post"])
    func method(method: String) async throws {
        let response = await Self.respond(method: method, accept: "text/event-stream", body: [])
        #expect(response.status == 405)
        #expect(response.header("allow") == "POST")
        #expect(try response.json.object?.keys == ["jsonrpc", "error"])
    }

    @Test(
        "the content type must be JSON",
        arguments: [
            ("application/json", 200), ("Application/JSON ; charset=utf-8", 200), ("text/plain", 415),
            ("application/json-rpc", 415), ("", 415), (nil, 415),
        ] as [(String?, Int)]
    )
    func contentType(type: String?, status: Int) async {
        #expect(await Self.respond(type: type).status == status)
    }

    static let accepts: [(String?, String?)] = [
        (nil, "application/json"), ("", "application/json"), ("*/*", "application/json"),
        ("application/*", "application/json"), ("application/json", "application/json"),
        ("text/event-stream, application/json", "application/json"), ("APPLICATION/JSON;q=0.5", "application/json"),
        ("text/event-stream", "text/event-stream"), ("text/*", "text/event-stream"),
        ("application/json;q=0, text/event-stream", "text/event-stream"),
        ("text/html", nil), ("application/json;q=0", nil), ("image/png, text/plain", nil),
    ]

    @Test("the answer's form follows Accept, leniently", arguments: accepts)
    func accept(accept: String?, form: String?) async {
        let response = await Self.respond(accept: accept)
        #expect(response.status == (form == nil ? 406 : 200))
        if let form { #expect(response.header("Content-Type") == form) }
        #expect(response.header("Cache-Control") == "no-store")
    }

    @Test("a stream holds exactly the same answer as one event")
    func stream() async throws {
        let stream = await Self.respond(accept: "text/event-stream")
        var parser = ServerSentEventParser()
        let events = try parser.append(stream.body)
        #expect(events == [ServerSentEvent(data: await Self.respond().body)])
        #expect(stream.header("X-Accel-Buffering") == "no")
    }

    @Test("a refusal is JSON even for a client that reads streams only")
    func refusalForm() async throws {
        let response = await Self.respond(accept: "text/event-stream", body: Array("{".utf8))
        #expect(response.status == 400)
        #expect(response.header("Content-Type") == "application/json")
    }

    @Test(
        "broken JSON is -32700 without an id",
        arguments: ["", "{", "[1,]", "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2}", "\u{FEFF}{}", "{} {}"]
    )
    func parseError(body: String) async throws {
        let response = await Self.respond(body: Array(body.utf8))
        #expect(response.status == 400)
        #expect(try response.errorCode == -32700)
        #expect(try response.json["id"] == nil)
    }

    @Test("a number of hundreds of digits or deep nesting is no fault of the server")
    func extremes() async throws {
        let deep = String(repeating: "[", count: 100_000)
        #expect(await Self.respond(body: Array(deep.utf8)).status == 400)
        let huge =
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":"#
            + String(repeating: "9", count: 30) + #","b":1}}}"#
        let response = await Self.respond(body: Array(huge.utf8))
        #expect(response.status == 200)
        #expect(try response.result?["isError"] == true)
    }

    static let malformed: [(JSONValue, Int64, JSONValue?)] = [
        ("text", -32600, nil), (5, -32600, nil), (nil, -32600, nil), ([:], -32600, nil),
        (["id": 1, "method": "ping"], -32600, 1), (["jsonrpc": "1.0", "id": "a", "method": "ping"], -32600, "a"),
        (["jsonrpc": 2.0, "id": 1, "method": "ping"], -32600, 1), (["jsonrpc": "2.0", "id": 1], -32600, 1),
        (["jsonrpc": "2.0", "id": 1, "method": 5], -32600, 1),
        (["jsonrpc": "2.0", "id": 1, "method": nil], -32600, 1),
        (["jsonrpc": "2.0", "id": 1, "method": "ping", "params": []], -32602, 1),
        (["jsonrpc": "2.0", "id": 1, "method": "ping", "params": nil], -32602, 1),
        (["jsonrpc": "2.0", "id": nil, "method": "ping"], -32600, nil),
        (["jsonrpc": "2.0", "id": 1.5, "method": "ping"], -32600, nil),
        (["jsonrpc": "2.0", "id": 1.0, "method": "ping"], -32600, nil),
        (["jsonrpc": "2.0", "id": true, "method": "ping"], -32600, nil),
        (["jsonrpc": "2.0", "id": [:], "method": "ping"], -32600, nil),
        (["jsonrpc": "2.0", "id": [1], "method": "ping"], -32600, nil),
    ]

    @Test("what is no message is refused with 400 and its id, when that can be read", arguments: malformed)
    func refusesMalformed(body: JSONValue, code: Int64, id: JSONValue?) async throws {
        let response = await ServerFixture.post(body)
        #expect(response.status == 400)
        #expect(try response.errorCode == code)
        #expect(try response.json["id"] == id)
    }

    @Test(
        "the id comes back with its type",
        arguments: [0, "", -1, "0", 7, "server-discover-probe-1", .integer(.max)] as [JSONValue]
    )
    func identifiers(id: JSONValue) async throws {
        let response = await ServerFixture.post(["method": "ping", "jsonrpc": "2.0", "id": id])
        #expect(response.status == 200)
        #expect(try response.json == ["jsonrpc": "2.0", "id": id, "result": [:]])
    }

    @Test(
        "a notification is 202 without body, whatever its name and headers",
        arguments: ["notifications/initialized", "notifications/cancelled", "tools/list", "no/such"],
        [nil, "2025-11-25", "2026-07-28", "v999"]
    )
    func notification(method: String, version: String?) async {
        let response = await ServerFixture.post(
            ["jsonrpc": "2.0", "method": .string(method)],
            version.map { [("MCP-Protocol-Version", $0)] } ?? []
        )
        #expect(response.status == 202)
        #expect(response.body.isEmpty)
    }

    @Test(
        "a stray response is dropped in the legacy era and refused in the modern one",
        arguments: [(nil, 202), ("2025-06-18", 202), ("2026-07-28", 400), ("v999", 400)] as [(String?, Int)]
    )
    func strayResponse(version: String?, status: Int) async throws {
        for body in [
            ["jsonrpc": "2.0", "id": 1, "result": [:]],
            ["jsonrpc": "2.0", "id": nil, "error": ["code": 1, "message": ""]],
            ["jsonrpc": "2.0", "id": 1, "error": [:]], ["jsonrpc": "2.0", "id": 1, "error": "no"],
        ] as [JSONValue] {
            let response = await ServerFixture.post(body, version.map { [("MCP-Protocol-Version", $0)] } ?? [])
            #expect(response.status == status)
            guard status == 400 else { continue }
            #expect(try response.errorCode == -32600)
            #expect(try response.json["id"] == nil, "it is none of the client's own")
        }
    }

    @Test("only a modern request ends with its client's connection")
    func disconnect() async {
        let modern = ServerFixture.modernRequest("tools/list")
        let legacy = MCPHTTPRequest(
            method: "POST",
            headers: [("Content-Type", "application/json")],
            body: Self.list.serialized()
        )
        for (request, isBound) in [(modern, true), (legacy, false)] {
            let gone = MCPHTTPResponse(status: 499, headers: [], body: [])
            let response = await ServerFixture.server.respond(to: request, from: (), whileConnected: { _ in gone })
            #expect((response.status == gone.status) == isBound)
        }
    }

    @Test(
        "a version that is given twice is named as the fault",
        arguments: [["2025-11-25", "2025-11-25"], ["2025-03-26", "2026-07-28"], ["v999", ""]]
    )
    func repeatedVersion(versions: [String]) async throws {
        let headers = versions.map { (name: "MCP-Protocol-Version", value: $0) }
        let response = await ServerFixture.post(Self.list, headers)
        #expect(response.status == 400)
        let message = "Header mismatch: MCP-Protocol-Version is repeated"
        #expect(try response.json["error"] == ["code": -32020, "message": .string(message)])
        let batch = await ServerFixture.post([Self.list], headers)
        #expect(batch.status == 400)
        #expect(try batch.json["error"]?["message"] == "Invalid request: MCP-Protocol-Version is repeated")
    }

    @Test("names in errors are cut by code points, however many make one character")
    func longNames() async throws {
        let long = "e" + String(repeating: "\u{301}", count: 100_000)
        let responses = [
            await ServerFixture.legacy(long), await ServerFixture.legacy("tools/call", ["name": .string(long)]),
            await ServerFixture.legacy("prompts/get", ["name": .string(long)]),
        ]
        for response in responses {
            let message = try #require(try response.json["error"]?["message"]?.string)
            #expect(message.hasSuffix("…") && message.unicodeScalars.count < 160)
        }
    }

    @Test("no session id is ever issued, and one that arrives is ignored")
    func sessions() async {
        let response = await ServerFixture.post(Self.list, [("Mcp-Session-Id", "abc"), ("Last-Event-ID", "1")])
        #expect(response.status == 200)
        #expect(response.header("Mcp-Session-Id") == nil)
    }
}
