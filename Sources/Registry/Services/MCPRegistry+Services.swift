internal import DBDriver

extension MCPRegistry {
    /// All services, oldest first.
    ///
    /// - Throws: `unavailable`
    public func services() async throws(RegistryError) -> [RegisteredService] {
        try await read { try ServiceTable.all($0) }
    }

    /// A part of all services, in the order of their names.
    ///
    /// - Throws: `invalid` for a cursor that was never told, `unavailable`
    public func services(_ page: PageRequest) async throws(RegistryError) -> Page<RegisteredService> {
        let last = try page.last(ServiceName.init(rawValue:))
        let found = try await read { try ServiceTable.page(after: last, limit: page.limit + 1, $0) }
        return Page(found, limit: page.limit, by: \.name.rawValue)
    }

    /// One service with its tools; nil for an unknown one.
    ///
    /// - Throws: `unavailable`
    public func find(_ name: ServiceName) async throws(RegistryError) -> (RegisteredService, [Tool])? {
        try await snapshot { session in
            guard let service = try ServiceTable.find(name, session) else { return nil }
            return (service, try ToolTable.all(of: name, session))
        }
    }

    /// Reads what a service offers, and puts both into the catalogue. A service that wants a credential even for that is
    /// added without tools, and says so by its status.
    ///
    /// - Throws: `conflict` when the name or the endpoint is taken, `upstream` when the service can't be read, `unavailable`
    public func add(_ new: NewService, by principal: Principal) async throws(RegistryError) -> RegisteredService {
        if let earlier: RegisteredService = try IdempotentRequest.current?.earlierValue() { return earlier }
        // Of one moment: where the same service is being added by another, it is the name that is taken.
        try await snapshot { session in
            try Self.refuseTaken(new.name, session)
            try Self.refuseTaken(new.endpoint, session)
        }
        let (found, refusal) = try await firstReading(of: new.endpoint, wantsDescription: new.description.isEmpty)
        let description = new.description.isEmpty ? found?.serviceDescription : new.description
        let now = clock()
        let service = RegisteredService(
            id: UUID.version7(at: now),
            name: new.name,
            endpoint: new.endpoint,
            description: description ?? NewService.fallbackDescription,
            requiresAuthorization: new.method != .none,
            method: new.method,
            status: found == nil ? .authorizationRequired : .active,
            transport: found?.transport ?? .streamableHTTP,
            lastSeen: found == nil ? nil : now,
            lastError: refusal,
            owner: principal.name,
            nextRead: policy.schedule.next(after: now, timeToLive: found?.timeToLive)
        )
        let tools = (found?.tools ?? []).prefix(Limits.toolsPerServiceMax).enumerated()
        // Whoever adds a service approves of what it offers then.
        let added = tools.map { ToolReconciliation.Addition(position: $0, definition: $1) }
        return try await change(.addService, "service '\(new.name)'", by: principal) { session, time in
            try Self.refuseTaken(new.name, session)
            try Self.refuseTaken(new.endpoint, session)
            try ServiceTable.insert(service, at: time, session)
            try ToolTable.insert(added, of: service.id, at: time, session)
            return service
        }
    }

    /// Removes a service with its tools, their role links, and all tokens stored for it.
    ///
    /// - Throws: `notFound`, `forbidden` when another has added it, `unavailable`
    public func removeService(_ name: ServiceName, by principal: Principal) async throws(RegistryError) {
        try await change(.removeService, "service '\(name)'", by: principal) { session, _ in
            guard let service = try ServiceTable.lock(name, session) else { throw Self.noService(name) }
            try principal.requireOwning(name, of: service.owner)
            _ = try ServiceTable.delete(name, session)
        }
    }

    static func noService(_ name: ServiceName) -> RegistryError {
        RegistryError(.notFound, "Service with name '\(name)' not found")
    }

    static func refuseTaken(_ endpoint: Endpoint, _ session: Session) throws {
        if try ServiceTable.hasEndpoint(endpoint, session) {
            throw RegistryError(.conflict, "Endpoint '\(endpoint)' is already registered by another service")
        }
    }

    private static func refuseTaken(_ name: ServiceName, _ session: Session) throws {
        if try ServiceTable.find(name, session) != nil {
            throw RegistryError(.conflict, "Service with name '\(name)' already exists")
        }
    }
}
