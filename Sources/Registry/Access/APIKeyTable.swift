internal import DBDriver

/// The statements about API keys.
enum APIKeyTable {
    private static let columns: SQL = """
        id, name, secret_hash, scopes, user_id, created_at, created_by, expires_at, revoked_at, last_used_at
        """

    static func insert(_ key: APIKey, hash: [UInt8], _ session: Session) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO api_keys (\(columns)) VALUES (\(key.id), \(key.name), \(hash), \(key.scopes.text), \(key.user),
            \(key.createdAt), \(key.createdBy), \(key.expiresAt), \(key.revokedAt), \(key.lastUsedAt))
            """
        )
    }

    /// All keys, the oldest first, revoked ones too.
    static func all(_ session: Session) throws(DatabaseError) -> [APIKey] {
        var keys: [APIKey] = []
        for row in try session.rows("SELECT \(columns) FROM api_keys ORDER BY created_at, name") {
            keys.append(try APIKey(row: row))
        }
        return keys
    }

    static func find(_ name: APIKeyName, _ session: Session) throws(DatabaseError) -> APIKey? {
        try session.row("SELECT \(columns) FROM api_keys WHERE name = \(name)").map(APIKey.init(row:))
    }

    /// A key by the part that is no secret, what is stored of the rest, and the secret that it was hashed with.
    static func find(
        id: String,
        _ session: Session
    ) throws(DatabaseError) -> (key: APIKey, hash: [UInt8], pepper: SealedToken?)? {
        let row = try session.row(
            """
            SELECT k.id, k.name, k.secret_hash, k.scopes, k.user_id, k.created_at, k.created_by, k.expires_at, k.revoked_at,
            k.last_used_at, s.key_id, s.envelope
            FROM api_keys k LEFT JOIN server_secrets s ON s.name = \(ServerSecret.apiKeys) WHERE k.id = \(id)
            """
        )
        guard let row else { return nil }
        return (try APIKey(row: row), try row.get("secret_hash"), try SealedToken(ifIn: row))
    }

    /// - Returns: whether there is such a key, and it was not revoked before.
    static func revoke(_ name: APIKeyName, at time: Timestamp, _ session: Session) throws(DatabaseError) -> Bool {
        try session.execute(
            "UPDATE api_keys SET revoked_at = \(time) WHERE name = \(name) AND revoked_at IS NULL"
        ) > 0
    }

    static func noteUse(of id: String, at time: Timestamp, _ session: Session) throws(DatabaseError) {
        try session.execute(
            """
            UPDATE api_keys SET last_used_at = \(time)
            WHERE id = \(id) AND (last_used_at IS NULL OR last_used_at < \(time))
            """
        )
    }
}

extension APIKey {
    fileprivate init(row: Row) throws(DatabaseError) {
        self.init(
            id: try row.get("id"),
            name: try row.get("name"),
            scopes: Scope.known(in: try row.get("scopes", as: String.self)),
            user: try row.get("user_id"),
            createdAt: try row.get("created_at"),
            createdBy: try row.get("created_by"),
            expiresAt: try row.get("expires_at"),
            revokedAt: try row.get("revoked_at"),
            lastUsedAt: try row.get("last_used_at")
        )
    }
}
