import Testing

@testable import MCP

@Suite("Discovery of a service")
struct DiscoverySessionTests {
    typealias Reply = DiscoveryScript.Reply

    @Test("a modern service: discover, tools, description; every request complete in itself")
    func modern() throws {
        let script = try DiscoveryScript { Reply.modern($1) }
        #expect(script.sent.map(\.rpc) == ["server/discover", "tools/list", "resources/list", "resources/read"])
        #expect(script.sent.map(\.id) == [1, 2, 3, 4])
        for sent in script.sent {
            #expect(sent.method == "POST")
            #expect(sent.headers["Accept"] == "application/json, text/event-stream")
            #expect(sent.headers["Content-Type"] == "application/json")
            #expect(sent.headers["MCP-Protocol-Version"] == "2026-07-28")
            #expect(sent.headers["Mcp-Method"] == sent.rpc)
            #expect(sent.headers["Mcp-Session-Id"] == nil)
            #expect(
                sent.body["params"]?["_meta"] == [
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientInfo": ["name": "mcp-registry", "version": "1"],
                    "io.modelcontextprotocol/clientCapabilities": [:],
                ]
            )
        }
        #expect(script.sent.map { $0.headers["Mcp-Name"] } == [nil, nil, nil, "r://service_description"])
        let service = try #require(script.service)
        #expect(service.tools.map(\.name) == ["add"])
        #expect(service.serviceDescription == "Adds numbers.")
        #expect(service.protocolVersion == .v20260728)
        #expect(service.warnings == [])
        #expect(script.goodbye == nil)
    }

    @Test("our own server understands what discovery sends")
    func ownServer() async throws {
        var session = DiscoverySession(wantsDescription: true, clientName: "c", clientVersion: "1")
        var action = session.next(.start)
        while case .send(let exchange) = action {
            let request = MCPHTTPRequest(method: exchange.method, headers: exchange.headers, body: exchange.body)
            let response = await ServerFixture.server.respond(to: request, from: ())
            action = session.next(.reply(status: response.status, headers: response.headers, body: response.body))
        }
        guard case .finished(let service, _) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(service.tools.map(\.name) == ["add", "list", "broken"])
        #expect(service.tools[0].title == "Tool add")
        #expect(service.serviceDescription == "Knows services.")
    }

    @Test("a legacy service with sessions: handshake, headers, session from initialize only, DELETE at the end")
    func legacy() throws {
        let script = try DiscoveryScript { Reply.legacy($1) }
        #expect(
            script.sent.map(\.rpc) == [
                "server/discover", "initialize", "notifications/initialized", "tools/list", "resources/list",
                "resources/read",
            ]
        )
        let initialize = script.sent[1]
        #expect(initialize.headers["MCP-Protocol-Version"] == nil)
        #expect(initialize.headers["Mcp-Session-Id"] == nil)
        #expect(initialize.headers["Mcp-Method"] == nil)
        #expect(
            initialize.body["params"] == [
                "protocolVersion": "2025-11-25", "capabilities": [:],
                "clientInfo": ["name": "mcp-registry", "version": "1"],
            ]
        )
        #expect(script.sent[2].body == ["jsonrpc": "2.0", "method": "notifications/initialized"])
        #expect(script.sent[3].body == ["jsonrpc": "2.0", "id": 3, "method": "tools/list"])
        for sent in script.sent[2...] {
            #expect(sent.headers["MCP-Protocol-Version"] == "2025-06-18")
            #expect(sent.headers["Mcp-Session-Id"] == "136b")
            #expect(sent.body["params"]?["_meta"] == nil)
        }
        let goodbye = try #require(script.goodbye)
        #expect(goodbye.method == "DELETE")
        #expect(goodbye.headers["Mcp-Session-Id"] == "136b")
        #expect(goodbye.headers["MCP-Protocol-Version"] == "2025-06-18")
        #expect(script.service?.serviceDescription == "Adds numbers.")
        #expect(script.service?.protocolVersion == .v20250618)
    }

    @Test("a stateless legacy service gets no session header and no DELETE")
    func stateless() throws {
        let script = try DiscoveryScript(wantsDescription: false) { _, sent in
            Reply.legacy(sent) { $0.rpc == "initialize" ? .initialized($0, session: nil) : nil }
        }
        #expect(script.sent.count == 4)
        #expect(script.sent.allSatisfy { $0.headers["Mcp-Session-Id"] == nil })
        #expect(script.goodbye == nil)
        #expect(script.service?.serviceDescription == nil)
    }

    static let fallbacks: [DiscoveryScript.Reply] = [
        .missingSession, .http(404), .http(405), .http(400, [], "Invalid Content-Type header"), .http(406),
        .http(200, [], "<html>"), .http(200, [], "{}"), .http(202), .http(415),
        .json(200, ["jsonrpc": "2.0", "id": 1, "error": ["code": -32601, "message": ""]]),
        .json(200, ["jsonrpc": "2.0", "id": nil, "error": ["code": -32000, "message": ""]]),
        .json(200, ["jsonrpc": "2.0", "id": 1, "result": [:]]),
        .json(
            200,
            ["jsonrpc": "2.0", "id": 99, "result": ["supportedVersions": ["2026-07-28"], "capabilities": [:]]]
        ),
        .json(400, ["jsonrpc": "2.0", "id": 1, "result": ["supportedVersions": ["2026-07-28"], "capabilities": [:]]]),
        .json(200, ["jsonrpc": "2.0", "id": 1, "result": ["supportedVersions": ["2027-01-01"], "capabilities": [:]]]),
        .json(
            400,
            ["jsonrpc": "2.0", "error": ["code": -32022, "data": ["supported": ["2099-01-01", "2025-06-18"]]]]
        ),
        .stream([]),
        .stream([ServerSentEvent(data: Array(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601}}"#.utf8))]),
    ]

    @Test("whatever is not a modern answer leads to the handshake", arguments: fallbacks)
    func fallsBack(probe: DiscoveryScript.Reply) throws {
        let script = try DiscoveryScript { number, sent in number == 0 ? probe : Reply.legacy(sent) }
        #expect(script.sent[1].rpc == "initialize")
        #expect(script.service?.tools.map(\.name) == ["add"])
    }

    @Test("error -32022 that names our version is answered by one more try", arguments: [200, 400, 500])
    func retriesVersion(status: Int) throws {
        let data: JSONValue = ["supported": ["2026-07-28"], "requested": "2026-07-28"]
        let script = try DiscoveryScript { number, sent in
            number == 0 ? .error(sent, -32022, data: data, status: status) : Reply.modern(sent)
        }
        #expect(script.sent[1].rpc == "server/discover")
        #expect(script.service?.protocolVersion == .v20260728)
        let stubborn = try DiscoveryScript { _, sent in .error(sent, -32022, data: data, status: 400) }
        #expect(stubborn.sent.count == 2)
        #expect(stubborn.failure?.kind == .unusable)
    }

    private static func refusal(_ code: Int64, _ data: JSONValue = nil, status: Int = 400) -> DiscoveryScript.Reply {
        .json(
            status,
            ["jsonrpc": "2.0", "id": 1, "error": ["code": .integer(code), "message": "secret", "data": data]]
        )
    }

    private static let unfinished: JSONValue = [
        "resultType": "input_required", "supportedVersions": ["2026-07-28"], "capabilities": [:],
    ]

    static let stops: [(DiscoveryScript.Reply, DiscoveryFailure.Kind)] = [
        (.http(401, [("WWW-Authenticate", "Bearer resource_metadata=\"https://x\"")]), .authorizationRequired),
        (.http(403), .authorizationRequired), (.http(500), .unavailable), (.http(503), .unavailable),
        (.http(429), .unavailable), (.http(307, [("Location", "http://169.254.169.254/")]), .unusable),
        (refusal(-32020), .unusable), (refusal(-32021, status: 200), .unusable), (refusal(-32022), .unusable),
        (refusal(-32022, ["supported": ["2099-01-01"]]), .unusable),
        (.failure(DiscoveryFailure(.unavailable, "could not connect")), .unavailable),
        (.json(200, ["jsonrpc": "2.0", "id": 1, "result": unfinished]), .unusable),
    ]

    @Test("what ends discovery at the probe, without a second request", arguments: stops)
    func stopsAtProbe(probe: DiscoveryScript.Reply, kind: DiscoveryFailure.Kind) throws {
        let script = try DiscoveryScript { _, _ in probe }
        #expect(script.sent.count == 1)
        #expect(script.failure?.kind == kind)
        #expect(script.failure?.reason.contains("169.254") == false)
    }

    private static func handshake(_ result: JSONValue, session: String? = nil) -> DiscoveryScript.Reply {
        .json(200, ["jsonrpc": "2.0", "id": 2, "result": result], session.map { [("Mcp-Session-Id", $0)] } ?? [])
    }

    static let handshakes: [DiscoveryScript.Reply] = [
        .http(406), .http(200, [], "<html>"), .http(202), .http(500), .http(401), .stream([]),
        .json(200, ["jsonrpc": "2.0", "id": 2, "error": ["code": -32600, "message": "secret"]]),
        handshake(["protocolVersion": "2026-07-28"]), handshake(["protocolVersion": 5]), handshake("text"),
        handshake(["protocolVersion": "2025-06-18"], session: "a b"),
        handshake(["protocolVersion": "2025-06-18"], session: ""),
    ]

    @Test("a failing handshake ends discovery", arguments: handshakes)
    func failingHandshake(reply: DiscoveryScript.Reply) throws {
        let script = try DiscoveryScript { _, sent in Reply.legacy(sent) { $0.rpc == "initialize" ? reply : nil } }
        #expect(script.sent.count == 2)
        #expect(script.failure != nil)
        #expect(script.failure?.reason.contains("secret") == false)
        #expect(script.goodbye == nil)
    }

    @Test("a refused notification ends discovery and the session")
    func refusedNotification() throws {
        let script = try DiscoveryScript { _, sent in
            Reply.legacy(sent) { $0.rpc == "notifications/initialized" ? .http(400) : nil }
        }
        #expect(script.failure != nil)
        #expect(script.goodbye?.method == "DELETE")
    }

    @Test("a session is ended although the service answers with trouble", arguments: [429, 500, 503])
    func goodbyeAfterTrouble(status: Int) throws {
        let script = try DiscoveryScript { _, sent in
            Reply.legacy(sent) { $0.rpc == "tools/list" ? .http(status) : nil }
        }
        #expect(script.failure?.kind == .unavailable)
        #expect(script.goodbye?.method == "DELETE" && script.goodbye?.headers["Mcp-Session-Id"] == "136b")
    }

    @Test("who can't be reached any more gets no goodbye")
    func noGoodbye() throws {
        let script = try DiscoveryScript { _, sent in
            Reply.legacy(sent) { $0.rpc == "tools/list" ? .failure(DiscoveryFailure(.unavailable, "gone")) : nil }
        }
        #expect(script.failure?.reason == "gone" && script.goodbye == nil)
    }

    @Test("a session of an unknown version is ended")
    func goodbyeToUnknownVersion() throws {
        let script = try DiscoveryScript { _, sent in
            Reply.legacy(sent) { $0.rpc == "initialize" ? .initialized($0, version: "1999-01-01") : nil }
        }
        #expect(script.failure?.reason == "the service speaks no version of MCP that is known here")
        #expect(script.goodbye?.headers["Mcp-Session-Id"] == "136b")
        #expect(script.goodbye?.headers["MCP-Protocol-Version"] == nil)
    }

    @Test(
        "any 2xx confirms the handshake, a stream too",
        arguments: [.http(200), .http(204), .stream([])] as [DiscoveryScript.Reply]
    )
    func confirmation(reply: DiscoveryScript.Reply) throws {
        let script = try DiscoveryScript { _, sent in
            Reply.legacy(sent) { $0.rpc == "notifications/initialized" ? reply : nil }
        }
        #expect(script.service != nil)
    }

    @Test("a lost session is opened again, once")
    func lostSession() throws {
        var isLost = false
        let script = try DiscoveryScript { _, sent in
            Reply.legacy(sent) {
                guard $0.rpc == "tools/list", !isLost else { return nil }
                isLost = true
                return .http(404)
            }
        }
        #expect(script.sent.map(\.rpc).filter { $0 == "initialize" }.count == 2)
        #expect(script.sent.last { $0.rpc == "initialize" }?.headers["Mcp-Session-Id"] == nil)
        #expect(script.service?.tools.count == 1)
        #expect(script.service?.serviceDescription == "Adds numbers.")
        let gone = try DiscoveryScript { _, sent in Reply.legacy(sent) { $0.rpc == "tools/list" ? .http(404) : nil } }
        #expect(gone.sent.map(\.rpc).filter { $0 == "initialize" }.count == 2)
        #expect(gone.failure?.kind == .unusable)
    }

    @Test("a session that is lost once the tools are known costs the description only")
    func lostAfterTools() throws {
        for step in ["resources/list", "resources/read"] {
            let script = try DiscoveryScript { _, sent in Reply.legacy(sent) { $0.rpc == step ? .http(404) : nil } }
            #expect(script.sent.map(\.rpc).filter { $0 == "initialize" }.count == 1)
            #expect(script.service?.tools.map(\.name) == ["add"])
            #expect(script.service?.serviceDescription == nil)
        }
    }

    private static func list(_ result: JSONValue) -> DiscoveryScript.Reply {
        .json(200, ["jsonrpc": "2.0", "id": 2, "result": result])
    }

    static let lists: [(DiscoveryScript.Reply, DiscoveryFailure.Kind)] = [
        (.http(500), .unavailable), (.http(401), .authorizationRequired), (.http(200, [], "<html>"), .unusable),
        (.json(200, ["jsonrpc": "2.0", "id": 2, "error": ["code": -32603, "message": "secret"]]), .unusable),
        (list(["tools": 5]), .unusable), (list(["tools": [], "resultType": "input_required"]), .unusable),
        (.failure(DiscoveryFailure(.unavailable, "gone")), .unavailable),
    ]

    @Test("a fault in tools/list ends discovery with the reason alone", arguments: lists)
    func failingList(reply: DiscoveryScript.Reply, kind: DiscoveryFailure.Kind) throws {
        let script = try DiscoveryScript { _, sent in Reply.modern(sent) { $0.rpc == "tools/list" ? reply : nil } }
        #expect(script.failure?.kind == kind)
        #expect(script.failure?.reason.contains("secret") == false)
    }

    @Test("a service without tools is fine")
    func noTools() throws {
        let script = try DiscoveryScript { _, sent in
            Reply.modern(sent) {
                guard $0.rpc == "server/discover" else { return nil }
                return .result($0, ["supportedVersions": ["2026-07-28"], "capabilities": [:]])
            }
        }
        #expect(script.sent.count == 1)
        #expect(script.service?.tools == [])
        #expect(script.service?.warnings == ["the service declares no tools"])
    }

    @Test(
        "a refusal tells the scheme that is wanted, when it is one",
        arguments: [
            ("Bearer resource_metadata=\"https://x\"", " (Bearer)"), ("Basic realm=x, Bearer", " (Basic)"),
            ("Negotiate,Basic", " (Negotiate)"), ("<b> x", ""), ("", ""), (String(repeating: "x", count: 33), ""),
        ]
    )
    func challenge(header: String, told: String) throws {
        let script = try DiscoveryScript { _, _ in .http(401, [("WWW-Authenticate", header)]) }
        #expect(script.failure?.kind == .authorizationRequired)
        #expect(script.failure?.reason == "the service requires authorization\(told)")
    }
}
