import Synchronization
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
            ["jsonrpc": "2.0", "id": 9, "result": [:]], ["jsonrpc": "2.0", "id": 9, "error": [:]], 5,
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

    /// A batch of three calls, a notification between them and something wrong at the end.
    private static let calls: JSONValue = {
        let call = { (id: Int64) -> JSONValue in
            ["jsonrpc": "2.0", "id": .integer(id), "method": "tools/call", "params": ["name": "work"]]
        }
        return [call(1), call(2), note, call(3), ["jsonrpc": "2.0", "id": 4]]
    }()

    /// What the requests of ``calls`` are answered by a server whose tool takes a while and says much.
    private static func answers(duration: Duration, bytes: Int) async throws -> (answers: [JSONValue], runs: Int) {
        let clock = Mutex(ContinuousClock.now)
        let runs = Mutex(0)
        var server = MCPServer<Void>(
            name: "n",
            version: "1",
            title: "t",
            instructions: "i",
            tools: [ServerFixture.tool("work")],
            callTool: { _, _ in
                clock.withLock { $0 += duration }
                runs.withLock { $0 += 1 }
                return .wrapping(.string(String(repeating: "x", count: bytes)))
            }
        )
        server.now = { clock.withLock { $0 } }
        let request = MCPHTTPRequest(
            method: "POST",
            headers: [("Content-Type", "application/json")],
            body: calls.serialized()
        )
        let response = await server.respond(to: request, from: ())
        return (try #require(try response.json.array), runs.withLock { $0 })
    }

    @Test(
        "once a batch has taken its time or its room, further requests are told to come alone, and nothing is run",
        arguments: [(.seconds(60), 1), (.zero, 4 * 1024 * 1024)] as [(Duration, Int)]
    )
    func budget(duration: Duration, bytes: Int) async throws {
        let (answers, runs) = try await Self.answers(duration: duration, bytes: bytes)
        #expect(runs == 1)
        #expect(answers.count == 4)
        #expect(answers[0]["result"] != nil)
        for (answer, id) in zip(answers[1...2], [2, 3] as [JSONValue]) {
            #expect(answer["id"] == id)
            #expect(answer["error"]?["code"] == -32600)
            #expect(answer["error"]?["message"]?.string?.hasSuffix(": send it alone") == true)
        }
        #expect(answers[3]["error"]?["message"]?.string?.contains("method") == true)
    }

    @Test("a batch within its time and room is answered as a whole")
    func withinBudget() async throws {
        let (answers, runs) = try await Self.answers(duration: .seconds(29), bytes: 256 * 1024)
        #expect(runs == 3)
        #expect(answers.prefix(3).allSatisfy { $0["result"] != nil })
    }

    @Test("twenty messages are not too many")
    func limit() async throws {
        let response = await ServerFixture.post(.array(Array(repeating: Self.ping, count: 20)))
        #expect(try response.json.array?.count == 20)
    }
}
