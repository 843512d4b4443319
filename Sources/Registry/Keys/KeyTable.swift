internal import DBDriver

/// The statements about the keys that the servers' key rings hold. The keys themselves are not in the database.
enum KeyTable {
    /// A key as the database knows it.
    struct Entry {
        let id: UInt32
        let state: KeyState
    }

    static func insertUnlessKnown(
        _ id: UInt32,
        _ checkValue: [UInt8],
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO encryption_keys (id, check_value, state, first_seen)
            VALUES (\(id), \(checkValue), \(KeyState.known), \(time)) \(session.dialect.onConflict("id"))
            """
        )
    }

    static func checkValue(of id: UInt32, _ session: Session) throws(DatabaseError) -> [UInt8]? {
        try session.row("SELECT check_value FROM encryption_keys WHERE id = \(id)")?.get("check_value")
    }

    static func all(_ session: Session) throws(DatabaseError) -> [Entry] {
        var keys: [Entry] = []
        for row in try session.rows("SELECT id, state FROM encryption_keys ORDER BY id") {
            keys.append(Entry(id: try row.get("id"), state: try row.get("state")))
        }
        return keys
    }

    /// A key's state, which nobody else changes until the transaction ends; nil for an unknown key.
    static func lock(_ id: UInt32, _ session: Session) throws(DatabaseError) -> KeyState? {
        try session.row("SELECT state FROM encryption_keys WHERE id = \(id) \(session.dialect.forUpdate)")?.get("state")
    }

    /// The key that new envelopes are sealed with on all servers; nil while each server goes by its ring.
    static func active(_ session: Session) throws(DatabaseError) -> UInt32? {
        try session.row("SELECT id FROM encryption_keys WHERE state = \(KeyState.active)")?.get("id")
    }

    static func set(
        _ state: KeyState,
        of id: UInt32,
        retiredAt: Timestamp? = nil,
        _ session: Session
    ) throws(DatabaseError) {
        try session.execute("UPDATE encryption_keys SET state = \(state), retired_at = \(retiredAt) WHERE id = \(id)")
    }

    /// Makes no key the active one.
    static func unsetActive(_ session: Session) throws(DatabaseError) {
        try session.execute("UPDATE encryption_keys SET state = \(KeyState.known) WHERE state = \(KeyState.active)")
    }
}
