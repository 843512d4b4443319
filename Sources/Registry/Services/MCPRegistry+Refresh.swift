internal import DBDriver
internal import Logging

extension MCPRegistry {
    /// Services among which an instance chooses, so that many instances seldom want the same one.
    static let candidates = 64

    /// Reads again what a service offers. Tools that it still has keep their ids and roles.
    ///
    /// - Returns: how many tools it has now.
    /// - Throws: `notFound`, `forbidden` when another has added it, `upstream` (the stored tools stay as they were, and the service is marked), `conflict` when the
    ///   service was changed twice meanwhile, `unavailable`
    public func refresh(_ name: ServiceName, by principal: Principal) async throws(RegistryError) -> Int {
        if let earlier: Int = try IdempotentRequest.current?.earlierValue() { return earlier }
        return try await onceMore { () async throws(RegistryError) in
            let known = try await serviceToRead(name)
            try await notingDenial(.refreshService, "service '\(name)'", by: principal) { () throws(RegistryError) in
                try principal.requireOwning(name, of: known.service.owner)
            }
            return try await read(known, by: principal)
        }
    }

    /// Repeats a reading by hand that was overtaken by another, once. It may have waited for its turn at the service and be
    /// the newer one, which nobody can tell: what it was compared with was looked up before.
    func onceMore<T>(_ reading: () async throws(RegistryError) -> T) async throws(RegistryError) -> T {
        do throws(RegistryError) {
            return try await reading()
        } catch {
            guard error.code == .conflict else { throw error }
            return try await reading()
        }
    }

    /// A service with what is sent to it, without a lease.
    ///
    /// - Throws: `notFound`, `unavailable`
    func serviceToRead(_ name: ServiceName) async throws(RegistryError) -> ServiceToRead {
        let known = try await snapshot { session in
            try ServiceTable.find(name, session).map { try ServiceToRead($0, isLeased: false, session) }
        }
        guard let known else { throw Self.noService(name) }
        return known
    }

    /// Takes one of the services whose time has come, to be read again with ``refresh(_:)``. Of all instances that share the
    /// database one gets it: it moves the time of the next reading, and has until then; should it die, the service is due
    /// again.
    ///
    /// - Parameter hosts: hosts that the caller is reading, as ``ServiceToRead/host`` tells them: their services can wait, and
    ///   must not keep others waiting.
    /// - Returns: the service; nil when none is due, or another instance was faster.
    /// - Throws: `unavailable`
    public func leaseNextDue(besides hosts: Set<String> = []) async throws(RegistryError) -> ServiceToRead? {
        let due = try await read { [clock] in
            try ServiceTable.due(at: clock(), besides: hosts, limit: Self.candidates, $0)
        }
        guard let chosen = due.randomElement() else { return nil }
        return try await note { session, time in
            guard var service = try ServiceTable.lock(chosen.name, session), service.nextRead <= time else {
                return nil
            }
            service.nextRead = time + RefreshSchedule.lease
            try ServiceTable.update(service, at: time, session)
            return try ServiceToRead(service, isLeased: true, session)
        }
    }

    /// Reads a leased service again, and writes down how that went.
    ///
    /// - Throws: `unavailable`
    public func refresh(_ leased: ServiceToRead) async throws(RegistryError) {
        do throws(RegistryError) {
            _ = try await read(leased, by: .refresher)
        } catch {
            guard [.upstream, .conflict, .notFound].contains(error.code) else { throw error }
            // Why it could not be read is in the log already.
            guard error.code != .upstream else { return }
            logger.info("a service was changed while it was read", metadata: ["reason": "\(error.message)"])
        }
    }

    /// What a service offers that is new, or has a new endpoint.
    ///
    /// - Returns: what was found; or why nothing, when it wants a credential even for that.
    /// - Throws: `upstream`
    func firstReading(
        of endpoint: Endpoint,
        wantsDescription: Bool,
        _ credential: DiscoveryCredential? = nil
    ) async throws(RegistryError) -> (found: Discovery?, refusal: String?) {
        do throws(DiscoveryError) {
            let found = try await discovery.discover(
                endpoint,
                wantsDescription: wantsDescription,
                credential: credential
            )
            return (found, nil)
        } catch {
            let reason = error.reason(refusing: credential)
            guard case .authorizationRequired = error else { throw Self.unread(endpoint, reason) }
            return (nil, reason)
        }
    }

    /// The credential to read a service with.
    ///
    /// - Throws: `upstream`
    func openedCredential(_ known: ServiceToRead) throws(RegistryError) -> DiscoveryCredential? {
        do throws(RegistryError) {
            return try discoveryCredential(known)
        } catch {
            let service = known.service
            logger.error(
                "\(error.message)",
                metadata: ["service": "\(service.name)", "detail": "\(error.detail ?? "")"]
            )
            throw Self.unread(service.endpoint, Self.unopenable)
        }
    }

    private static let unopenable = "the stored discovery credential can't be opened, store it again"

    private func read(_ known: ServiceToRead, by principal: Principal) async throws(RegistryError) -> Int {
        let service = known.service
        let credential: DiscoveryCredential?
        do throws(RegistryError) {
            credential = try openedCredential(known)
        } catch {
            try await keep(.failing, Self.unopenable, of: known, by: principal)
            throw error
        }
        // Asked for only by those who gave none: what an administrator wrote stays. Under quarantine nothing that nobody has
        // asked for is told.
        let mayDescribe = policy.toolChanges == .accept || !known.isLeased
        let found: Discovery
        do throws(DiscoveryError) {
            found = try await discovery.discover(
                service.endpoint,
                wantsDescription: mayDescribe && service.description == NewService.fallbackDescription,
                credential: credential
            )
        } catch {
            let reason = error.reason(refusing: credential)
            switch error {
            case .authorizationRequired: try await keep(.authorizationRequired, reason, of: known, by: principal)
            case .failed: try await keep(.failing, reason, of: known, by: principal)
            case .interrupted: break
            }
            throw Self.unread(service.endpoint, reason)
        }
        return try await keep(found, of: known, by: principal)
    }

    /// Writes down a reading that went well.
    private func keep(
        _ found: Discovery,
        of known: ServiceToRead,
        by principal: Principal
    ) async throws(RegistryError) -> Int {
        let service = known.service
        let now = clock()
        let next = policy.schedule.next(after: now, timeToLive: found.timeToLive)
        let tools = Array(found.tools.prefix(Limits.toolsPerServiceMax))
        let write = { @Sendable (session: Session, time: Timestamp) in
            var read = try Self.lock(service, unless: known.isOvertaken(by:), session)
            if read.description == service.description {
                read.description = found.serviceDescription ?? read.description
            }
            (read.status, read.lastSeen, read.lastError, read.failures, read.nextRead) = (.active, now, nil, 0, next)
            read.transport = found.transport
            try ServiceTable.update(read, at: time, session)
        }
        var isNews =
            !known.isLeased || service.status != .active || found.transport != service.transport
            || found.serviceDescription != nil
        if !isNews {
            isNews = try await snapshot { [policy] in
                try !Self.reconcile(tools, of: service, policy, at: now, $0).isEmpty
            }
        }
        if isNews {
            return try await change(.refreshService, "service '\(service.name)'", by: principal) {
                [policy] session, time in
                try write(session, time)
                let changes = try Self.reconcile(tools, of: service, policy, at: time, session)
                try ToolTable.apply(changes, of: service.id, at: time, session)
                return tools.count
            }
        }
        try await note(write)
        return tools.count
    }

    /// Writes down that a reading failed. The tools stay as they were.
    private func keep(
        _ status: RegisteredService.Status,
        _ reason: String,
        of known: ServiceToRead,
        by principal: Principal
    ) async throws(RegistryError) {
        let service = known.service
        let error = String(reason.unicodeScalars.prefix(Limits.reasonCharactersMax))
        // The endpoint stays out of the log: its query may be a secret.
        logger.info("a service could not be read", metadata: ["service": "\(service.name)", "reason": "\(error)"])
        let next = policy.schedule.next(after: clock(), failures: service.failures + 1)
        let write = { @Sendable (session: Session, time: Timestamp) in
            var failed = try Self.lock(service, unless: known.isOvertaken(by:), session)
            (failed.status, failed.lastError, failed.nextRead) = (status, error, next)
            failed.failures += 1
            try ServiceTable.update(failed, at: time, session)
        }
        if status != service.status || error != service.lastError {
            try await changeEachTime(.serviceFailed, "service '\(service.name)'", by: principal, write)
        } else {
            try await note(write)
        }
    }

    static func reconcile(
        _ offered: [OfferedTool],
        of service: RegisteredService,
        _ policy: CatalogPolicy,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) -> ToolReconciliation {
        ToolReconciliation(
            stored: try ToolTable.stored(of: service.id, session),
            history: try DefinitionTable.digests(of: service.id, session),
            offered: offered,
            policy: policy,
            isFirst: service.lastSeen == nil,
            at: time
        )
    }

    /// Keeps a service from changing, which must still be the one that was read: `isOvertaken` says whether what has become
    /// of it since leaves no room for what is to be written.
    ///
    /// - Returns: the service as it is now.
    /// - Throws: `notFound`, `conflict` when it has another endpoint now, or is overtaken
    static func lock(
        _ service: RegisteredService,
        unless isOvertaken: (RegisteredService) -> Bool,
        _ session: Session
    ) throws -> RegisteredService {
        guard let current = try ServiceTable.lock(service.name, session), current.id == service.id else {
            throw noService(service.name)
        }
        guard current.endpoint == service.endpoint, !isOvertaken(current) else {
            var overtaken = RegistryError(
                .conflict,
                "Service with name '\(service.name)' was changed meanwhile, please try again"
            )
            overtaken.isPassing = true
            throw overtaken
        }
        return current
    }

    static func unread(_ endpoint: Endpoint, _ reason: String) -> RegistryError {
        RegistryError(.upstream, "Failed to fetch tools from \(endpoint): \(reason)")
    }
}

extension DiscoveryError {
    /// Why the service could not be read, as a clause; the credential is what was sent to it.
    fileprivate func reason(refusing credential: DiscoveryCredential?) -> String {
        switch self {
        case .authorizationRequired(let scheme) where credential == nil:
            "the service requires authorization\(scheme.map { " (\($0))" } ?? ""), store a discovery credential for it"
        case .authorizationRequired(let scheme):
            "the service refused the stored discovery credential\(scheme.map { " (it wants \($0))" } ?? "")"
        case .interrupted(let reason), .failed(let reason): reason
        }
    }
}
