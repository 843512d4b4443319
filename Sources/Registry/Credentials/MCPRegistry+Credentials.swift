public import DBDriver
internal import Metrics

extension MCPRegistry {
    /// What an agent must send to a service on a user's behalf. A token is given to the user's own caller, to those that were
    /// granted it, and to administrators; each time written down when and where ``ReleaseAudit`` says.
    /// What was revoked before the request came is not given; what is revoked while it is answered may be.
    ///
    /// - Throws: `forbidden` for a user that the caller does not act for, or a token that it was not granted; `notFound` for
    ///   the service, `unauthenticated` when the user has stored no token for it or it has expired, `unavailable` without a
    ///   database, or without the key that the token was sealed with
    public func access(
        to service: ServiceName,
        for user: UserID,
        by principal: Principal
    ) async throws(RegistryError) -> Access {
        let target = "service '\(service)', user '\(user)'"
        let now = clock()
        let released = try await notingDenial(.releaseToken, target, by: principal) { () async throws(RegistryError) in
            try principal.requireActing(for: user)
            let found = try await credentialReads.value(
                of: .init(service: service, user: user, agent: principal.name)
            )
            return try Self.releasable(found, to: service, for: user, by: principal, vault, at: now)
        }
        guard let (found, sealed, vault) = released else { return .open }
        let context = TokenContext.userToken(serviceID: found.serviceID, user)
        let token = try Self.open(sealed, context, vault, of: "user '\(user)'")
        try await note(release: auditEntry(.releaseToken, target, by: principal, .done))
        return .token(token, found.method)
    }

    /// What a caller may be given, still sealed; nil when the service wants no token.
    private static func releasable(
        _ found: CredentialTable.Found?,
        to service: ServiceName,
        for user: UserID,
        by principal: Principal,
        _ vault: TokenVault?,
        at now: Timestamp
    ) throws(RegistryError) -> (CredentialTable.Found, SealedToken, TokenVault)? {
        guard let found else { throw RegistryError(.notFound, "Service not found") }
        guard found.requiresAuthorization else { return nil }
        let vault = try required(vault)
        guard let sealed = found.sealed else {
            throw RegistryError(
                .unauthenticated,
                "User is not authorized to use this service. Authorize please."
            )
        }
        guard found.isGranted || principal.owns(tokensOf: user) else {
            throw RegistryError(
                .forbidden,
                "user '\(user)' has not granted this caller ('\(principal.name)') the token for the service '\(service)'"
            )
        }
        if let end = found.expiresAt, end <= now {
            throw RegistryError(.unauthenticated, "The user's token for this service has expired. Authorize please.")
        }
        return (found, sealed, vault)
    }

    /// Stores a user's token for a service in place of any other, sealed. A user that was never seen before is registered. An
    /// agent through which a user gives a token is granted it by that, until another brings one.
    ///
    /// - Parameters:
    ///   - token: the token.
    ///   - expiresAt: from when on it is not given out; nil for never.
    ///   - user: whose it is.
    ///   - service: what it is for.
    ///   - principal: who brings it.
    /// - Throws: `notFound` for the service, and then nothing is stored; `invalid` for an end that has passed, `forbidden` for a
    ///   user that the caller does not act for, `unavailable` without a database or key ring
    public func store(
        _ token: NewToken,
        expiresAt: Timestamp? = nil,
        for user: UserID,
        at service: ServiceName,
        by principal: Principal
    ) async throws(RegistryError) {
        let target = "service '\(service)', user '\(user)'"
        try await notingDenial(.storeToken, target, by: principal) { () throws(RegistryError) in
            try principal.requireActing(for: user)
        }
        let isNew = IdempotentRequest.current?.isRepeated != true
        if let expiresAt, isNew, expiresAt <= clock() {
            throw RegistryError(.invalid, "expires_at must be in the future")
        }
        let vault = try requiredVault()
        try await change(.storeToken, target, by: principal) { session, time in
            guard let id = try ServiceTable.hold(service, session) else { throw Self.noService(service) }
            let sealed = try Self.seal(token.secret, .userToken(serviceID: id, user), vault, session)
            try UserTable.insert(user, at: time, session)
            try CredentialTable.store(sealed, serviceID: id, user, expiresAt: expiresAt, at: time, session)
            // Whoever brought the token before has no claim to this one: else it could plant a token, and wait for the real one.
            try GrantTable.deleteSelfMade(serviceID: id, user, session)
            guard !principal.owns(tokensOf: user) else { return }
            try GrantTable.insert(serviceID: id, user, agent: principal.name, by: principal, at: time, session)
        }
    }

    /// Stores what the registry itself sends when it reads a service's tools, sealed.
    ///
    /// - Throws: `notFound` for the service, `forbidden` when another has added it, `unavailable` without a database or key
    ///   ring
    public func storeDiscoveryCredential(
        _ token: NewToken,
        _ method: AuthorizationMethod,
        for service: ServiceName,
        by principal: Principal
    ) async throws(RegistryError) {
        let vault = try requiredVault()
        try await change(.storeDiscoveryCredential, "service '\(service)'", by: principal) { session, time in
            guard let known = try ServiceTable.lock(service, session) else { throw Self.noService(service) }
            try principal.requireOwning(service, of: known.owner)
            let sealed = try Self.seal(token.secret, .discovery(serviceID: known.id), vault, session)
            try CredentialTable.storeDiscovery(sealed, method, serviceID: known.id, at: time, session)
        }
    }

    /// What the registry itself sends to a service; nil when nothing is stored.
    func discoveryCredential(_ known: ServiceToRead) throws(RegistryError) -> DiscoveryCredential? {
        guard let found = known.credential else { return nil }
        let context = TokenContext.discovery(serviceID: known.service.id)
        let token = try Self.open(
            found.sealed,
            context,
            try requiredVault(),
            of: "discovery of '\(known.service.name)'"
        )
        return DiscoveryCredential(method: found.method, token: token)
    }

    func requiredVault() throws(RegistryError) -> TokenVault {
        try Self.required(vault)
    }

    private static func required(_ vault: TokenVault?) throws(RegistryError) -> TokenVault {
        guard let vault else {
            throw RegistryError(.unavailable, "no key ring is configured: tokens can be neither stored nor read")
        }
        return vault
    }

    /// Seals with the key that is the active one for all servers; as long as none is, with that of this server's ring.
    static func seal(
        _ secret: Secret,
        _ context: TokenContext,
        _ vault: TokenVault,
        _ session: Session
    ) throws -> SealedToken {
        let active = try KeyTable.active(session)
        do throws(VaultError) {
            return try vault.seal(secret, context: context, keyID: active)
        } catch {
            switch error {
            case .keyUnavailable(let id), .keyDisabled(let id):
                throw RegistryError(
                    .keyUnavailable,
                    "this server's key ring lacks the active key, so it can store no token",
                    detail: "key \(id) is the active one: add it to the ring and start again"
                )
            case .wrongKey, .tampered, .malformed, .sealingFailed:
                throw RegistryError(.internal, "internal error", detail: "sealing a token failed: \(error)")
            }
        }
    }

    static func open(
        _ sealed: SealedToken,
        _ context: TokenContext,
        _ vault: TokenVault,
        of owner: String
    ) throws(RegistryError) -> Secret {
        do {
            return try vault.open(sealed, context: context)
        } catch {
            // Many of these mean a wrong ring, or rows that somebody has changed.
            Counter(label: "vault_failures", dimensions: [("reason", error.name)]).increment()
            let detail = "the token of \(owner), service id \(context.serviceID), can't be opened: \(error)"
            switch error {
            case .keyUnavailable, .keyDisabled, .wrongKey:
                let message = "the key that the token was encrypted with is not available"
                throw RegistryError(.keyUnavailable, message, detail: detail)
            case .tampered, .malformed, .sealingFailed:
                throw RegistryError(.internal, "internal error", detail: detail)
            }
        }
    }
}

extension TokenContext {
    /// A user's token for a service.
    static func userToken(serviceID: String, _ user: UserID) -> TokenContext {
        TokenContext(purpose: "user-token", serviceID: serviceID, userID: user.rawValue, field: "access_token")
    }

    /// What the registry sends to list a service's tools.
    static func discovery(serviceID: String) -> TokenContext {
        TokenContext(purpose: "service-discovery", serviceID: serviceID, userID: "", field: "access_token")
    }
}
