import Testing

@testable import MCP

@Suite("Streams of a discovered service")
struct DiscoveryStreamTests {
    typealias Reply = DiscoveryScript.Reply

    private static func event(_ message: JSONValue, type: String = "message") -> ServerSentEvent {
        ServerSentEvent(type: type, data: message.serialized())
    }

    private static func tools(_ id: JSONValue, _ name: JSONValue = "add") -> JSONValue {
        ["jsonrpc": "2.0", "id": id, "result": ["tools": [["name": name, "inputSchema": [:]]]]]
    }

    private static func legacy(tools events: @escaping (DiscoveryScript.Sent) -> [ServerSentEvent]) throws
        -> DiscoveryScript
    {
        try DiscoveryScript(wantsDescription: false) { _, sent in
            Reply.legacy(sent) { $0.rpc == "tools/list" ? .stream(events($0)) : nil }
        }
    }

    @Test("priming events, other types, notifications and other ids are passed over")
    func noise() throws {
        let script = try Self.legacy { sent in
            [
                ServerSentEvent(data: [], id: "1"), Self.event(Self.tools(sent.id, "ping"), type: "ping"),
                Self.event(["jsonrpc": "2.0", "method": "notifications/message", "params": [:]]),
                Self.event(Self.tools(99, "other")), Self.event(Self.tools("3", "text id")),
                Self.event(Self.tools(sent.id)),
                Self.event(Self.tools(sent.id, "late")),
            ]
        }
        #expect(script.service?.tools.map(\.name) == ["add"])
    }

    @Test("a ping on the stream is answered, anything else refused, each beside the stream with the session's headers")
    func requests() throws {
        let script = try Self.legacy { sent in
            [
                Self.event(["jsonrpc": "2.0", "id": "p", "method": "ping"]),
                Self.event(["jsonrpc": "2.0", "id": 0, "method": "sampling/createMessage", "params": [:]]),
                Self.event(Self.tools(sent.id)),
            ]
        }
        #expect(
            script.aside.map(\.body) == [
                ["jsonrpc": "2.0", "id": "p", "result": [:]],
                [
                    "jsonrpc": "2.0", "id": 0,
                    "error": ["code": -32601, "message": "Method not found: sampling/createMessage"],
                ],
            ]
        )
        #expect(script.aside.allSatisfy { $0.headers["Mcp-Session-Id"] == "136b" && $0.method == "POST" })
        #expect(script.service?.tools.count == 1)
    }

    @Test("a service that asks without end is given up")
    func requestFlood() throws {
        let script = try Self.legacy { _ in
            Array(repeating: Self.event(["jsonrpc": "2.0", "id": 1, "method": "ping"]), count: 1000)
        }
        #expect(script.aside.count == 16)
        #expect(script.failure?.kind == .unusable)
    }

    @Test("a modern service's requests are not answered")
    func modernRequests() throws {
        let script = try DiscoveryScript(wantsDescription: false) { _, sent in
            Reply.modern(sent) {
                guard $0.rpc == "tools/list" else { return nil }
                return .stream([
                    Self.event(["jsonrpc": "2.0", "id": 1, "method": "ping"]), Self.event(Self.tools($0.id)),
                ])
            }
        }
        #expect(script.aside.isEmpty)
        #expect(script.service?.tools.count == 1)
    }

    @Test("a stream that ends early is asked for once more, with a new id")
    func earlyEnd() throws {
        var isFirst = true
        let script = try Self.legacy { sent in
            defer { isFirst = false }
            return isFirst ? [] : [Self.event(Self.tools(sent.id))]
        }
        #expect(script.sent.suffix(2).map(\.id) == [3, 4])
        #expect(script.service?.tools.count == 1)
        #expect(try Self.legacy { _ in [] }.failure?.reason == "the service ended its answer early")
    }

    @Test("an error counts when it is ours or nobody's")
    func errors() throws {
        for id in [3, nil, "server-error"] as [JSONValue] {
            let error: JSONValue = ["jsonrpc": "2.0", "id": id, "error": ["code": -32603, "message": "secret"]]
            let failure = try Self.legacy { _ in [Self.event(error)] }.failure
            #expect(failure?.reason == "the service refused tools/list with error -32603")
        }
        let foreign: JSONValue = ["jsonrpc": "2.0", "id": 99, "error": ["code": -32603, "message": "m"]]
        #expect(try Self.legacy { [Self.event(foreign), Self.event(Self.tools($0.id))] }.service != nil)
    }

    @Test(
        "a message that is not JSON-RPC ends discovery",
        arguments: ["{", "[]", "\"x\"", "{\"jsonrpc\":\"1.0\"}", "\u{0}"]
    )
    func garbage(text: String) throws {
        let script = try Self.legacy { _ in [ServerSentEvent(data: Array(text.utf8))] }
        #expect(script.failure?.kind == .unusable)
    }
}
