internal import HTTPTypes
internal import HummingbirdCore
internal import MCP
internal import Registry

/// Tells OAuth clients which authorization server to ask for a token (RFC 9728). Without an identity provider there are no such
/// routes: clients would begin a registration that can't end.
enum ProtectedResourceRoutes {
    /// The address for the endpoint, and the one that older clients ask.
    static let paths = [
        "/.well-known/oauth-protected-resource" + MCPRoute.path, "/.well-known/oauth-protected-resource",
    ]

    static func routes(_ settings: IdentityProviderSettings?) -> [Route] {
        guard let settings else { return [] }
        let metadata: JSONValue = [
            "resource": .string(settings.resource),
            "authorization_servers": [.string(settings.issuer)],
            "scopes_supported": [.string(Scope.read.rawValue)],
            "bearer_methods_supported": ["header"],
            "resource_name": "MCP Registry",
        ]
        return paths.map { path in
            Route(.get, path, .open) { _, _ in
                var response = Response.json(metadata)
                response.headers[.cacheControl] = "public, max-age=3600"
                response.headers[.accessControlAllowOrigin] = "*"
                return response
            }
        }
    }
}
