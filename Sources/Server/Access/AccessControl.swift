internal import HTTPTypes
internal import HummingbirdCore
internal import Registry

/// Who calls: whoever holds the administrator's token, an API key or an access token of the identity provider; or everybody
/// when access control is off.
struct AccessControl: Sendable {
    private let adminToken: Secret?
    private let registry: MCPRegistry
    private let keyUses: APIKeyUses
    private let provider: IdentityProvider?
    private let limiter: RateLimiter

    /// - Parameters:
    ///   - adminToken: what administrators send; nil switches access control off.
    ///   - registry: knows the API keys.
    ///   - keyUses: is told of each key that is used.
    ///   - provider: judges access tokens; nil when none are accepted.
    ///   - limiter: counts wrong credentials.
    init(
        adminToken: Secret?,
        registry: MCPRegistry,
        keyUses: APIKeyUses,
        provider: IdentityProvider? = nil,
        limiter: RateLimiter
    ) {
        self.adminToken = adminToken
        self.registry = registry
        self.keyUses = keyUses
        self.provider = provider
        self.limiter = limiter
    }

    /// The caller behind a request's `Authorization: Bearer …` (RFC 6750 §2.1).
    ///
    /// The administrator's token is compared in the same time wherever it differs.
    ///
    /// - Parameters:
    ///   - request: the request.
    ///   - address: where it comes from.
    /// - Returns: the caller.
    /// - Throws: ``Problem`` 401, 429 after many wrong credentials from one address, or 400 for credentials that are malformed
    ///   (RFC 6750 §3.1); ``RegistryError`` when an API key can't be looked up
    func principal(of request: Request, from address: String) async throws -> Principal {
        guard let adminToken else { return .anonymous }
        let values = request.headers[values: .authorization]
        guard let value = values.first else { throw Problem.noCredentials }
        guard values.count == 1 else { throw Problem.invalidCredentials("Authorization is given twice") }
        let token = try Self.token(in: value)
        if Secret(token) == adminToken { return .administrator }
        do {
            return try await principal(withToken: token)
        } catch let problem as Problem where problem.status == .unauthorized {
            guard let seconds = limiter.take(.failure(address)) else { throw problem }
            throw Problem.tooManyRequests(seconds, "wrong credentials from your address")
        }
    }

    private static func token(in value: String) throws -> String {
        // As nearly everybody writes it.
        if value.hasPrefix("Bearer "), value.utf8.dropFirst(7).first.map({ $0 != UInt8(ascii: " ") }) == true {
            return String(value.dropFirst(7))
        }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.first?.lowercased() == "bearer" else { throw Problem.noCredentials }
        guard parts.count == 2 else { throw Problem.invalidCredentials("Authorization: Bearer has no token") }
        return String(parts[1])
    }

    private func principal(withToken token: String) async throws -> Principal {
        if MCPRegistry.isAPIKey(token) {
            guard let key = try await registry.apiKey(token) else { throw Problem.invalidToken() }
            keyUses.note(key)
            return key.principal
        }
        guard let provider, IdentityProvider.isToken(token) else { throw Problem.invalidToken() }
        do throws(IdentityProvider.Refusal) {
            return try await provider.principal(token)
        } catch {
            switch error {
            case .invalid(let reason): throw Problem.invalidToken(reason)
            case .unavailable:
                throw Problem(.serviceUnavailable, "unavailable", "the identity provider does not answer at present")
            }
        }
    }
}
