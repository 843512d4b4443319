internal import HTTPTypes
internal import HummingbirdCore

/// Lets web pages of listed origins read answers (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol). Without a list no answer
/// says anything about other origins, and browsers keep theirs from reading it.
struct CrossOrigin: Sendable {
    /// How long a browser may keep what it was told: 10 minutes.
    private static let secondsMax = 600
    /// What pages may send besides what browsers always let them.
    private static let sent =
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Mcp-Method, Mcp-Name, MCP-Protocol-Version, "
        + "Mcp-Session-Id, traceparent, tracestate, X-Request-Id"
    /// What pages may read of an answer besides what browsers always let them.
    private static let read = "Idempotency-Replayed, Mcp-Session-Id, Retry-After, WWW-Authenticate, X-Request-Id"

    /// The origins that operators have listed, in lower case.
    let origins: Set<String>

    /// The origin of a request, when its pages may read the answer.
    private func allowed(_ request: Request) -> String? {
        guard let origin = request.headers[.origin], origins.contains(origin.lowercased()) else { return nil }
        return origin
    }

    /// The answer to a browser that asks before it sends a page's request; nil for any other request.
    func preflight(_ request: Request, _ methods: [HTTPRequest.Method]) -> Response? {
        guard request.method == .options, allowed(request) != nil,
            let name = HTTPField.Name("Access-Control-Request-Method"),
            request.headers[name] != nil
        else { return nil }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: methods.map(\.rawValue).joined(separator: ", "),
                .accessControlAllowHeaders: Self.sent, .accessControlMaxAge: "\(Self.secondsMax)",
            ]
        )
    }

    /// Says in an answer who may read it.
    func mark(_ response: inout Response, to request: Request) {
        guard !origins.isEmpty else { return }
        // What a cache keeps for one origin is not for another.
        response.headers.append(HTTPField(name: .vary, value: "Origin"))
        guard let origin = allowed(request) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] = Self.read
    }
}
