import HTTPTypes
import MCP
import Testing

/// What the catalogue says, through each way to ask for it.
extension HTTPCaller {
    /// The value of a tool that must succeed.
    func value(
        _ tool: String,
        _ arguments: String = "{}",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JSONValue {
        let answer = try await call(tool, arguments)
        let value = try answer.json["result"]?["structuredContent"]?["result"]
        return try #require(value, "\(answer.text)", sourceLocation: sourceLocation)
    }

    /// The elements of a list that a tool answers.
    func list(
        _ tool: String,
        _ arguments: String = "{}",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [JSONValue] {
        try #require(try await value(tool, arguments, sourceLocation: sourceLocation).array)
    }

    /// What `list_tool_changes` lists of all services.
    func changes() async throws -> [JSONValue] { try await list("list_tool_changes") }

    /// The names of the tools that a search finds, in its order.
    func found(_ query: String, role: String? = nil) async throws -> [String?] {
        var arguments: JSONObject = ["query": .string(query)]
        if let role { arguments["role"] = .string(role) }
        return try await list("find_tools", JSONValue.object(arguments).text).map { $0["name"]?.string }
    }

    /// A search must find exactly these tools, in this order.
    func expect(
        _ query: String,
        role: String? = nil,
        finds names: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await found(query, role: role)
        #expect(found == names, "\(query)", sourceLocation: sourceLocation)
    }

    /// What `/tools_for_role` lists, by name.
    func toolNames(for role: String) async throws -> [String?] {
        let answer = try await send("POST", "/tools_for_role", #"{"role":"\#(role)"}"#)
        let tools = try #require(try answer.json["tools"]?.array, "\(answer.text)")
        return tools.map { $0["name"]?.string }
    }

    /// What `list_services` says about a service.
    func service(_ name: String) async throws -> JSONValue {
        let services = try await list("list_services")
        return try #require(services.first { $0["service_name"]?.string == name })
    }

    /// The JSON of a resource.
    func resource(_ uri: String) async throws -> JSONValue {
        let answer = try await legacy("resources/read", ["uri": .string(uri)])
        let contents = try #require(try answer.json["result"]?["contents"]?.array, "\(answer.text)")
        #expect(contents.count == 1 && contents[0]["uri"]?.string == uri)
        return try JSONValue.parse(try #require(contents[0]["text"]?.string))
    }

    /// What a service's resource says about one of its tools.
    func resource(of tool: String, at service: String) async throws -> JSONValue {
        let tools = try #require(try await resource("registry://services/\(service)")["tools"]?.array)
        return try #require(tools.first { $0["definition"]?["name"]?.string == tool })
    }

    /// Reads a service again.
    func refresh(_ service: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await done("refresh_service", #"{"service_name":"\#(service)"}"#, sourceLocation: sourceLocation)
    }

    /// Makes a role that may use some tools.
    func addRole(_ name: String, for tools: [Int64]) async throws {
        try await done("create_role", #"{"role_name":"\#(name)"}"#)
        for id in tools { try await done("attach_role_to_tool", #"{"tool_id":\#(id),"role_name":"\#(name)"}"#) }
    }
}

/// Requests of any method over `POST /mcp`.
extension HTTPCaller {
    /// A request without a handshake, as revisions before 2026-07-28 know it.
    func legacy(_ method: String, _ params: JSONObject = [:]) async throws -> Answer {
        let body: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(params)]
        return try await send("POST", "/mcp", body.text, headers: [.contentType: "application/json"])
    }

    /// A request of 2026-07-28; `Mcp-Name` says the name, which must be printable ASCII.
    func modern(_ method: String, _ params: JSONObject = [:], name: String? = nil) async throws -> Answer {
        var params = params
        params["_meta"] = [
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": [:],
        ]
        let body: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(params)]
        var headers: HTTPFields = [.contentType: "application/json", .accept: "application/json, text/event-stream"]
        let fields = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method), ("Mcp-Name", name)]
        for (field, value) in fields { headers[try #require(HTTPField.Name(field))] = value }
        return try await send("POST", "/mcp", body.text, headers: headers)
    }
}

/// Sends a credential with everything.
struct CallerWithToken: HTTPCaller {
    let caller: any HTTPCaller
    let token: String

    func send(
        _ method: String,
        _ path: String,
        bytes: [UInt8]?,
        headers: HTTPFields,
        host: String?
    ) async throws -> Answer {
        var headers = headers
        headers[.authorization] = "Bearer \(token)"
        return try await caller.send(method, path, bytes: bytes, headers: headers, host: host)
    }
}

extension HTTPCaller {
    /// The same as an administrator.
    var asAdministrator: CallerWithToken { CallerWithToken(caller: self, token: Deployment.adminToken) }
}
