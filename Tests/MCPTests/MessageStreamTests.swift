import Testing

@testable import MCP

@Suite("Discovery over HTTP+SSE")
struct MessageStreamTests {
    typealias Reply = DiscoveryScript.Reply
    typealias Sent = DiscoveryScript.Sent

    private static let endpoint = ServerSentEvent(type: "endpoint", data: Array("/messages?session=1".utf8))

    private static func event(_ message: JSONValue) -> ServerSentEvent { ServerSentEvent(data: message.serialized()) }

    private static func posted(_ sent: Sent, _ result: JSONValue, before: [ServerSentEvent] = []) -> Reply {
        .posted(202, before + [event(["jsonrpc": "2.0", "id": sent.id, "result": result])])
    }

    /// A service of 2024-11-05 that refuses what it doesn't know with a status, but what `special` takes over.
    private static func service(
        status: Int = 404,
        _ special: @escaping (Sent) -> Reply? = { _ in nil }
    ) -> (Int, Sent) -> Reply {
        var isOpen = false
        return { _, sent in
            isOpen = isOpen || sent.method == "GET"
            if let reply = special(sent) { return reply }
            if sent.method == "GET" { return .openStream(endpoint) }
            guard isOpen else { return .http(status) }
            switch sent.rpc {
            case "initialize":
                let result: JSONValue = [
                    "protocolVersion": "2024-11-05", "capabilities": ["tools": [:], "resources": [:]],
                    "serverInfo": ["name": "old", "version": "1"],
                ]
                return posted(sent, result)
            case "notifications/initialized": return .posted(202)
            case "tools/list": return posted(sent, ["tools": [["name": "add", "inputSchema": [:]]]])
            case "resources/list":
                return posted(sent, ["resources": [["name": "service_description", "uri": "r://d"]]])
            case "resources/read": return posted(sent, ["contents": [["uri": "r://d", "text": "Adds numbers."]]])
            default: return .posted(400)
            }
        }
    }

    private static let flow: [String?] = [
        "initialize", "notifications/initialized", "tools/list", "resources/list", "resources/read",
    ]

    @Test("a service that refuses initialize by status is asked for the stream", arguments: [400, 404, 405])
    func fallback(status: Int) throws {
        let script = try DiscoveryScript(Self.service(status: status))
        #expect(script.sent.map(\.rpc) == ["server/discover", "initialize", nil] + Self.flow)
        let get = script.sent[2]
        #expect(get.method == "GET" && get.headers["Accept"] == "text/event-stream" && get.body == nil)
        #expect(get.headers["MCP-Protocol-Version"] == nil)
        #expect(script.entered == ["/messages?session=1"])
        #expect(script.service?.tools.map(\.name) == ["add"])
        #expect(script.service?.serviceDescription == "Adds numbers.")
        #expect(script.service?.protocolVersion == .v20241105)
        #expect(script.goodbye == nil)
    }

    @Test("an address that looks like one is asked for the stream at once")
    func first() throws {
        let script = try DiscoveryScript(startsWithStream: true, Self.service())
        #expect(script.sent.map(\.rpc) == [nil] + Self.flow)
        #expect(script.service != nil)
    }

    @Test(
        "an address that only looks like one is probed as others are",
        arguments: [.http(404), .http(405), .http(200, [], "<html>"), .stream([])] as [DiscoveryScript.Reply]
    )
    func looksOnly(reply: Reply) throws {
        let script = try DiscoveryScript(startsWithStream: true) { _, sent in
            sent.method == "GET" ? reply : Reply.modern(sent)
        }
        #expect(script.sent.map(\.rpc).prefix(2) == [nil, "server/discover"])
        #expect(script.service?.protocolVersion == .v20260728)
        let dead = try DiscoveryScript(startsWithStream: true) { _, sent in sent.method == "GET" ? reply : .http(404) }
        #expect(dead.sent.map(\.rpc) == [nil, "server/discover", "initialize"])
        #expect(dead.failure?.reason == "there is no MCP endpoint at this address (HTTP status 404)")
    }

    static let noStreams: [(DiscoveryScript.Reply, String)] = [
        (.http(404), "there is no MCP endpoint at this address (HTTP status 405)"),
        (.http(200, [], "<html>"), "there is no MCP endpoint at this address (HTTP status 405)"),
        (.stream([]), "there is no MCP endpoint at this address (HTTP status 405)"),
        (
            .openStream(ServerSentEvent(data: Array("{}".utf8))),
            "there is no MCP endpoint at this address (HTTP status 405)"
        ),
        (.http(401), "the service requires authorization"),
        (.http(503), "the service answered with HTTP status 503"),
        (
            .openStream(ServerSentEvent(type: "endpoint", data: [])),
            "the service's stream names an endpoint that is unusable"
        ),
        (
            .openStream(ServerSentEvent(type: "endpoint", data: [0xff])),
            "the service's stream names an endpoint that is unusable"
        ),
        (
            .openStream(ServerSentEvent(type: "endpoint", data: Array(repeating: 0x61, count: 2049))),
            "the service's stream names an endpoint that is unusable"
        ),
    ]

    @Test("where the stream is none either, the first failure or a plainer one is told", arguments: noStreams)
    func noStream(reply: Reply, reason: String) throws {
        let script = try DiscoveryScript { _, sent in sent.method == "GET" ? reply : .http(405) }
        #expect(script.failure?.reason == reason)
        #expect(script.sent.count == 3)
    }

    @Test(
        "initialize that is refused by status in words of JSON-RPC leads to the stream too",
        arguments: [400, 404, 405]
    )
    func refusal(status: Int) throws {
        let old = Self.service()
        let script = try DiscoveryScript { number, sent in
            number < 2 ? .error(sent, -32600, status: status) : old(number, sent)
        }
        #expect(script.sent.map(\.rpc) == ["server/discover", "initialize", nil] + Self.flow)
        #expect(script.service?.tools.map(\.name) == ["add"])
    }

    @Test("where such a service has no stream, its refusal is told")
    func refusalWithoutStream() throws {
        let script = try DiscoveryScript { _, sent in
            sent.method == "GET" ? .http(405) : .error(sent, -32600, status: 400)
        }
        #expect(script.sent.map(\.rpc) == ["server/discover", "initialize", nil])
        #expect(script.failure?.reason == "the service refused initialize with error -32600")
    }

    @Test("an error that only modern services know does not lead to the stream", arguments: [-32020, -32021, -32022])
    func modernRefusal(code: Int64) throws {
        let script = try DiscoveryScript { number, sent in
            .error(sent, number == 0 ? -32601 : code, status: 400)
        }
        #expect(script.sent.map(\.rpc) == ["server/discover", "initialize"])
        #expect(script.failure?.reason == "the service refused initialize with error \(code)")
    }

    @Test("an error with another status does not lead to the stream")
    func otherStatus() throws {
        let script = try DiscoveryScript { _, sent in .error(sent, -32600) }
        #expect(script.sent.map(\.rpc) == ["server/discover", "initialize"])
    }

    @Test("a session id on the stream's own answer is none")
    func strangeSession() throws {
        let script = try DiscoveryScript(
            startsWithStream: true,
            Self.service { $0.method == "GET" ? .openStream(Self.endpoint, [("Mcp-Session-Id", "x")]) : nil }
        )
        #expect(script.service?.tools.map(\.name) == ["add"])
        #expect(script.sent.allSatisfy { $0.headers["Mcp-Session-Id"] == nil })
        #expect(script.goodbye == nil)
    }

    @Test("answers are matched by id; pings are answered beside the stream and other requests refused")
    func matching() throws {
        let script = try DiscoveryScript(
            startsWithStream: true,
            Self.service {
                guard $0.rpc == "tools/list" else { return nil }
                return Self.posted(
                    $0,
                    ["tools": [["name": "right", "inputSchema": [:]]]],
                    before: [
                        Self.event(["jsonrpc": "2.0", "id": 99, "result": ["tools": []]]),
                        Self.event(["jsonrpc": "2.0", "id": "p", "method": "ping"]),
                        Self.event(["jsonrpc": "2.0", "id": 7, "method": "roots/list"]),
                        Self.event(["jsonrpc": "2.0", "method": "notifications/tools/list_changed"]),
                    ]
                )
            }
        )
        #expect(script.service?.tools.map(\.name) == ["right"])
        #expect(script.aside.map(\.id) == ["p", 7])
        #expect(script.aside[0].body["result"] == [:])
        #expect(script.aside[1].body["error"]?["code"] == -32601)
    }

    @Test("a message that is not accepted, or a stream that ends, ends discovery")
    func faults() throws {
        for (reply, reason) in [
            (.posted(500), "the service answered with HTTP status 500"),
            (.posted(404), "there is no MCP endpoint at this address (HTTP status 404)"),
            (.posted(401), "the service requires authorization"),
            (.http(401, [("WWW-Authenticate", "Basic realm=x")]), "the service requires authorization (Basic)"),
            (.failure(DiscoveryFailure(.unavailable, "gone")), "gone"),
        ] as [(Reply, String)] {
            let script = try DiscoveryScript(
                startsWithStream: true,
                Self.service { $0.rpc == "tools/list" ? reply : nil }
            )
            #expect(script.failure?.reason == reason)
        }
    }

    @Test("a stream that ends before the answer is not opened again")
    func end() {
        var session = DiscoverySession(
            wantsDescription: false,
            startsWithStream: true,
            clientName: "c",
            clientVersion: "1"
        )
        _ = session.next(.start)
        _ = session.next(.streamOpened(status: 200, headers: []))
        _ = session.next(.streamEvent(Self.endpoint))
        guard case .sendBeside = session.next(.entered),
            case .read = session.next(.reply(status: 202, headers: [], body: [])),
            case .failed(let failure, nil) = session.next(.streamEnded)
        else {
            Issue.record("another order of things")
            return
        }
        #expect(failure.reason == "the service ended its answer early")
    }
}
