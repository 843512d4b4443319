public import DBDriver

/// A service in the catalogue.
public struct RegisteredService: Sendable, Equatable, Codable {
    /// How the last reading of its tools went.
    public enum Status: String, SQLConvertible, Sendable, Codable {
        /// They were read.
        case active
        /// It wants a credential even for listing its tools, and has refused or not been given one.
        case authorizationRequired = "authorization_required"
        /// It could not be read; the tools are those of the last reading that went well.
        case failing
    }

    /// The id that tokens are bound to. A service that is removed and added again has another one.
    public let id: String
    /// The unique name.
    public let name: ServiceName
    /// Where it is; unique too.
    public internal(set) var endpoint: Endpoint
    /// What it is for.
    public internal(set) var description: String
    /// Whether agents must send a user's token.
    public internal(set) var requiresAuthorization: Bool
    /// How the token is sent; `none` exactly when none is required.
    public internal(set) var method: AuthorizationMethod
    /// How the last reading of its tools went.
    public internal(set) var status: Status
    /// How it is spoken with, as far as is known.
    public internal(set) var transport: Transport
    /// When its tools were last read; nil when they never were.
    public internal(set) var lastSeen: Timestamp?
    /// Why the last reading failed, as a clause; nil when it went well.
    public internal(set) var lastError: String?
    /// Who has added it, and may change it; nil when only administrators may.
    public let owner: String?
    /// Readings that have failed in a row.
    var failures: Int
    /// When it is to be read again.
    var nextRead: Timestamp

    init(
        id: String,
        name: ServiceName,
        endpoint: Endpoint,
        description: String,
        requiresAuthorization: Bool,
        method: AuthorizationMethod,
        status: Status,
        transport: Transport,
        lastSeen: Timestamp?,
        lastError: String? = nil,
        owner: String?,
        failures: Int = 0,
        nextRead: Timestamp
    ) {
        self.id = id
        self.name = name
        self.endpoint = endpoint
        self.description = description
        self.requiresAuthorization = requiresAuthorization
        self.method = method
        self.status = status
        self.transport = transport
        self.lastSeen = lastSeen
        self.lastError = lastError
        self.owner = owner
        self.failures = failures
        self.nextRead = nextRead
    }

    init(row: Row) throws(DatabaseError) {
        id = try row.get("id")
        name = try row.get("name")
        endpoint = try row.get("endpoint")
        description = try row.get("description")
        requiresAuthorization = try row.get("requires_authorization")
        method = try row.get("method_authorization")
        status = try row.get("status")
        transport = try row.get("transport")
        lastSeen = try row.get("last_seen")
        lastError = try row.get("last_error")
        owner = try row.get("owner")
        failures = try row.get("failures")
        nextRead = try row.get("next_read")
    }
}
