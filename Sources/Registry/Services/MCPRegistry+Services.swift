internal import DBDriver

extension MCPRegistry {
    /// All services, oldest first.
    ///
    /// - Throws: `unavailable`
    public func services() async throws(RegistryError) -> [RegisteredService] {
        try await read { try ServiceTable.all($0) }
    }

    /// The tools of a service with the roles that may use them; none for an unknown service.
    ///
    /// - Throws: `unavailable`
    public func tools(of service: ServiceName) async throws(RegistryError) -> [Tool] {
        try await snapshot { try ToolTable.all(of: service, $0) }
    }

    /// Reads what a service offers, and puts both into the catalogue. A service that wants a credential even for that is
    /// added without tools, and says so by its status.
    ///
    /// - Throws: `conflict` when the name or the endpoint is taken, `upstream` when the service can't be read, `unavailable`
    public func add(_ new: NewService, by principal: Principal) async throws(RegistryError) -> RegisteredService {
        try await read { try Self.refuseTaken(new, $0) }
        let found: Discovery?
        do throws(DiscoveryError) {
            found = try await discovery.discover(
                new.endpoint,
                wantsDescription: new.description.isEmpty,
                credential: nil
            )
        } catch {
            switch error {
            case .authorizationRequired: found = nil
            case .failed(let reason): throw Self.unread(new.endpoint, reason)
            }
        }
        let description = new.description.isEmpty ? found?.serviceDescription : new.description
        let service = RegisteredService(
            id: UUID.version7(at: clock()),
            name: new.name,
            endpoint: new.endpoint,
            description: description ?? NewService.fallbackDescription,
            requiresAuthorization: new.method != .none,
            method: new.method,
            status: found == nil ? .authorizationRequired : .active
        )
        let tools = Array((found?.tools ?? []).prefix(Limits.toolsPerServiceMax))
        try await change(.addService, "service '\(new.name)'", by: principal) { session, time in
            try Self.refuseTaken(new, session)
            try ServiceTable.insert(service, at: time, session)
            try ToolTable.insert(tools.enumerated().map { ($0, $1) }, of: service.id, at: time, session)
        }
        return service
    }

    /// Reads again what a service offers. Tools that it still has keep their ids and roles.
    ///
    /// - Returns: how many tools it has now.
    /// - Throws: `notFound`, `upstream` (the stored tools stay as they were), `unavailable`
    public func refresh(_ name: ServiceName, by principal: Principal) async throws(RegistryError) -> Int {
        let service = try await self.service(named: name)
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
            switch error {
            case .authorizationRequired:
                throw Self.unread(
                    service.endpoint,
                    "the service requires authorization, store a discovery credential for it"
                )
            case .failed(let reason): throw Self.unread(service.endpoint, reason)
            }
        }
        let tools = Array(found.tools.prefix(Limits.toolsPerServiceMax))
        return try await change(.refreshService, "service '\(name)'", by: principal) { session, time in
            guard try ServiceTable.find(name, session)?.id == service.id else { throw Self.noService(name) }
            try ToolTable.replace(with: tools, of: service, at: time, session)
            let description = found.serviceDescription ?? service.description
            try ServiceTable.setActive(service.id, description: description, at: time, session)
            return tools.count
        }
    }

    /// Removes a service with its tools, their role links, and all tokens stored for it.
    ///
    /// - Throws: `notFound`, `unavailable`
    public func removeService(_ name: ServiceName, by principal: Principal) async throws(RegistryError) {
        try await change(.removeService, "service '\(name)'", by: principal) { session, _ in
            guard try ServiceTable.delete(name, session) else { throw Self.noService(name) }
        }
    }

    func service(named name: ServiceName) async throws(RegistryError) -> RegisteredService {
        guard let service = try await read({ try ServiceTable.find(name, $0) }) else { throw Self.noService(name) }
        return service
    }

    static func noService(_ name: ServiceName) -> RegistryError {
        RegistryError(.notFound, "Service with name '\(name)' not found")
    }

    private static func unread(_ endpoint: Endpoint, _ reason: String) -> RegistryError {
        RegistryError(.upstream, "Failed to fetch tools from \(endpoint): \(reason)")
    }

    private static func refuseTaken(_ new: NewService, _ session: Session) throws {
        if try ServiceTable.find(new.name, session) != nil {
            throw RegistryError(.conflict, "Service with name '\(new.name)' already exists")
        }
        if try ServiceTable.hasEndpoint(new.endpoint, session) {
            throw RegistryError(.conflict, "Endpoint '\(new.endpoint)' is already registered by another service")
        }
    }
}
