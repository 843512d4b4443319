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

    /// Whether another instance has taken the service since, or a later reading has been written down: what a slow reading
    /// has found is older than that. `current` is what is stored of the service now.
    func isOvertaken(by current: RegisteredService) -> Bool {
        // A lease moves the time of the next reading, so that tells nothing to those who have none.
        isLeased ? current.nextRead != service.nextRead : current.lastSeen != service.lastSeen
    }

    // The session is the transaction in which the service was read.
    init(_ service: RegisteredService, isLeased: Bool, _ session: Session) throws(DatabaseError) {
        self.service = service
        self.isLeased = isLeased
        credential = try CredentialTable.findDiscovery(serviceID: service.id, session)
    }
}
