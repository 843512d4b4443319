/// What an administrator changes about a service; nil leaves a part as it is.
public struct ServiceUpdate: Sendable {
    /// Where it is now.
    public let endpoint: Endpoint?
    /// What it is for; empty to ask the service itself.
    public let description: String?
    /// Whether agents must send a user's token.
    public let requiresAuthorization: Bool?
    /// How the token is sent, in the words of the caller.
    public let method: String?

    /// What became of it.
    public struct Outcome: Sendable, Codable {
        /// The service as it is now.
        public let service: RegisteredService
        /// Users' tokens that were removed because they had been given for another endpoint.
        public let tokensRemoved: Int
        /// Whether the registry's own credential was removed for the same reason.
        public let isDiscoveryCredentialRemoved: Bool
    }

    /// Checks all parts.
    ///
    /// - Throws: ``RegistryError`` with code `invalid`, naming the field and the rule.
    public init(
        endpoint: String?,
        description: String?,
        requiresAuthorization: Bool?,
        method: String?
    ) throws(RegistryError) {
        guard endpoint != nil || description != nil || requiresAuthorization != nil || method != nil else {
            throw RegistryError(
                .invalid,
                "nothing to change: give endpoint, description, requires_authorization or method_authorization"
            )
        }
        if let endpoint { self.endpoint = try Endpoint(endpoint) } else { self.endpoint = nil }
        if let description { try NewService.check(description) }
        self.description = description
        self.requiresAuthorization = requiresAuthorization
        self.method = method
    }

    /// How a service's token is sent after the update.
    ///
    /// - Throws: ``RegistryError`` with code `invalid`
    func method(after service: RegisteredService) throws(RegistryError) -> AuthorizationMethod {
        guard requiresAuthorization ?? service.requiresAuthorization else {
            guard requiresAuthorization != nil || method == nil else {
                throw RegistryError(
                    .invalid,
                    "method_authorization counts only for a service that requires authorization: "
                        + "set requires_authorization to true too"
                )
            }
            return .none
        }
        return try AuthorizationMethod(required: method ?? service.method.rawValue)
    }
}
