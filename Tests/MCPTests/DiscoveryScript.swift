import Testing

@testable import MCP

/// Plays a service against a discovery session.
struct DiscoveryScript {
    /// An exchange as the service sees it.
    struct Sent {
        let method: String
        let headers: HeaderFields
        let body: JSONValue

        var rpc: String? { body["method"]?.string }
        var id: JSONValue { body["id"] ?? nil }
    }

    /// What the service does.
    enum Reply {
        case http(Int, [(name: String, value: String)] = [], String = "")
        case stream([ServerSentEvent], [(name: String, value: String)] = [])
        /// The first event of a stream that stays open.
        case openStream(ServerSentEvent, [(name: String, value: String)] = [])
        /// A status for a message beside the open stream, and what then comes on that.
        case posted(Int, [ServerSentEvent] = [])
        case failure(DiscoveryFailure)

        static func json(
            _ status: Int,
            _ body: JSONValue,
            _ headers: [(name: String, value: String)] = []
        ) -> Reply { .http(status, headers, body.text) }
    }

    enum Outcome {
        case service(DiscoveredService)
        case failure(DiscoveryFailure)
    }

    private(set) var sent: [Sent] = []
    private(set) var aside: [Sent] = []
    private(set) var entered: [String] = []
    private(set) var goodbye: Sent?
    private(set) var outcome: Outcome?

    /// Runs a session to its end; `service` is given the number of the exchange, from 0, and the exchange.
    init(wantsDescription: Bool = true, startsWithStream: Bool = false, _ service: (Int, Sent) -> Reply) throws {
        var session = DiscoverySession(
            wantsDescription: wantsDescription,
            startsWithStream: startsWithStream,
            clientName: "mcp-registry",
            clientVersion: "1"
        )
        var action = session.next(.start)
        var events: [DiscoveryEvent] = []
        while outcome == nil {
            switch action {
            case .send(let exchange):
                sent.append(try Self.read(exchange))
                events = Self.events(service(sent.count - 1, sent[sent.count - 1]))
            case .sendBeside(let exchange):
                sent.append(try Self.read(exchange))
                events += Self.events(service(sent.count - 1, sent[sent.count - 1]))
            case .enter(let reference):
                entered.append(reference)
                events.append(.entered)
            case .sendAside(let exchange):
                aside.append(try Self.read(exchange))
            case .read:
                break
            case .finished(let service, let goodbye):
                outcome = .service(service)
                self.goodbye = try goodbye.map(Self.read)
            case .failed(let failure, let goodbye):
                outcome = .failure(failure)
                self.goodbye = try goodbye.map(Self.read)
            }
            guard outcome == nil else { break }
            try #require(!events.isEmpty, "the session waits for what never comes")
            action = session.next(events.removeFirst())
        }
    }

    var service: DiscoveredService? {
        if case .service(let service)? = outcome { service } else { nil }
    }

    var failure: DiscoveryFailure? {
        if case .failure(let failure)? = outcome { failure } else { nil }
    }

    private static func read(_ exchange: DiscoveryExchange) throws -> Sent {
        let body: JSONValue = exchange.body.isEmpty ? nil : try JSONValue.parse(exchange.body)
        return Sent(method: exchange.method, headers: HeaderFields(fields: exchange.headers), body: body)
    }

    private static func events(_ reply: Reply) -> [DiscoveryEvent] {
        switch reply {
        case .http(let status, let headers, let body):
            [.reply(status: status, headers: headers, body: Array(body.utf8))]
        case .stream(let events, let headers):
            [.streamOpened(status: 200, headers: headers)] + events.map { .streamEvent($0) } + [.streamEnded]
        case .openStream(let event, let headers):
            [.streamOpened(status: 200, headers: headers), .streamEvent(event)]
        case .posted(let status, let events):
            [.reply(status: status, headers: [], body: Array("Accepted".utf8))] + events.map { .streamEvent($0) }
        case .failure(let failure):
            [.failed(failure)]
        }
    }
}

/// Answers of real servers, after the captures the project keeps to.
extension DiscoveryScript.Reply {
    typealias Sent = DiscoveryScript.Sent

    static func result(_ sent: Sent, _ result: JSONValue) -> Self {
        .json(200, ["jsonrpc": "2.0", "id": sent.id, "result": result])
    }

    static func error(_ sent: Sent, _ code: Int64, data: JSONValue? = nil, status: Int = 200) -> Self {
        var error: JSONObject = ["code": .integer(code), "message": "secret detail"]
        error["data"] = data
        return .json(status, ["jsonrpc": "2.0", "id": sent.id, "error": .object(error)])
    }

    static let accepted = Self.http(202)

    /// fastmcp 4.1.6 to `server/discover`.
    static func discovered(_ sent: Sent, versions: JSONValue = ["2026-07-28"]) -> Self {
        result(
            sent,
            [
                "_meta": ["io.modelcontextprotocol/serverInfo": ["name": "plain-tools", "version": "1.0.0"]],
                "ttlMs": 0, "cacheScope": "private", "supportedVersions": versions,
                "capabilities": [
                    "logging": [:], "prompts": ["listChanged": false], "resources": [:],
                    "tools": ["listChanged": false], "extensions": ["io.modelcontextprotocol/ui": [:]],
                ], "instructions": "demo", "resultType": "complete",
            ]
        )
    }

    /// fastmcp 2.12.5 with sessions to the probe: 400, a session id that means nothing, and an id of its own.
    static let missingSession = Self.json(
        400,
        [
            "jsonrpc": "2.0", "id": "server-error",
            "error": ["code": -32600, "message": "Bad Request: Missing session ID"],
        ],
        [("mcp-session-id", "useless")]
    )

    /// fastmcp 2.12.5 to `initialize`: a stream with one message.
    static func initialized(_ sent: Sent, version: JSONValue = "2025-06-18", session: String? = "136b") -> Self {
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": sent.id,
            "result": [
                "protocolVersion": version, "capabilities": ["tools": ["listChanged": true], "resources": [:]],
                "serverInfo": ["name": "plain-tools", "version": "1.12.4"],
            ],
        ]
        return .stream(
            [ServerSentEvent(data: message.serialized())],
            session.map { [("mcp-session-id", $0)] } ?? []
        )
    }

    static func streamed(_ sent: Sent, _ result: JSONValue) -> Self {
        let message: JSONValue = ["jsonrpc": "2.0", "id": sent.id, "result": result]
        return .stream([ServerSentEvent(data: message.serialized())])
    }

    static func tools(_ sent: Sent, _ names: [String] = ["add"], cursor: JSONValue? = nil) -> Self {
        var page: JSONObject = [
            "tools": .array(names.map { ["name": .string($0), "inputSchema": ["type": "object"]] })
        ]
        page["nextCursor"] = cursor
        return result(sent, .object(page))
    }

    /// A modern service that answers everything well but what `special` takes over.
    static func modern(_ sent: Sent, _ special: (Sent) -> Self? = { _ in nil }) -> Self {
        if let reply = special(sent) { return reply }
        switch sent.rpc {
        case "server/discover": return .discovered(sent)
        case "tools/list": return .tools(sent)
        case "resources/list":
            return .result(sent, ["resources": [["name": "service_description", "uri": "r://service_description"]]])
        case "resources/read": return .result(sent, ["contents": [["uri": "r://x", "text": " Adds numbers.\n"]]])
        default: return .http(500)
        }
    }

    /// A legacy service with sessions that answers everything well but what `special` takes over.
    static func legacy(_ sent: Sent, _ special: (Sent) -> Self? = { _ in nil }) -> Self {
        if let reply = special(sent) { return reply }
        switch sent.rpc {
        case "server/discover": return .missingSession
        case "initialize": return .initialized(sent)
        case "notifications/initialized": return .accepted
        case "tools/list": return .tools(sent)
        case "resources/list":
            return .result(sent, ["resources": [["name": "service_description", "uri": "r://service_description"]]])
        case "resources/read": return .result(sent, ["contents": [["uri": "r://x", "text": " Adds numbers.\n"]]])
        default: return .http(500)
        }
    }
}
