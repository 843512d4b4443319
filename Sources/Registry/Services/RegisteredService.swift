public import DBDriver

/// A service in the catalogue.
public struct RegisteredService: Sendable, Equatable {
    /// Whether its tools are known.
    public enum Status: String, SQLConvertible, Sendable {
        /// Its tools were read.
        case active
        /// It wants a credential even for listing its tools, and has refused or not been given one.
        case authorizationRequired = "authorization_required"
    }

    /// The id that tokens are bound to. A service that is removed and added again has another one.
    public let id: String
    /// The unique name.
    public let name: ServiceName
    /// Where it is; unique too.
    public let endpoint: Endpoint
    /// What it is for.
    public let description: String
    /// Whether agents must send a user's token.
    public let requiresAuthorization: Bool
    /// How the token is sent; `none` exactly when none is required.
    public let method: AuthorizationMethod
    /// Whether its tools are known.
    public let status: Status

    init(
        id: String,
        name: ServiceName,
        endpoint: Endpoint,
        description: String,
        requiresAuthorization: Bool,
        method: AuthorizationMethod,
        status: Status
    ) {
        self.id = id
        self.name = name
        self.endpoint = endpoint
        self.description = description
        self.requiresAuthorization = requiresAuthorization
        self.method = method
        self.status = status
    }

    init(row: Row) throws(DatabaseError) {
        id = try row.get("id")
        name = try row.get("name")
        endpoint = try row.get("endpoint")
        description = try row.get("description")
        requiresAuthorization = try row.get("requires_authorization")
        method = try row.get("method_authorization")
        status = try row.get("status")
    }
}

/// A tool in the catalogue.
public struct Tool: Sendable, Equatable {
    /// The number by which roles are attached to it.
    public let id: ToolID
    /// The service that offers it.
    public let serviceName: ServiceName
    /// What its service says about it.
    public let definition: OfferedTool
    /// The roles that may use it, by name.
    public let roles: [RoleName]

    init(row: Row, roles: [RoleName]) throws(DatabaseError) {
        id = try row.get("id")
        serviceName = try row.get("service_name")
        definition = OfferedTool(
            name: try row.get("name"),
            title: try row.get("title"),
            description: try row.get("description"),
            inputSchema: try row.get("input_schema"),
            outputSchema: try row.get("output_schema"),
            annotations: try row.get("annotations")
        )
        self.roles = roles
    }
}

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
        let length = description.unicodeScalars.count
        guard length <= Limits.descriptionCharactersMax else {
            throw RegistryError(
                .invalid,
                "Provided description length=\(length) exceeds maximum \(Limits.descriptionCharactersMax) characters"
            )
        }
        self.description = description
        self.method = requiresAuthorization ? try AuthorizationMethod(required: method) : .none
    }
}
