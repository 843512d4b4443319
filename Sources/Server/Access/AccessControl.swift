internal import HTTPTypes
internal import Hummingbird
internal import Registry

/// Who calls: whoever holds the administrator's token or an API key, or everybody when access control is off.
struct AccessControl: Sendable {
    private let adminToken: Secret?
    private let registry: MCPRegistry
    private let keyUses: APIKeyUses

    /// - Parameters:
    ///   - adminToken: what administrators send; nil switches access control off.
    ///   - registry: knows the API keys.
    ///   - keyUses: is told of each key that is used.
    init(adminToken: Secret?, registry: MCPRegistry, keyUses: APIKeyUses) {
        self.adminToken = adminToken
        self.registry = registry
        self.keyUses = keyUses
    }

    /// The caller behind a request's `Authorization: Bearer …` (RFC 6750 §2.1).
    ///
    /// The administrator's token is compared in the same time wherever it differs.
    ///
    /// - Throws: ``Problem`` 401, or 400 for credentials that are malformed (RFC 6750 §3.1); ``RegistryError`` when an API
    ///   key can't be looked up
    func principal(of request: Request) async throws -> Principal {
        guard let adminToken else { return .anonymous }
        let values = request.headers[values: .authorization]
        guard let value = values.first else { throw Problem.noCredentials }
        guard values.count == 1 else { throw Problem.invalidCredentials("Authorization is given twice") }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.first?.lowercased() == "bearer" else { throw Problem.noCredentials }
        guard parts.count == 2 else { throw Problem.invalidCredentials("Authorization: Bearer has no token") }
        let token = String(parts[1])
        if Secret(token) == adminToken { return .administrator }
        guard MCPRegistry.isAPIKey(token), let key = try await registry.apiKey(token) else {
            throw Problem.invalidToken
        }
        keyUses.note(key)
        return key.principal
    }
}
