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
    /// - Throws: ``RegistryError`` with code `conflict` or `unavailable`.
    public func verify(in database: Database, at time: Timestamp = .now()) async throws(RegistryError) {
        try await MCPRegistry.translating {
            try await database.write { session in
                for id in ids {
                    guard let value = checkValue(id) else { continue }
                    try KeyTable.insertUnlessKnown(id, value, at: time, session)
                    guard try KeyTable.checkValue(of: id, session) == value else {
                        throw RegistryError(
                            .conflict,
                            "key \(id) of the key ring is not the key that this database knows by that number: "
                                + "start with the right key ring, or give a new key a new number"
                        )
                    }
                }
            }
        }
    }
}
