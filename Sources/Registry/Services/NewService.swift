/// What an administrator says about a new service.
public struct NewService: Sendable {
    /// What is said when neither the administrator nor the service describes it.
    public static let fallbackDescription = "No description found, list tools to get more information"

    /// The unique name.
    public let name: ServiceName
    /// Where it is.
    public let endpoint: Endpoint
    /// What it is for; empty to ask the service itself.
    public let description: String
    /// How its token is sent; `none` exactly when none is required.
    public let method: AuthorizationMethod

    /// Checks all parts.
    ///
    /// - Parameters:
    ///   - name: the unique name.
    ///   - endpoint: the URL.
    ///   - description: what it is for; empty to ask the service itself.
    ///   - requiresAuthorization: whether agents must send a user's token.
    ///   - method: `Basic` or `Bearer`; ignored when no authorization is required.
    /// - Throws: ``RegistryError`` with code `invalid`, naming the field and the rule.
    public init(
        name: String,
        endpoint: String,
        description: String,
        requiresAuthorization: Bool,
        method: String
    ) throws(RegistryError) {
        self.name = try ServiceName(name)
        self.endpoint = try Endpoint(endpoint)
        try Self.check(description)
        self.description = description
        self.method = requiresAuthorization ? try AuthorizationMethod(required: method) : .none
    }

    /// - Throws: ``RegistryError`` with code `invalid` above ``Limits/descriptionCharactersMax``.
    static func check(_ description: String) throws(RegistryError) {
        let length = description.unicodeScalars.count
        guard length <= Limits.descriptionCharactersMax else {
            throw RegistryError(
                .invalid,
                "Provided description length=\(length) exceeds maximum \(Limits.descriptionCharactersMax) characters"
            )
        }
    }
}
