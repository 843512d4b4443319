internal import DBDriver

/// What users and administrators do about stored tokens.
extension MCPRegistry {
    /// What is known about a user's tokens, by service; never the tokens.
    ///
    /// - Throws: `forbidden` for a user that the caller does not act for, `unavailable`
    public func tokens(of user: UserID, by principal: Principal) async throws(RegistryError) -> [StoredToken] {
        try principal.requireActing(for: user)
        return try await snapshot { try CredentialTable.all(of: user, $0) }
    }

    /// Removes a user's token for a service for good, with what was granted about it.
    ///
    /// - Throws: `forbidden` for a user that the caller does not act for, `notFound` for the service or the token,
    ///   `unavailable`
    public func revokeToken(
        of user: UserID,
        at service: ServiceName,
        by principal: Principal
    ) async throws(RegistryError) {
        try await change(.revokeToken, "service '\(service)', user '\(user)'", by: principal) { session, _ in
            try principal.requireActing(for: user)
            guard let id = try ServiceTable.hold(service, session) else { throw Self.noService(service) }
            guard try CredentialTable.delete(serviceID: id, user, session) else { throw Self.noToken(user, service) }
        }
    }

    /// Lets a caller be given a user's token for a service, or no longer.
    ///
    /// - Parameters:
    ///   - isGranted: whether it may from now on.
    ///   - agent: the caller, by the name that `whoami` tells it.
    ///   - user: whose token.
    ///   - service: for which service.
    ///   - principal: the user itself, or an administrator: an agent can't help itself.
    /// - Throws: `forbidden`, `notFound` for the service, the token or what is to be taken back, `unavailable`
    public func setGrant(
        _ isGranted: Bool,
        to agent: AgentName,
        of user: UserID,
        at service: ServiceName,
        by principal: Principal
    ) async throws(RegistryError) {
        let target = "service '\(service)', user '\(user)', agent '\(agent)'"
        try await change(isGranted ? .grantToken : .withdrawToken, target, by: principal) { session, time in
            guard principal.owns(tokensOf: user) else {
                throw RegistryError(
                    .forbidden,
                    "only user '\(user)' and administrators (\(Scope.administer)) decide who is given the user's tokens"
                )
            }
            guard let id = try ServiceTable.hold(service, session) else { throw Self.noService(service) }
            guard try CredentialTable.hold(serviceID: id, user, session) else { throw Self.noToken(user, service) }
            if isGranted {
                try GrantTable.insert(serviceID: id, user, agent: agent.rawValue, by: principal, at: time, session)
            } else if try !GrantTable.delete(serviceID: id, user, agent: agent.rawValue, session) {
                throw RegistryError(.notFound, "the token of user '\(user)' was not granted to '\(agent)'")
            }
        }
    }

    private static func noToken(_ user: UserID, _ service: ServiceName) -> RegistryError {
        RegistryError(.notFound, "User \(user) has no token for the service '\(service)'")
    }
}

extension Principal {
    /// Whether a user's tokens are its own to decide about: it is the user, or an administrator.
    func owns(tokensOf other: UserID) -> Bool { user == other || may(.administer) }
}
