internal import DBDriver

/// What the servers keep secret among themselves.
enum ServerSecret: String, SQLConvertible {
    /// What API keys are hashed with.
    case apiKeys = "api-keys"

    /// What it is sealed for: it opens as nothing else.
    var context: TokenContext {
        TokenContext(purpose: "server-secret", serviceID: "", userID: "", field: rawValue)
    }
}

/// The statements about them. A secret never changes once it is there, only the key that it is sealed with.
enum ServerSecretTable {
    static func insertUnlessThere(
        _ secret: ServerSecret,
        _ sealed: SealedToken,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO server_secrets (name, key_id, envelope, rev, created_at, updated_at)
            VALUES (\(secret), \(sealed.keyID), \(sealed.bytes), \(1), \(time), \(time)) \(session.dialect.onConflict("name"))
            """
        )
    }

    static func find(_ secret: ServerSecret, _ session: Session) throws(DatabaseError) -> SealedToken? {
        try session.row("SELECT key_id, envelope FROM server_secrets WHERE name = \(secret)").map(
            SealedToken.init(row:)
        )
    }
}
