/// An HTTP request to the MCP endpoint, read as a whole.
///
/// Path, `Host`, `Origin`, authentication and the limit on the body's size are settled before.
public struct MCPHTTPRequest: Sendable {
    /// The HTTP method in capitals.
    public var method: String
    /// The header fields as received: any case, repetitions visible.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]

    /// A request from its parts.
    public init(method: String, headers: [(name: String, value: String)], body: [UInt8]) {
        self.method = method
        self.headers = headers
        self.body = body
    }
}

/// The answer to an ``MCPHTTPRequest``; the length of the body is left for the HTTP layer to state.
public struct MCPHTTPResponse: Sendable {
    /// The HTTP status.
    public var status: Int
    /// The header fields.
    public var headers: [(name: String, value: String)]
    /// The body, empty with status 202.
    public var body: [UInt8]

    /// A response from its parts.
    public init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

extension MCPHTTPResponse {
    /// An answer without a body.
    static let accepted = MCPHTTPResponse(status: 202, headers: [("Cache-Control", "no-store")], body: [])

    /// `message` in the wished form. A stream is only made of what succeeds: whoever reads a stream can read the status of
    /// a refusal and its JSON.
    static func answer(_ message: JSONValue, status: Int = 200, form: AnswerForm = .json) -> MCPHTTPResponse {
        answer(message.serialized(), status: status, form: form)
    }

    /// The same for a message that is written already.
    static func answer(_ bytes: [UInt8], status: Int = 200, form: AnswerForm = .json) -> MCPHTTPResponse {
        guard form == .eventStream, status == 200 else {
            let headers = [("Content-Type", MediaType.json), ("Cache-Control", "no-store")]
            return MCPHTTPResponse(status: status, headers: headers, body: bytes)
        }
        let headers = [
            ("Content-Type", MediaType.eventStream), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
        ]
        return MCPHTTPResponse(status: status, headers: headers, body: ServerSentEvent(data: bytes).framed)
    }

    /// A refusal before any message is understood: a JSON-RPC error without an id.
    static func refusal(
        _ status: Int,
        _ error: JSONRPCError,
        headers: [(name: String, value: String)] = []
    ) -> MCPHTTPResponse {
        var response = answer(JSONRPCMessage.response(id: nil, .failure(error)).json, status: status)
        response.headers += headers
        return response
    }
}
