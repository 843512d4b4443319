internal import DBDriver

/// A service that is about to be read, with what is sent to it: both of one moment, so that a credential never goes to an
/// endpoint that it was not stored for.
public struct ServiceToRead: Sendable {
    /// Host and port of the service's endpoint, in one form for each.
    public var host: String { service.endpoint.host }

    let service: RegisteredService
    let credential: (method: AuthorizationMethod, sealed: SealedToken)?
    /// Whether the time of its next reading is the end of a lease.
    let isLeased: Bool

    // The session is the transaction in which the service was read.
    init(_ service: RegisteredService, isLeased: Bool, _ session: Session) throws(DatabaseError) {
        self.service = service
        self.isLeased = isLeased
        credential = try CredentialTable.findDiscovery(serviceID: service.id, session)
    }
}
