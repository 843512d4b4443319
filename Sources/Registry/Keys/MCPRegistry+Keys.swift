internal import DBDriver

/// Rotation of the keys: add a key to every ring, promote it, rewrap what the old one has sealed, retire the old one.
extension MCPRegistry {
    /// Rows that one transaction of a rewrap changes: 1 to 1,000.
    public static let rewrapBatch = 200

    /// Every key that the database or the ring knows, by id.
    ///
    /// - Throws: `unavailable`
    public func keys() async throws(RegistryError) -> [KeyStatus] {
        let ring = Set(vault?.ring.ids ?? [])
        return try await snapshot { session in
            let states = Dictionary(uniqueKeysWithValues: try KeyTable.all(session).map { ($0.id, $0.state) })
            let instances = try AppInstanceTable.rings(session)
            var keys: [KeyStatus] = []
            for id in try SealedTable.keys(session).union(states.keys).union(ring).sorted() {
                keys.append(
                    KeyStatus(
                        id: id,
                        state: states[id],
                        isInRing: ring.contains(id),
                        userTokens: try SealedTable.userTokens.count(sealedWith: id, session),
                        discoveryCredentials: try SealedTable.discoveryCredentials.count(sealedWith: id, session),
                        serverSecrets: try SealedTable.serverSecrets.count(sealedWith: id, session),
                        missingFrom: instances.filter { !$0.keys.contains(id) }.map(\.name)
                    )
                )
            }
            return keys
        }
    }

    /// Makes a key the one that all servers seal new tokens with, from their next write on.
    ///
    /// - Throws: `notFound` for a key that no server has met, `conflict` when a running server lacks it, or it is retired or
    ///   compromised; `unavailable`
    public func promoteKey(_ id: UInt32, by principal: Principal) async throws(RegistryError) {
        try await changeEachTime(.promoteKey, "key \(id)", by: principal) { session, _ in
            let state = try Self.locked(id, session)
            guard state == .known || state == .active else {
                throw RegistryError(.conflict, "key \(id) is \(state.rawValue): promote another")
            }
            let lacking = try AppInstanceTable.rings(session).filter { !$0.keys.contains(id) }.map(\.name)
            guard lacking.isEmpty else {
                throw RegistryError(
                    .conflict,
                    "these servers' key rings lack key \(id): \(lacking.joined(separator: ", ")). "
                        + "Add it there first, or they could not open what the others seal"
                )
            }
            try KeyTable.unsetActive(session)
            try KeyTable.set(.active, of: id, session)
        }
    }

    /// Says that a key is not needed any more, so that it may leave the rings.
    ///
    /// - Throws: `notFound`, `conflict` while it is the active one or anything is sealed with it; `unavailable`
    public func retireKey(_ id: UInt32, by principal: Principal) async throws(RegistryError) {
        try await changeEachTime(.retireKey, "key \(id)", by: principal) { session, time in
            try Self.requireInactive(id, try Self.locked(id, session), session)
            let rows = try SealedTable.count(sealedWith: id, session)
            guard rows == 0 else {
                throw RegistryError(.conflict, "\(rows) rows are sealed with key \(id): rewrap them first")
            }
            try KeyTable.set(.retired, of: id, retiredAt: time, session)
        }
    }

    /// Says that somebody may have a key. Users' tokens that it has sealed are not given out any more: whoever got the database
    /// could read them, so they have to be renewed where they came from. To seal them anew would not help.
    ///
    /// - Returns: how many users' tokens that were.
    /// - Throws: `notFound`, `conflict` while it is the active one, `unavailable`
    public func markCompromised(_ id: UInt32, by principal: Principal) async throws(RegistryError) -> Int {
        try await changeEachTime(.compromisedKey, "key \(id)", by: principal) { session, time in
            try Self.requireInactive(id, try Self.locked(id, session), session)
            try KeyTable.set(.compromised, of: id, session)
            return try CredentialTable.expire(sealedWith: id, at: time, session)
        }
    }

    /// Seals everything anew that a key has sealed, with the active key. It may be stopped and run again, by several at once:
    /// a row is replaced only if it is still as it was read, so a token that is stored meanwhile wins.
    ///
    /// - Parameters:
    ///   - id: the old key; the ring must hold it.
    ///   - batch: rows in one transaction.
    ///   - isDryRun: whether rows are only opened, and none is written.
    ///   - principal: who does it.
    ///   - progress: told how many rows are behind, and how many there were to begin with; called after each batch.
    /// - Returns: how it went.
    /// - Throws: `conflict` when it is the active key, `unavailable` without a database, or a ring that holds both keys
    public func rewrap(
        from id: UInt32,
        batch: Int = rewrapBatch,
        isDryRun: Bool = false,
        by principal: Principal,
        progress: (_ done: Int, _ total: Int) async -> Void = { _, _ in }
    ) async throws(RegistryError) -> RewrapReport {
        let vault = try requiredVault()
        let (active, total) = try await snapshot { session in
            (
                try KeyTable.active(session) ?? vault.ring.active,
                try SealedTable.count(sealedWith: id, session)
            )
        }
        guard active != id else { throw RegistryError(.conflict, "key \(id) is the active one: promote another first") }
        for needed in [id, active] where !vault.ring.ids.contains(needed) {
            throw RegistryError(.keyUnavailable, "the key ring lacks key \(needed)")
        }
        var report = RewrapReport()
        var done = 0
        for table in SealedTable.allCases {
            var last: [String]?
            while true {
                let rows = try await read { [last] in
                    try table.rows(sealedWith: id, behind: last, limit: batch, $0)
                }
                guard let end = rows.last else { break }
                last = end.key
                try await rewrap(rows, in: table, vault, active, isDryRun: isDryRun, &report)
                done += rows.count
                await progress(done, max(done, total))
            }
        }
        if report.rewrapped > 0, !isDryRun {
            try await changeEachTime(.rewrapKey, "key \(id) to key \(active), \(report.rewrapped) rows", by: principal)
            {
                _,
                _ in
            }
        }
        return report
    }

    private func rewrap(
        _ rows: [SealedTable.Entry],
        in table: SealedTable,
        _ vault: TokenVault,
        _ active: UInt32,
        isDryRun: Bool,
        _ report: inout RewrapReport
    ) async throws(RegistryError) {
        var anew: [(old: SealedTable.Entry, new: SealedToken)] = []
        for row in rows {
            do throws(VaultError) {
                guard let context = table.context(of: row) else { continue }
                let secret = try vault.open(row.sealed, context: context)
                let sealed = try vault.seal(secret, context: context, keyID: active)
                // What is written can be opened again.
                guard try vault.open(sealed, context: context) == secret else { throw .sealingFailed(active) }
                anew.append((row, sealed))
            } catch {
                report.unreadable.append(.init(place: table.place(of: row), reason: "\(error)"))
            }
        }
        guard !isDryRun else { return report.rewrapped += anew.count }
        let replaced = try await note { [anew] session, _ in
            try anew.filter { try table.replace($0.old, by: $0.new, session) }.count
        }
        report.rewrapped += replaced
        report.overtaken += anew.count - replaced
    }

    private static func locked(_ id: UInt32, _ session: Session) throws -> KeyState {
        guard let state = try KeyTable.lock(id, session) else {
            throw RegistryError(
                .notFound,
                "the database has not met key \(id): start a server whose key ring holds it first"
            )
        }
        return state
    }

    private static func requireInactive(_ id: UInt32, _ state: KeyState, _ session: Session) throws {
        guard state != .active else {
            throw RegistryError(.conflict, "key \(id) is the active one: promote another first")
        }
        guard try KeyTable.active(session) != nil else {
            throw RegistryError(
                .conflict,
                "no key was promoted yet, so a server may seal with key \(id): promote another first"
            )
        }
    }
}
