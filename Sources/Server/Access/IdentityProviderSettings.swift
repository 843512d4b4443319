internal import Foundation

/// An identity provider whose access tokens are accepted, and how this registry is known to it.
struct IdentityProviderSettings: Sendable {
    /// Algorithms with a public key. None with a shared secret is ever accepted, nor the absence of a signature.
    static let algorithms: Set<String> = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
    ]

    /// Exactly what `iss` must be.
    var issuer: String
    /// What one of `aud` must be.
    var audiences: Set<String>
    /// Where the keys are; nil to ask the issuer's metadata.
    var keys: URL?
    /// The claim that is the user's id.
    var userClaim = "sub"
    /// Where clients reach this registry, without a path.
    var publicURL: String

    /// The endpoint that tokens are meant for (RFC 8707).
    var resource: String { publicURL + MCPRoute.path }
    /// Where clients find out whom to ask for a token (RFC 9728 §3.1).
    var metadataURL: String { publicURL + ProtectedResourceRoutes.paths[0] }
}

extension ConfigurationSource {
    /// The identity provider, if one is configured: `OIDC_ISSUER`, `PUBLIC_URL`, and optionally `OIDC_AUDIENCES`,
    /// `OIDC_JWKS_URL` and `OIDC_USER_CLAIM`.
    ///
    /// - Throws: ``ConfigurationError``
    func identityProvider() throws -> IdentityProviderSettings? {
        guard let issuer = text("OIDC_ISSUER") else {
            for key in ["OIDC_AUDIENCES", "OIDC_JWKS_URL", "OIDC_USER_CLAIM"] where text(key) != nil {
                throw ConfigurationError(message: "\(key) is set without OIDC_ISSUER")
            }
            return nil
        }
        try check(issuer, "OIDC_ISSUER")
        guard var address = text("PUBLIC_URL") else {
            throw ConfigurationError(
                message:
                    "OIDC_ISSUER needs PUBLIC_URL: where clients reach this registry, such as https://registry.example"
            )
        }
        if address.hasSuffix("/") { address.removeLast() }
        guard OriginPolicy.isOrigin(address) else {
            throw ConfigurationError(
                message: "PUBLIC_URL is no origin: write it like https://registry.example, without a path"
            )
        }
        var settings = IdentityProviderSettings(
            issuer: issuer,
            audiences: Set(list("OIDC_AUDIENCES")),
            publicURL: address
        )
        // Clients up to mcp 1.16 ask for the origin alone.
        if settings.audiences.isEmpty { settings.audiences = [settings.resource, address, address + "/"] }
        if let keys = text("OIDC_JWKS_URL") { settings.keys = try check(keys, "OIDC_JWKS_URL") }
        settings.userClaim = text("OIDC_USER_CLAIM") ?? settings.userClaim
        return settings
    }

    /// Keys that come over plain HTTP are anybody's; only on this machine that is no matter.
    @discardableResult
    private func check(_ text: String, _ key: String) throws -> URL {
        guard let url = URL(string: text), let host = url.host(), url.query() == nil, url.fragment() == nil,
            url.scheme == "https" || url.scheme == "http" && OriginPolicy.isLoopback(host)
        else { throw ConfigurationError(message: "\(key) is no https URL without query") }
        return url
    }
}
