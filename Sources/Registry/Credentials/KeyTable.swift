public import DBDriver

/// The statements about the keys that instances have.
private enum KeyTable {
    static func insertUnlessKnown(
        _ id: UInt32,
        _ checkValue: [UInt8],
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO encryption_keys (id, check_value, state, first_seen)
            VALUES (\(id), \(checkValue), \("known"), \(time)) \(session.dialect.onConflict("id"))
            """
        )
    }

    static func checkValue(of id: UInt32, _ session: Session) throws(DatabaseError) -> [UInt8]? {
        try session.row("SELECT check_value FROM encryption_keys WHERE id = \(id)")?.get("check_value")
    }
}

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
            try await database.write { session in
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
}
