internal import HTTPTypes
internal import HummingbirdCore
internal import MCP
internal import NIOCore
internal import Registry

/// `/mcp`: hands requests to the protocol's server. Path, `Host`, `Origin`, credentials and size are checked before.
enum MCPRoute {
    static let path = "/mcp"
    static let instructions =
        "The MCP registry that stores other MCP service endpoints, descriptions, and their available tools. "
        + "Allows to manage them"

    static func route(
        _ catalog: ToolCatalog,
        _ resources: CatalogResources,
        _ idempotency: Idempotency
    ) -> Route {
        let server = MCPServer<Principal>(
            name: "mcp-registry",
            version: Version.current,
            title: "MCP Registry",
            instructions: instructions,
            tools: catalog.tools.map(\.definition),
            isShown: catalog.isShown,
            callTool: catalog.call,
            resources: CatalogResources.definitions,
            resourceTemplates: CatalogResources.templates,
            readResource: { uri, principal in principal.may(.read) ? try await resources.read(uri) : nil }
        )
        return Route(.post, path, .authenticated, refuse: refusal) { request, principal, client in
            let body = try await RequestFields.collect(request)
            if principal.isOAuth, let scope = catalog.missingScope(for: body, principal) {
                throw Problem.insufficientScope(scope)
            }
            let incoming = MCPHTTPRequest(
                method: request.method.rawValue,
                headers: request.headers.map { ($0.name.rawName, $0.value) },
                body: body
            )
            return try await idempotency.answer(callOf: body, request, by: principal) {
                let answer = await server.respond(to: incoming, from: principal) { work in
                    await client.whileConnected(work)
                }
                return Response(answer)
            }
        }
    }
}

extension MCPRoute {
    /// A JSON-RPC error without an id, for a request that was not looked into: clients show its message to people.
    private static func refusal(_ problem: Problem) -> Response {
        let error: JSONValue = ["code": -32600, "message": .string(problem.detail)]
        return Problem.response(["jsonrpc": "2.0", "error": error], problem.status, problem.headers)
    }
}

extension Response {
    /// The protocol server's answer as it is.
    fileprivate init(_ answer: MCPHTTPResponse) {
        var headers = HTTPFields()
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        self.init(
            status: HTTPResponse.Status(code: answer.status),
            headers: headers,
            body: ByteBuffer(bytes: answer.body)
        )
    }
}
