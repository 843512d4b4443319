import Testing

@testable import MCP

@Suite("Batches (2025-03-26)")
struct BatchTests {
    private static let ping: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "ping"]
    private static let note: JSONValue = ["jsonrpc": "2.0", "method": "notifications/initialized"]

    @Test("one answer per request, in order, none for notifications and responses", arguments: [nil, "2025-03-26"])
    func answers(version: String?) async throws {
        let batch: JSONValue = [
            Self.ping, Self.note, ["jsonrpc": "2.0", "id": "x", "method": "no/such"],
            ["jsonrpc": "2.0", "id": 9, "result": [:]], 5,
        ]
        let response = await ServerFixture.post(batch, version.map { [("MCP-Protocol-Version", $0)] } ?? [])
        #expect(response.status == 200)
        let answers = try #require(try response.json.array)
        #expect(answers.count == 3)
        #expect(answers[0] == ["jsonrpc": "2.0", "id": 1, "result": [:]])
        #expect(answers[1]["id"] == "x")
        #expect(answers[1]["error"]?["code"] == -32601)
        #expect(answers[2]["id"] == nil)
        #expect(answers[2]["error"]?["code"] == -32600)
    }

    @Test("a batch of notifications is 202")
    func notifications() async {
        let response = await ServerFixture.post([Self.note, Self.note])
        #expect(response.status == 202)
        #expect(response.body.isEmpty)
    }

    static let refused: [(JSONValue, String?)] = [
        ([], nil), ([ping], "2025-06-18"), ([ping], "2025-11-25"), ([ping], "2024-11-05"), ([ping], "2026-07-28"),
        ([ping], "v999"), (.array(Array(repeating: ping, count: 21)), nil),
        ([["jsonrpc": "2.0", "id": 1, "method": "initialize", "params": ["protocolVersion": "2025-03-26"]]], nil),
        ([ping, ["jsonrpc": "2.0", "id": 2, "method": "ping", "params": ["_meta": ServerFixture.meta]]], nil),
        (
            [ping, ["jsonrpc": "2.0", "id": 2, "method": "ping", "params": ["_meta": ServerFixture.meta]]], "2026-07-28"
        ),
    ]

    @Test("any other batch is 400 and -32600", arguments: refused)
    func refusesOther(batch: JSONValue, version: String?) async throws {
        let response = await ServerFixture.post(batch, version.map { [("MCP-Protocol-Version", $0)] } ?? [])
        #expect(response.status == 400)
        #expect(try response.errorCode == -32600)
        #expect(try response.json["id"] == nil)
    }

    @Test("twenty messages are not too many")
    func limit() async throws {
        let response = await ServerFixture.post(.array(Array(repeating: Self.ping, count: 20)))
        #expect(try response.json.array?.count == 20)
    }
}
