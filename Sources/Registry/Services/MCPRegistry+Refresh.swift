internal import DBDriver
internal import Logging

extension MCPRegistry {
    /// Why a service without tools has none.
    static let authorizationRequired = "the service requires authorization, store a discovery credential for it"
    /// Services among which an instance chooses: many instances then seldom want the same one.
    private static let candidates = 8

    /// Reads again what a service offers. Tools that it still has keep their ids and roles.
    ///
    /// - Returns: how many tools it has now.
    /// - Throws: `notFound`, `upstream` (the stored tools stay as they were, and the service is marked), `unavailable`
    public func refresh(_ name: ServiceName, by principal: Principal) async throws(RegistryError) -> Int {
        guard let service = try await read({ try ServiceTable.find(name, $0) }) else { throw Self.noService(name) }
        return try await refresh(service, isLeased: false, by: principal)
    }

    /// Reads one of the services again whose time has come, and writes down how that went. Of all instances that share the
    /// database one does it: it takes the service by moving the time of its next reading, and has until then; should it
    /// die, the service is due again.
    ///
    /// - Returns: whether a service was due.
    /// - Throws: `unavailable`
    public func refreshNextDue() async throws(RegistryError) -> Bool {
        let due = try await read { [clock] in try ServiceTable.due(at: clock(), limit: Self.candidates, $0) }
        guard var service = due.randomElement() else { return false }
        let leased = try await note { [service] session, time in
            let end = time + RefreshSchedule.lease
            return try ServiceTable.moveNextRead(of: service, to: end, session) ? end : nil
        }
        guard let leased else { return true }
        service.nextRead = leased
        do throws(RegistryError) {
            _ = try await refresh(service, isLeased: true, by: .refresher)
        } catch {
            guard [.upstream, .conflict, .notFound].contains(error.code) else { throw error }
            logger.info("a service could not be read again", metadata: ["reason": "\(error.message)"])
        }
        return true
    }

    /// What a service offers that is new, or has a new endpoint; nil when it wants a credential even for that.
    ///
    /// - Throws: `upstream`
    func firstReading(
        of endpoint: Endpoint,
        wantsDescription: Bool
    ) async throws(RegistryError) -> Discovery? {
        do throws(DiscoveryError) {
            return try await discovery.discover(endpoint, wantsDescription: wantsDescription, credential: nil)
        } catch {
            switch error {
            case .authorizationRequired: return nil
            case .failed(let reason): throw Self.unread(endpoint, reason)
            }
        }
    }

    private func refresh(
        _ service: RegisteredService,
        isLeased: Bool,
        by principal: Principal
    ) async throws(RegistryError) -> Int {
        let credential = try await discoveryCredential(for: service)
        let found: Discovery
        do throws(DiscoveryError) {
            // Asked for only by those who gave none: what an administrator wrote stays.
            found = try await discovery.discover(
                service.endpoint,
                wantsDescription: service.description == NewService.fallbackDescription,
                credential: credential
            )
        } catch {
            let reason =
                switch error {
                case .authorizationRequired: Self.authorizationRequired
                case .failed(let reason): reason
                }
            let status: RegisteredService.Status =
                error == .authorizationRequired ? .authorizationRequired : .failing
            try await keep(status, reason, of: service, isLeased: isLeased, by: principal)
            throw Self.unread(service.endpoint, reason)
        }
        return try await keep(found, of: service, isLeased: isLeased, by: principal)
    }

    /// Writes down a reading that went well.
    private func keep(
        _ found: Discovery,
        of service: RegisteredService,
        isLeased: Bool,
        by principal: Principal
    ) async throws(RegistryError) -> Int {
        let now = clock()
        let next = policy.schedule.next(after: now, timeToLive: found.timeToLive)
        let tools = Array(found.tools.prefix(Limits.toolsPerServiceMax))
        let write = { @Sendable [policy] (session: Session, time: Timestamp) in
            var read = try Self.lock(service, isLeased: isLeased, session)
            if read.description == service.description {
                read.description = found.serviceDescription ?? read.description
            }
            (read.status, read.lastSeen, read.lastError, read.failures, read.nextRead) = (.active, now, nil, 0, next)
            let changes = try Self.reconcile(tools, of: service, policy, at: time, session)
            try ToolTable.apply(changes, of: service.id, at: time, session)
            try ServiceTable.update(read, at: time, session)
        }
        var isNews = !isLeased || service.status != .active || found.serviceDescription != nil
        if !isNews {
            isNews = try await snapshot { [policy] in
                try !Self.reconcile(tools, of: service, policy, at: now, $0).isEmpty
            }
        }
        if isNews {
            try await change(.refreshService, "service '\(service.name)'", by: principal, write)
        } else {
            try await note(write)
        }
        return tools.count
    }

    /// Writes down that a reading failed. The tools stay as they were.
    private func keep(
        _ status: RegisteredService.Status,
        _ reason: String,
        of service: RegisteredService,
        isLeased: Bool,
        by principal: Principal
    ) async throws(RegistryError) {
        let error = String(reason.unicodeScalars.prefix(Limits.reasonCharactersMax))
        let next = policy.schedule.next(after: clock(), failures: service.failures + 1)
        let write = { @Sendable (session: Session, time: Timestamp) in
            var failed = try Self.lock(service, isLeased: isLeased, session)
            (failed.status, failed.lastError, failed.nextRead) = (status, error, next)
            failed.failures += 1
            try ServiceTable.update(failed, at: time, session)
        }
        if status != service.status || error != service.lastError {
            try await change(.serviceFailed, "service '\(service.name)'", by: principal, write)
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
            at: time
        )
    }

    /// Keeps a service from changing, which must still be the one that was read.
    ///
    /// - Throws: `notFound`, `conflict` when it has another endpoint now, or another instance has taken it since
    @discardableResult
    static func lock(
        _ service: RegisteredService,
        isLeased: Bool = false,
        _ session: Session
    ) throws -> RegisteredService {
        guard let current = try ServiceTable.lock(service.name, session), current.id == service.id else {
            throw noService(service.name)
        }
        guard current.endpoint == service.endpoint, !isLeased || current.nextRead == service.nextRead else {
            throw RegistryError(
                .conflict,
                "Service with name '\(service.name)' was changed meanwhile, please try again"
            )
        }
        return current
    }

    static func unread(_ endpoint: Endpoint, _ reason: String) -> RegistryError {
        RegistryError(.upstream, "Failed to fetch tools from \(endpoint): \(reason)")
    }
}
