internal import DBDriver

/// How everything is changed: one transaction with its audit row, and after a change of the catalogue the hook.
///
/// When the connection is lost at COMMIT, the audit row tells whether the change has happened, so it happens exactly once. A
/// change that the caller may not make leaves a row that says so.
extension MCPRegistry {
    /// Makes a change that a caller wishes for. Under an ``IdempotencyKey`` it is made once, however often it is asked for: its
    /// value is kept in its own transaction.
    ///
    /// - Parameters:
    ///   - action: what is done.
    ///   - target: to what, for the audit log.
    ///   - principal: who wishes it.
    ///   - body: the transaction; may run more than once.
    /// - Returns: the value of the body, or what it was when the request came before.
    /// - Throws: what the body throws as the registry's error, `unavailable` without a database
    func change<T: Codable & Sendable>(
        _ action: AuditAction,
        _ target: String,
        by principal: Principal,
        _ body: @escaping @Sendable (Session, Timestamp) throws -> T
    ) async throws(RegistryError) -> T {
        guard let request = IdempotentRequest.current, database.configuration.isExactlyOnce else {
            return try await changeEachTime(action, target, by: principal, body)
        }
        if let earlier = try request.earlierValue(T.self) { return earlier }
        return try await Self.translating {
            do {
                return try await perform(action, target, by: principal) { session, time in
                    try IdempotencyTable.claim(request, session)
                    let value = try body(session, time)
                    if !(value is Nothing) {
                        try IdempotencyTable.keep(IdempotentRequest.text(of: value), of: request, session)
                    }
                    return value
                }
            } catch is IdempotencyTable.Taken {
                return try await value(of: request)
            }
        }
    }

    /// Makes a change that has nothing to tell.
    func change(
        _ action: AuditAction,
        _ target: String,
        by principal: Principal,
        _ body: @escaping @Sendable (Session, Timestamp) throws -> Void
    ) async throws(RegistryError) {
        _ = try await change(action, target, by: principal) { session, time in
            try body(session, time)
            return Nothing()
        }
    }

    /// Makes a change that is made each time: because nobody has asked for it, or since its value is a secret, which isn't kept.
    func changeEachTime<T: Sendable>(
        _ action: AuditAction,
        _ target: String,
        by principal: Principal,
        _ body: @escaping @Sendable (Session, Timestamp) throws -> T
    ) async throws(RegistryError) -> T {
        try await Self.translating { try await perform(action, target, by: principal, body) }
    }

    /// Writes what may be written twice without harm, and is nobody's doing: it leaves no trace in the audit log.
    func note<T: Sendable>(
        _ body: @escaping @Sendable (Session, Timestamp) throws -> T
    ) async throws(RegistryError) -> T {
        let time = clock()
        return try await Self.translating {
            try await database.write(wasCommitted: { _ in false }) { try body($0, time) }
        }
    }

    private func perform<T: Sendable>(
        _ action: AuditAction,
        _ target: String,
        by principal: Principal,
        _ body: @escaping @Sendable (Session, Timestamp) throws -> T
    ) async throws -> T {
        let (entry, chain) = (auditEntry(action, target, by: principal, .done), auditChains.any)
        let isExactlyOnce = database.configuration.isExactlyOnce
        let mark: @Sendable (Session) throws -> Bool = { try isExactlyOnce && AuditTable.contains(entry.id, $0) }
        let value = try await notingDenial(action, target, by: principal) {
            try await database.write(wasCommitted: mark) { session in
                if action.changesCatalog { try CatalogRevision.raise(session) }
                let value = try body(session, entry.at)
                let row = isExactlyOnce ? entry : auditEntry(action, target, by: principal, .done)
                try AuditTable.insert([row], in: chain, session)
                return value
            }
        }
        if action.changesCatalog { hook.catalogChanged() }
        return value
    }
}
