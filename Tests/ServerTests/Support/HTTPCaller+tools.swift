import HTTPTypes
import MCP
import Testing

/// Calls of tools over `POST /mcp`, in the plainest form: no handshake, no headers but the content type.
extension HTTPCaller {
    /// The whole answer to a call.
    func call(_ tool: String, _ arguments: String = "{}") async throws -> Answer {
        let body = """
            {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\(tool)","arguments":\(arguments)}}
            """
        return try await send("POST", "/mcp", body, headers: [.contentType: "application/json"])
    }

    /// A call that must succeed with this text, exactly in the form of a text.
    func expect(
        _ tool: String,
        _ arguments: String,
        says text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let quoted = JSONValue.string(text).text
        try await call(tool, arguments).expect(
            Self.answer(
                #""content":[{"type":"text","text":\#(quoted)}],"structuredContent":{"result":\#(quoted)},"isError":false"#
            ),
            sourceLocation: sourceLocation
        )
    }

    /// A call that must succeed with this list, exactly in the form of a list.
    func expect(
        _ tool: String,
        _ arguments: String = "{}",
        lists list: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let content = list == "[]" ? "" : #"{"type":"text","text":\#(JSONValue.string(list).text)}"#
        try await call(tool, arguments).expect(
            Self.answer(#""content":[\#(content)],"structuredContent":{"result":\#(list)},"isError":false"#),
            sourceLocation: sourceLocation
        )
    }

    /// A call that must fail with exactly this text.
    func expect(
        _ tool: String,
        _ arguments: String,
        failsWithText text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await call(tool, arguments).expect(
            Self.answer(#""content":[{"type":"text","text":\#(JSONValue.string(text).text)}],"isError":true"#),
            sourceLocation: sourceLocation
        )
    }

    /// A call that must fail in the tool itself, for this reason.
    func expect(
        _ tool: String,
        _ arguments: String,
        fails reason: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let text = "Error calling tool '\(tool)': \(reason)"
        try await expect(tool, arguments, failsWithText: text, sourceLocation: sourceLocation)
    }

    /// A call whose success only matters for what follows.
    func done(_ tool: String, _ arguments: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let answer = try await call(tool, arguments)
        #expect(answer.text.hasSuffix(#""isError":false}}"#), "\(answer.text)", sourceLocation: sourceLocation)
    }

    /// Registers a service with the tools that every endpoint offers, and gives their ids.
    @discardableResult
    func addService(_ name: String, method: String = "") async throws -> [Int64] {
        try await done(
            "add_service",
            """
            {"service_name":"\(name)","endpoint":"http://\(name).example/mcp","description":"About \(name).",\
            "requires_authorization":\(!method.isEmpty),"method_authorization":"\(method)"}
            """
        )
        return try await tools(of: name).compactMap { $0["id"]?.integer }
    }

    /// What `get_tools` lists.
    func tools(of service: String) async throws -> [JSONValue] {
        let answer = try await call("get_tools", #"{"service_name":"\#(service)"}"#).json
        return try #require(answer["result"]?["structuredContent"]?["result"]?.array)
    }

    /// Stores a token.
    func authorize(_ user: String, _ service: String, _ token: String) async throws {
        try await expect(
            "authorize_user_to_service",
            #"{"service_name":"\#(service)","user_id":"\#(user)","token":"\#(token)"}"#,
            says: "Authorization token is set, please repeat your original request"
        )
    }

    private static func answer(_ result: String) -> String {
        #"{"jsonrpc":"2.0","id":1,"result":{\#(result)}}"#
    }
}
