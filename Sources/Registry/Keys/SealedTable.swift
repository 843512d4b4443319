internal import DBDriver

/// The tables with envelopes in them, for work on all of them.
enum SealedTable: String, CaseIterable {
    case userTokens = "user_tokens"
    case discoveryCredentials = "discovery_credentials"
    case serverSecrets = "server_secrets"

    /// One row: what its key is, and what is in it.
    struct Entry: Sendable {
        /// The columns of the primary key.
        let key: [String]
        let sealed: SealedToken
        let revision: Int64
    }

    /// How many rows of all tables are sealed with a key.
    static func count(sealedWith id: UInt32, _ session: Session) throws(DatabaseError) -> Int {
        var rows = 0
        for table in allCases { rows += try table.count(sealedWith: id, session) }
        return rows
    }

    /// How many rows of this table are sealed with a key.
    func count(sealedWith id: UInt32, _ session: Session) throws(DatabaseError) -> Int {
        let query: SQL =
            switch self {
            case .userTokens: "SELECT COUNT(*) AS n FROM user_tokens WHERE key_id = \(id)"
            case .discoveryCredentials: "SELECT COUNT(*) AS n FROM discovery_credentials WHERE key_id = \(id)"
            case .serverSecrets: "SELECT COUNT(*) AS n FROM server_secrets WHERE key_id = \(id)"
            }
        return try session.row(query)?.get("n") ?? 0
    }

    /// The ids of all keys that anything is sealed with.
    static func keys(_ session: Session) throws(DatabaseError) -> Set<UInt32> {
        let rows = try session.rows(
            """
            SELECT DISTINCT key_id FROM user_tokens UNION SELECT DISTINCT key_id FROM discovery_credentials
            UNION SELECT DISTINCT key_id FROM server_secrets
            """
        )
        var keys: Set<UInt32> = []
        for row in rows { keys.insert(try row.get("key_id")) }
        return keys
    }

    /// Rows that are sealed with a key, in the order of their primary keys, behind a row.
    func rows(
        sealedWith id: UInt32,
        behind last: [String]?,
        limit: Int,
        _ session: Session
    ) throws(DatabaseError) -> [Entry] {
        let last = last ?? ["", ""]
        let query: SQL =
            switch self {
            case .userTokens:
                """
                SELECT service_id AS first_key, user_id AS second_key, key_id, envelope, rev FROM user_tokens
                WHERE key_id = \(id) AND (service_id > \(last[0]) OR (service_id = \(last[0]) AND user_id > \(last[1])))
                ORDER BY service_id, user_id LIMIT \(limit)
                """
            case .discoveryCredentials:
                """
                SELECT service_id AS first_key, NULL AS second_key, key_id, envelope, rev FROM discovery_credentials
                WHERE key_id = \(id) AND service_id > \(last[0]) ORDER BY service_id LIMIT \(limit)
                """
            case .serverSecrets:
                """
                SELECT name AS first_key, NULL AS second_key, key_id, envelope, rev FROM server_secrets
                WHERE key_id = \(id) AND name > \(last[0]) ORDER BY name LIMIT \(limit)
                """
            }
        var entries: [Entry] = []
        for row in try session.rows(query) {
            let (first, second) = (
                try row.get("first_key", as: String.self), try row.get("second_key", as: String?.self)
            )
            entries.append(
                Entry(
                    key: [first] + (second.map { [$0] } ?? []),
                    sealed: try SealedToken(row: row),
                    revision: try row.get("rev")
                )
            )
        }
        return entries
    }

    /// Puts another envelope into a row that is still as it was read.
    ///
    /// - Returns: whether it was.
    func replace(_ entry: Entry, by sealed: SealedToken, _ session: Session) throws(DatabaseError) -> Bool {
        let rev = CredentialTable.newRevision()
        let statement: SQL =
            switch self {
            case .userTokens:
                """
                UPDATE user_tokens SET key_id = \(sealed.keyID), envelope = \(sealed.bytes), rev = \(rev)
                WHERE service_id = \(entry.key[0]) AND user_id = \(entry.key[1]) AND rev = \(entry.revision)
                """
            case .discoveryCredentials:
                """
                UPDATE discovery_credentials SET key_id = \(sealed.keyID), envelope = \(sealed.bytes), rev = \(rev)
                WHERE service_id = \(entry.key[0]) AND rev = \(entry.revision)
                """
            case .serverSecrets:
                """
                UPDATE server_secrets SET key_id = \(sealed.keyID), envelope = \(sealed.bytes), rev = \(rev)
                WHERE name = \(entry.key[0]) AND rev = \(entry.revision)
                """
            }
        return try session.execute(statement) > 0
    }

    /// What a row is sealed for; nil for one that this program knows nothing of.
    func context(of entry: Entry) -> TokenContext? {
        switch self {
        case .userTokens: .userToken(serviceID: entry.key[0], UserID(trusted: entry.key[1]))
        case .discoveryCredentials: .discovery(serviceID: entry.key[0])
        case .serverSecrets: ServerSecret(rawValue: entry.key[0])?.context
        }
    }

    /// Which row it is, for an operator.
    func place(of entry: Entry) -> String { "\(rawValue) \(entry.key.joined(separator: "/"))" }
}
