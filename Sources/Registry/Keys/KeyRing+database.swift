public import DBDriver

extension KeyRing {
    /// Notes the ring's keys in the database, and refuses the ring when the database knows another key by one of its ids: what
    /// one instance sealed the other could not open, or both would go on to seal under the same number.
    ///
    /// - Parameters:
    ///   - database: where tokens are stored; its schema must be current.
    ///   - time: noted with keys that are new.
    ///   - notes: whether keys that are new are noted; else the database is only read.
    /// - Throws: ``RegistryError`` with code `conflict` or `unavailable`.
    public func verify(
        in database: Database,
        at time: Timestamp = .now(),
        notes: Bool = true
    ) async throws(RegistryError) {
        try await MCPRegistry.translating {
            guard notes else { return try await database.read { try compare($0) } }
            try await database.write(wasCommitted: { _ in false }) { session in
                for id in ids {
                    guard let value = checkValue(id) else { continue }
                    try KeyTable.insertUnlessKnown(id, value, at: time, session)
                }
                try compare(session)
            }
        }
    }

    private func compare(_ session: Session) throws {
        for id in ids {
            guard let known = try KeyTable.checkValue(of: id, session), known != checkValue(id) else { continue }
            throw RegistryError(
                .conflict,
                "key \(id) of the key ring is not the key that this database knows by that number: "
                    + "start with the right key ring, or give a new key a new number"
            )
        }
    }

    /// Why a server with this ring can't do all its work: a key that the servers seal with is missing.
    ///
    /// - Returns: a sentence; nil when nothing that is in use for new tokens is missing.
    /// - Throws: ``DatabaseError``
    public func obstacle(in session: Session) throws(DatabaseError) -> String? {
        guard let active = try KeyTable.active(session), !ids.contains(active) else { return nil }
        return "key \(active) is the active one, and this server's key ring lacks it: add it and start again"
    }

    /// The keys that the ring lacks although something is sealed with them, and how many rows that is.
    ///
    /// - Throws: ``DatabaseError``
    public func missing(in session: Session) throws(DatabaseError) -> [(id: UInt32, rows: Int)] {
        var missing: [(id: UInt32, rows: Int)] = []
        for id in try SealedTable.keys(session).subtracting(ids).sorted() {
            missing.append((id, try SealedTable.count(sealedWith: id, session)))
        }
        return missing
    }
}
