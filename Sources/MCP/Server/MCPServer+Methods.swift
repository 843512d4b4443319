extension MCPServer {
    /// How long a client may keep a list, in milliseconds: short enough for a rolling deploy that changes the tools.
    private static var listMilliseconds: Int64 { 300_000 }

    private var capabilities: JSONValue { ["tools": [:], "resources": [:], "prompts": [:]] }

    /// The result of a method in a revision with a handshake.
    func legacyResult(of call: JSONRPCCall, _ caller: Caller) async throws(JSONRPCError) -> JSONObject {
        switch call.method {
        case "initialize": return try initialize(call.params)
        case "ping": return [:]
        default: return try await sharedResult(of: call, caller, unknownResource: JSONRPCError.resourceNotFoundCode)
        }
    }

    /// The result of a method since 2026-07-28: marked as complete, with the server's name, and with caching hints
    /// where the caching page wants them.
    func modernResult(of call: JSONRPCCall, _ caller: Caller) async throws(JSONRPCError) -> JSONObject {
        var result =
            if call.method == "server/discover" {
                discover()
            } else {
                try await sharedResult(of: call, caller, unknownResource: JSONRPCError.invalidParamsCode)
            }
        result["resultType"] = "complete"
        if call.method != "tools/call" {
            // What a resource says changes with the catalogue, the lists with the program.
            result["ttlMs"] = .integer(call.method == "resources/read" ? 0 : Self.listMilliseconds)
            result["cacheScope"] = "private"
        }
        result["_meta"] = serverMeta
        return result
    }

    /// The methods that are the same in every revision.
    private func sharedResult(
        of call: JSONRPCCall,
        _ caller: Caller,
        unknownResource: Int
    ) async throws(JSONRPCError) -> JSONObject {
        switch call.method {
        case "tools/list": return try page("tools", toolList(for: caller), call.params)
        case "tools/call": return try await run(call.params, caller)
        case "resources/list": return try page("resources", resourceList, call.params)
        case "resources/templates/list": return try page("resourceTemplates", templateList, call.params)
        case "resources/read": return try await read(call.params, caller, unknownResource)
        case "prompts/list": return try page("prompts", [], call.params)
        case "prompts/get": throw try unknownPrompt(call.params)
        default: throw .methodNotFound(call.method)
        }
    }

    /// A known legacy version is agreed to; to anything else, a modern version included, the newest legacy one is the
    /// counter-offer (2025-11-25, lifecycle, "Version Negotiation").
    private func initialize(_ params: JSONObject?) throws(JSONRPCError) -> JSONObject {
        guard let wish = params?["protocolVersion"]?.string else {
            throw .invalidParams("protocolVersion must be a string")
        }
        let known = ProtocolVersion(rawValue: wish).flatMap { $0.isModern ? nil : $0 }
        return [
            "protocolVersion": .string((known ?? .newestLegacy).rawValue),
            "capabilities": capabilities,
            "serverInfo": serverInfo,
            "instructions": .string(instructions),
        ]
    }

    private func discover() -> JSONObject {
        [
            "supportedVersions": .array(ProtocolVersion.advertised.map { .string($0.rawValue) }),
            "capabilities": capabilities,
            "instructions": .string(instructions),
        ]
    }

    /// The only page of a list. No cursor is ever handed out, so none can be valid (pagination, "Error Handling").
    private func page(
        _ name: String,
        _ elements: JSONValue,
        _ params: JSONObject?
    ) throws(JSONRPCError) -> JSONObject {
        if let cursor = params?["cursor"], !cursor.isNull { throw .invalidParams("Unknown cursor") }
        return [name: elements]
    }

    private func run(_ params: JSONObject?, _ caller: Caller) async throws(JSONRPCError) -> JSONObject {
        guard let name = params?["name"]?.string else { throw .invalidParams("name must be a string") }
        let given = params?["arguments"] ?? [:]
        guard let arguments = given.object else { throw .invalidParams("arguments must be an object") }
        guard toolNames.contains(name) else { throw .invalidParams("Unknown tool: \(name.clipped)") }
        do {
            return try await callTool(ToolCall(name: name, arguments: arguments), caller).json
        } catch {
            throw .internalError
        }
    }

    private func read(
        _ params: JSONObject?,
        _ caller: Caller,
        _ unknownResource: Int
    ) async throws(JSONRPCError) -> JSONObject {
        guard let uri = params?["uri"]?.string else { throw .invalidParams("uri must be a string") }
        let found: ResourceText?
        do {
            found = try await readResource(uri, caller)
        } catch {
            throw .internalError
        }
        guard let found else {
            throw JSONRPCError(code: unknownResource, message: "Resource not found", data: ["uri": .string(uri)])
        }
        return [
            "contents": [["uri": .string(uri), "mimeType": .string(found.mimeType), "text": .string(found.text)]]
        ]
    }

    private func unknownPrompt(_ params: JSONObject?) throws(JSONRPCError) -> JSONRPCError {
        guard let name = params?["name"]?.string else { throw .invalidParams("name must be a string") }
        return .invalidParams("Unknown prompt: \(name.clipped)")
    }
}
