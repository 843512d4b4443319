import Registry
import Testing

extension TestServer {
    /// A caller with a new API key.
    func withKey(_ name: String, _ scopes: Set<Scope>, user: String? = nil) async throws -> CallerWithToken {
        let made = try await registry.createAPIKey(
            APIKeyName(name),
            scopes: scopes,
            user: try user.map { try UserID($0) },
            by: .administrator
        )
        return CallerWithToken(caller: self, token: try #require(made.text.revealText()))
    }
}
