import HTTPTypes
import MCP
import Testing

/// An HTTP answer, read to its end.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String

    /// The body as JSON.
    var json: JSONValue { get throws { try JSONValue.parse(text) } }

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

    /// It must be 200 with exactly this JSON.
    func expect(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(status == 200, sourceLocation: sourceLocation)
        #expect(self.text == text, sourceLocation: sourceLocation)
        #expect(headers[.contentType] == "application/json", sourceLocation: sourceLocation)
        #expect(headers[.contentLength] == "\(text.utf8.count)", sourceLocation: sourceLocation)
    }

    /// It must be a problem of this status with exactly this detail.
    func expectProblem(_ status: Int, _ detail: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let (title, code) = Self.problems[status] ?? ("", "")
        let text = """
            {"type":"about:blank","title":"\(title)","status":\(status),"detail":\(JSONValue.string(detail).text),"code":"\(code)"}
            """
        #expect(self.status == status, sourceLocation: sourceLocation)
        #expect(self.text == text, sourceLocation: sourceLocation)
        #expect(headers[.contentType] == "application/problem+json", sourceLocation: sourceLocation)
    }

    /// It must be refused: on `/mcp` as JSON-RPC, elsewhere as a problem.
    func expectRefusal(
        at path: String,
        _ status: Int,
        _ detail: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard path.hasPrefix("/mcp") else {
            return expectProblem(status, detail, sourceLocation: sourceLocation)
        }
        let message = JSONValue.string(detail).text
        #expect(self.status == status, sourceLocation: sourceLocation)
        #expect(
            text == #"{"jsonrpc":"2.0","error":{"code":-32600,"message":\#(message)}}"#,
            sourceLocation: sourceLocation
        )
        #expect(headers[.contentType] == "application/json", sourceLocation: sourceLocation)
    }

    private static let problems = [
        400: ("Bad Request", "invalid"),
        401: ("Unauthorized", "unauthenticated"),
        403: ("Forbidden", "forbidden"),
        404: ("Not Found", "notFound"),
        405: ("Method Not Allowed", "invalid"),
        409: ("Conflict", "conflict"),
        413: ("Content Too Large", "invalid"),
        503: ("Service Unavailable", "unavailable"),
    ]
}
