internal import HTTPTypes
internal import HummingbirdCore
internal import MCP
internal import NIOCore
internal import Registry

/// An error answer: `application/problem+json` (RFC 9457), whose `detail` is the message for people and whose `code` is for
/// programs.
struct Problem: Error {
    var status: HTTPResponse.Status
    var code: String
    var detail: String
    var headers: HTTPFields = [:]

    /// The one table from the registry's errors to statuses.
    init(_ error: RegistryError) {
        let status: HTTPResponse.Status =
            switch error.code {
            case .invalid: .badRequest
            case .notFound: .notFound
            case .conflict: .conflict
            case .unauthenticated: .unauthorized
            case .forbidden: .forbidden
            case .upstream: .badGateway
            case .unavailable, .keyUnavailable: .serviceUnavailable
            case .internal: .internalServerError
            }
        self.init(status, error.code.rawValue, error.message)
        if error.code == .unavailable { headers[.retryAfter] = "1" }
    }

    init(_ status: HTTPResponse.Status, _ code: String, _ detail: String, headers: HTTPFields = [:]) {
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers
    }

    static func invalid(_ detail: String) -> Problem { Problem(.badRequest, "invalid", detail) }

    /// Without credentials the challenge names no error (RFC 6750 §3.1); those of another scheme are none.
    static let noCredentials = Problem(
        .unauthorized,
        "unauthenticated",
        "this request needs Authorization: Bearer <token>",
        headers: [.wwwAuthenticate: "Bearer"]
    )

    /// A caller that asks too often (RFC 6585 §4).
    static func tooManyRequests(_ seconds: Int, _ what: String = "requests") -> Problem {
        Problem(
            .tooManyRequests,
            "rate_limited",
            "too many \(what): try again in \(seconds) s",
            headers: [.retryAfter: "\(seconds)"]
        )
    }

    /// More requests than a server answers at once.
    static let overloaded = Problem(
        .serviceUnavailable,
        "unavailable",
        "the server has too much to do at present, please try again",
        headers: [.retryAfter: "1"]
    )

    /// A token that is not the right one (RFC 6750 §3.1).
    static func invalidToken(_ detail: String = "the access token is not valid") -> Problem {
        Problem(.unauthorized, "unauthenticated", detail).challenging("invalid_token")
    }

    /// Credentials that are malformed (RFC 6750 §3.1).
    static func invalidCredentials(_ detail: String) -> Problem { invalid(detail).challenging("invalid_request") }

    /// A caller that may not do this (RFC 6750 §3.1).
    static func insufficientScope(_ scope: Scope) -> Problem {
        Problem(.forbidden, "forbidden", "this takes the scope \(scope), which the caller does not have")
            .challenging("insufficient_scope", scope)
    }

    /// The same with the way to the authorization server in its challenge (RFC 9728 §5.1); what it takes at least, where the
    /// challenge does not name another scope.
    func pointing(to metadataURL: String) -> Problem {
        guard let challenge = headers[.wwwAuthenticate] else { return self }
        var problem = self
        let scope = challenge.contains("scope=") ? "" : #", scope="\#(Scope.read)""#
        let separator = challenge == "Bearer" ? " " : ", "
        problem.headers[.wwwAuthenticate] = challenge + separator + #"resource_metadata="\#(metadataURL)"\#(scope)"#
        return problem
    }

    private func challenging(_ error: String, _ scope: Scope? = nil) -> Problem {
        var problem = self
        let wanted = scope.map { #", scope="\#($0)""# } ?? ""
        problem.headers[.wwwAuthenticate] = #"Bearer error="\#(error)", error_description="\#(detail)"\#(wanted)"#
        return problem
    }

    var body: JSONValue {
        [
            "type": "about:blank",
            "title": .string(status.phrase),
            "status": .integer(Int64(status.code)),
            "detail": .string(detail),
            "code": .string(code),
        ]
    }

    var response: Response {
        var response = Self.response(body, status, headers)
        response.headers[.contentType] = "application/problem+json"
        return response
    }
}

extension Problem {
    /// An error answer in any form. Nobody keeps it: even a 405 may otherwise be kept (RFC 9110 §15.1).
    static func response(_ body: JSONValue, _ status: HTTPResponse.Status, _ headers: HTTPFields) -> Response {
        var response = Response.json(body, status: status)
        response.headers[.cacheControl] = "no-store"
        for field in headers where field.name != .cacheControl { response.headers.append(field) }
        return response
    }
}

extension Response {
    /// A part of a list, and where the next part begins.
    static func json(_ part: JSONObject, next: String?) -> Response {
        var answer = part
        if let next { answer["next_cursor"] = .string(next) }
        return .json(.object(answer))
    }

    /// A compact JSON answer.
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        let bytes = value.serialized()
        return Response(status: status, headers: [.contentType: "application/json"], body: ByteBuffer(bytes: bytes))
    }
}
