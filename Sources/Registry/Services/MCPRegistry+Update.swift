internal import DBDriver

extension MCPRegistry {
    /// Changes a service. With a new endpoint its tools are read there first; then every token stored for the service is
    /// removed, since it was given for another address (a renamed service must not inherit tokens).
    ///
    /// - Throws: `notFound`, `invalid`, `conflict` when the endpoint is taken or the service was changed meanwhile,
    ///   `upstream` when it can't be read at the new endpoint, and then nothing is changed; `unavailable`
    public func update(
        _ name: ServiceName,
        _ wish: ServiceUpdate,
        by principal: Principal
    ) async throws(RegistryError) -> ServiceUpdate.Outcome {
        guard let service = try await read({ try ServiceTable.find(name, $0) }) else { throw Self.noService(name) }
        let method = try wish.method(after: service)
        let moves = wish.endpoint.map { $0 != service.endpoint } ?? false
        let endpoint = wish.endpoint ?? service.endpoint
        if moves { try await read { try Self.refuseTaken(endpoint, $0) } }
        let found = moves ? try await firstReading(of: endpoint, wantsDescription: wish.description == "") : nil
        return try await change(.updateService, "service '\(name)'", by: principal) { [policy] session, time in
            let current = try Self.lock(service, session)
            var updated = current
            updated.endpoint = endpoint
            updated.method = method
            updated.requiresAuthorization = method != .none
            if let text = wish.description {
                updated.description = text.isEmpty ? found?.serviceDescription ?? NewService.fallbackDescription : text
            }
            // A description that is to be asked for is asked for at the next reading, which is due at once.
            if wish.description == "", !moves { updated.nextRead = time }
            guard moves else {
                try ServiceTable.update(updated, at: time, session)
                return ServiceUpdate.Outcome(
                    service: updated,
                    tokensRemoved: 0,
                    isDiscoveryCredentialRemoved: false
                )
            }
            try Self.refuseTaken(endpoint, session)
            updated.status = found == nil ? .authorizationRequired : .active
            updated.lastSeen = found == nil ? current.lastSeen : time
            updated.lastError = found == nil ? Self.authorizationRequired : nil
            updated.failures = 0
            updated.nextRead = policy.schedule.next(after: time, timeToLive: found?.timeToLive)
            let removed = try CredentialTable.deleteAll(serviceID: service.id, session)
            if let found {
                let tools = Array(found.tools.prefix(Limits.toolsPerServiceMax))
                let changes = try Self.reconcile(tools, of: service, policy, at: time, session)
                try ToolTable.apply(changes, of: service.id, at: time, session)
            }
            try ServiceTable.update(updated, at: time, session)
            return ServiceUpdate.Outcome(
                service: updated,
                tokensRemoved: removed.userTokens,
                isDiscoveryCredentialRemoved: removed.discoveryCredentials > 0
            )
        }
    }
}
