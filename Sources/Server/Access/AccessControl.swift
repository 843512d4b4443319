internal import HTTPTypes
internal import Hummingbird
internal import Registry

/// Who may use the registry: whoever sends the administrator's token, or everybody when access control is off.
struct AccessControl: Sendable {
    private let adminToken: Secret?

    /// - Parameter adminToken: what callers must send; nil switches access control off.
    init(adminToken: Secret?) {
        self.adminToken = adminToken
    }

    /// The caller behind a request's `Authorization: Bearer …` (RFC 6750 §2.1).
    ///
    /// The comparison takes the same time wherever the tokens differ.
    ///
    /// - Throws: ``Problem`` 401, or 400 for credentials that are malformed (RFC 6750 §3.1)
    func principal(of request: Request) throws -> Principal {
        guard let adminToken else { return .anonymous }
        let values = request.headers[values: .authorization]
        guard let value = values.first else { throw Problem.noCredentials }
        guard values.count == 1 else { throw Problem.invalidCredentials("Authorization is given twice") }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.first?.lowercased() == "bearer" else { throw Problem.noCredentials }
        guard parts.count == 2 else { throw Problem.invalidCredentials("Authorization: Bearer has no token") }
        guard Secret(String(parts[1])) == adminToken else { throw Problem.invalidToken }
        return .administrator
    }
}
