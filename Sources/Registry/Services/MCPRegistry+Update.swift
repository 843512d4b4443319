internal import DBDriver

extension MCPRegistry {
    /// Changes a service. With a new endpoint its tools are read there first; then every token stored for the service is
    /// removed, since it was given for another address (a service that moves must not take tokens along). With an empty
    /// description the service is asked for its own.
    ///
    /// - Throws: `notFound`, `forbidden` when another has added it, `invalid`, `conflict` when the endpoint is taken or the service was changed meanwhile,
    ///   `upstream` when the service can't be read, and then nothing is changed; `unavailable`
    public func update(
        _ name: ServiceName,
        _ wish: ServiceUpdate,
        by principal: Principal
    ) async throws(RegistryError) -> ServiceUpdate.Outcome {
        if let earlier: ServiceUpdate.Outcome = try IdempotentRequest.current?.earlierValue() { return earlier }
        let onlyAsks = wish.description == "" && wish.endpoint == nil
        guard onlyAsks else { return try await updateOnce(name, wish, by: principal) }
        return try await onceMore { () async throws(RegistryError) in
            try await updateOnce(name, wish, by: principal)
        }
    }

    private func updateOnce(
        _ name: ServiceName,
        _ wish: ServiceUpdate,
        by principal: Principal
    ) async throws(RegistryError) -> ServiceUpdate.Outcome {
        let known = try await serviceToRead(name)
        try await notingDenial(.updateService, "service '\(name)'", by: principal) { () throws(RegistryError) in
            try principal.requireOwning(name, of: known.service.owner)
        }
        let service = known.service
        let method = try wish.method(after: service)
        let endpoint = wish.endpoint ?? service.endpoint
        let moves = !endpoint.isSame(as: service.endpoint)
        if moves { try await read { try Self.refuseTaken(endpoint, $0) } }
        let asks = wish.description == ""
        // What was stored for the old endpoint is not sent to the new one.
        let credential = asks && !moves ? try openedCredential(known) : nil
        let (found, refusal) =
            moves || asks ? try await firstReading(of: endpoint, wantsDescription: asks, credential) : (nil, nil)
        return try await change(.updateService, "service '\(name)'", by: principal) { [policy] session, time in
            // A service that moves leaves behind whatever was read at the old endpoint meanwhile.
            var updated = try Self.lock(service, unless: { asks && !moves && known.isOvertaken(by: $0) }, session)
            (updated.endpoint, updated.method, updated.requiresAuthorization) = (endpoint, method, method != .none)
            if let text = wish.description {
                updated.description = text.isEmpty ? found?.serviceDescription ?? NewService.fallbackDescription : text
            }
            var removed = (userTokens: 0, discoveryCredentials: 0)
            if moves {
                try Self.refuseTaken(endpoint, session)
                removed = try CredentialTable.deleteAll(serviceID: service.id, session)
            }
            if let found {
                (updated.status, updated.lastSeen, updated.lastError) = (.active, time, nil)
                updated.transport = found.transport
                let tools = Array(found.tools.prefix(Limits.toolsPerServiceMax))
                let changes = try Self.reconcile(tools, of: service, policy, at: time, session)
                try ToolTable.apply(changes, of: service.id, at: time, session)
            } else if let refusal {
                (updated.status, updated.lastError) = (.authorizationRequired, refusal)
            }
            if moves || asks {
                updated.failures = 0
                updated.nextRead = policy.schedule.next(after: time, timeToLive: found?.timeToLive)
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
