import Testing

@testable import MCP

/// A server with three tools, and requests to it.
enum ServerFixture {
    struct Broken: Error {}

    static let descriptionURI = "resource://service_description"

    static let server = MCPServer<Void>(
        name: "mcp-registry",
        version: "1.2.3",
        title: "MCP Registry",
        instructions: "Ask it.",
        tools: [
            tool("add"), tool("list"), tool("broken"),
        ],
        callTool: { call, _ in
            switch call.name {
            case "add":
                guard let a = call.arguments["a"]?.integer, let b = call.arguments["b"]?.integer else {
                    return .failure("a and b must be integers")
                }
                return .wrapping(.string("sum \(a + b)"))
            case "list":
                return .wrapping([])
            default:
                throw Broken()
            }
        },
        resources: [
            ResourceDefinition(
                uri: descriptionURI,
                name: "service_description",
                title: "Description",
                description: "What it is for.",
                mimeType: "text/plain"
            )
        ],
        readResource: { uri, _ in
            switch uri {
            case descriptionURI: return ResourceText(mimeType: "text/plain", text: "Knows services.")
            case "resource://broken": throw Broken()
            default: return nil
            }
        }
    )

    static func tool(_ name: String) -> ToolDefinition {
        ToolDefinition(
            name: name,
            title: "Tool \(name)",
            description: "Does \(name).",
            inputSchema: ["type": "object"],
            outputSchema: ["type": "object"],
            annotations: ToolAnnotations(readOnlyHint: true)
        )
    }

    static let meta: JSONValue = [
        MetaKey.protocolVersion: "2026-07-28", MetaKey.clientCapabilities: [:],
        MetaKey.clientInfo: ["name": "t", "version": "0"],
    ]

    /// Posts a body with the headers every client sends and the given ones.
    static func post(
        _ body: JSONValue,
        _ headers: [(name: String, value: String)] = []
    ) async -> MCPHTTPResponse {
        await post(body.serialized(), headers)
    }

    static func post(_ body: [UInt8], _ headers: [(name: String, value: String)] = []) async -> MCPHTTPResponse {
        await server.respond(to: request(body, headers), from: ())
    }

    private static func request(_ body: [UInt8], _ headers: [(name: String, value: String)]) -> MCPHTTPRequest {
        let common = [
            (name: "content-type", value: "application/json"),
            (name: "accept", value: "application/json, text/event-stream"),
        ]
        return MCPHTTPRequest(method: "POST", headers: common + headers, body: body)
    }

    /// Posts a legacy request.
    static func legacy(
        _ method: String,
        _ params: JSONValue? = nil,
        version: String? = "2025-11-25"
    ) async -> MCPHTTPResponse {
        var body: JSONObject = ["jsonrpc": "2.0", "id": 1, "method": .string(method)]
        body["params"] = params
        return await post(.object(body), version.map { [("mcp-protocol-version", $0)] } ?? [])
    }

    /// Posts a modern request in which everything is as it must be.
    static func modern(_ method: String, _ params: JSONObject = [:]) async -> MCPHTTPResponse {
        await server.respond(to: modernRequest(method, params), from: ())
    }

    /// A modern request in which everything is as it must be.
    static func modernRequest(_ method: String, _ params: JSONObject = [:]) -> MCPHTTPRequest {
        var params = params
        params["_meta"] = meta
        let name = params["name"]?.string ?? params["uri"]?.string
        let body: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(params)]
        return request(
            body.serialized(),
            [("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)]
                + (name.map { [("mcp-name", $0)] } ?? [])
        )
    }
}

extension MCPHTTPResponse {
    func header(_ name: String) -> String? { HeaderFields(fields: headers)[name] }

    /// The body as JSON.
    var json: JSONValue {
        get throws { try JSONValue.parse(body) }
    }

    var result: JSONValue? {
        get throws { try json["result"] }
    }

    var errorCode: Int64? {
        get throws { try json["error"]?["code"]?.integer }
    }
}
