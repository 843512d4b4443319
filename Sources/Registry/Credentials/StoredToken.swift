public import DBDriver

/// What may be told about a user's stored token: everything but the token.
public struct StoredToken: Sendable, Equatable {
    /// The service that it is for.
    public let service: ServiceName
    /// When one was first stored.
    public let createdAt: Timestamp
    /// When this one was.
    public let updatedAt: Timestamp
    /// From when on it is not given out; nil for never.
    public let expiresAt: Timestamp?
    /// The callers that it is given to, besides the user's own.
    public internal(set) var grantedTo: [String]
}
