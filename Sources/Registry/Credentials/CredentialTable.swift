internal import DBDriver

/// The statements about sealed tokens.
enum CredentialTable {
    /// What one look-up for a user and a service finds.
    struct Found: Sendable {
        let serviceID: String
        let requiresAuthorization: Bool
        let method: AuthorizationMethod
        let sealed: SealedToken?
        let expiresAt: Timestamp?
        /// Whether the caller was granted the token.
        let isGranted: Bool
    }

    /// What is looked up: a user's token for a service, on behalf of an agent.
    struct Question: Sendable {
        let service: ServiceName
        let user: UserID
        let agent: String
    }

    /// Answers many questions in one round trip; nil where there is no such service.
    static func find(_ questions: [Question], _ session: Session) throws(DatabaseError) -> [Found?] {
        var found = [Found?](repeating: nil, count: questions.count)
        let filledUp = questions.filledUp
        let sql = filledUp.count < tableFrom ? eachByItself(filledUp) : asTable(filledUp)
        for row in try session.rows(sql) {
            let place = try row.get("place", as: Int.self)
            guard found.indices.contains(place), let id = try row.get("id", as: String?.self) else { continue }
            found[place] = Found(
                serviceID: id,
                requiresAuthorization: try row.get("requires_authorization"),
                method: try row.get("method_authorization"),
                sealed: try SealedToken(ifIn: row),
                expiresAt: try row.get("expires_at"),
                isGranted: try row.get("agent", as: String?.self) != nil
            )
        }
        return found
    }

    /// From how many questions on a table that is made of them costs the database less than a look-up for each.
    private static let tableFrom = 16
    private static let columns: SQL = """
        s.id, s.requires_authorization, s.method_authorization, t.key_id, t.envelope, t.expires_at, g.agent
        """

    private static func eachByItself(_ questions: [Question]) -> SQL {
        let parts = questions.enumerated().map { place, question -> SQL in
            """
            SELECT CAST(\(place) AS SIGNED) AS place, \(columns)
            FROM services s LEFT JOIN user_tokens t ON t.service_id = s.id AND t.user_id = \(question.user)
            LEFT JOIN token_grants g ON g.service_id = s.id AND g.user_id = \(question.user) AND g.agent = \(question.agent)
            WHERE s.name = \(question.service)
            """
        }
        return "\(joined: parts, by: " UNION ALL ")"
    }

    private static func asTable(_ questions: [Question]) -> SQL {
        let rows = questions.enumerated().map { place, question -> SQL in
            """
            SELECT CAST(\(place) AS SIGNED) AS place, \(question.service) AS service_name, \(question.user) AS user_id,
            \(question.agent) AS agent
            """
        }
        // LEFT JOIN, so that the questions come first and each table is looked into for them.
        return """
            SELECT q.place, \(columns)
            FROM (\(joined: rows, by: " UNION ALL ")) q LEFT JOIN services s ON s.name = q.service_name
            LEFT JOIN user_tokens t ON t.service_id = s.id AND t.user_id = q.user_id
            LEFT JOIN token_grants g ON g.service_id = s.id AND g.user_id = q.user_id AND g.agent = q.agent
            """
    }

    /// What is known about a user's tokens, by service.
    static func all(of user: UserID, _ session: Session) throws(DatabaseError) -> [StoredToken] {
        let rows = try session.rows(
            """
            SELECT s.name, t.created_at, t.updated_at, t.expires_at, g.agent FROM user_tokens t
            JOIN services s ON s.id = t.service_id
            LEFT JOIN token_grants g ON g.service_id = t.service_id AND g.user_id = t.user_id
            WHERE t.user_id = \(user) ORDER BY s.name, g.agent
            """
        )
        var tokens: [StoredToken] = []
        for row in rows {
            let (service, agent) = (try row.get("name", as: ServiceName.self), try row.get("agent", as: String?.self))
            if tokens.last?.service != service {
                tokens.append(
                    StoredToken(
                        service: service,
                        createdAt: try row.get("created_at"),
                        updatedAt: try row.get("updated_at"),
                        expiresAt: try row.get("expires_at"),
                        grantedTo: []
                    )
                )
            }
            if let agent { tokens[tokens.count - 1].grantedTo.append(agent) }
        }
        return tokens
    }

    /// Whether there is a token, which stays until the transaction ends.
    static func hold(serviceID: String, _ user: UserID, _ session: Session) throws(DatabaseError) -> Bool {
        try session.row(
            """
            SELECT key_id FROM user_tokens WHERE service_id = \(serviceID) AND user_id = \(user)
            \(session.dialect.forShare)
            """
        ) != nil
    }

    /// - Returns: whether there was one.
    static func delete(serviceID: String, _ user: UserID, _ session: Session) throws(DatabaseError) -> Bool {
        try session.execute("DELETE FROM user_tokens WHERE service_id = \(serviceID) AND user_id = \(user)") > 0
    }

    static func store(
        _ sealed: SealedToken,
        serviceID: String,
        _ user: UserID,
        expiresAt: Timestamp?,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        let overwrite = session.dialect.onConflict(
            "service_id",
            "user_id",
            update: ["key_id", "envelope", "rev", "expires_at", "updated_at"]
        )
        try session.execute(
            """
            INSERT INTO user_tokens (service_id, user_id, key_id, envelope, rev, expires_at, created_at, updated_at)
            VALUES (\(serviceID), \(user), \(sealed.keyID), \(sealed.bytes), \(newRevision()), \(expiresAt), \(time),
            \(time)) \(overwrite)
            """
        )
    }

    /// Stores the tokens of many users, and leaves those alone that are there already.
    static func insert(
        _ tokens: [(serviceID: String, user: UserID, sealed: SealedToken)],
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        let unlessThere = session.dialect.onConflict("service_id", "user_id")
        let rows = tokens.map { token -> SQL in
            """
            (\(token.serviceID), \(token.user), \(token.sealed.keyID), \(token.sealed.bytes), \(newRevision()), \(time),
            \(time))
            """
        }
        try ImportTable.insert(rows, session) { rows in
            """
            INSERT INTO user_tokens (service_id, user_id, key_id, envelope, rev, created_at, updated_at)
            VALUES \(joined: rows) \(unlessThere)
            """
        }
    }

    static func findDiscovery(
        serviceID: String,
        _ session: Session
    ) throws(DatabaseError) -> (method: AuthorizationMethod, sealed: SealedToken)? {
        let row = try session.row(
            """
            SELECT method_authorization, key_id, envelope FROM discovery_credentials WHERE service_id = \(serviceID)
            """
        )
        guard let row, let sealed = try SealedToken(ifIn: row) else { return nil }
        return (try row.get("method_authorization"), sealed)
    }

    static func storeDiscovery(
        _ sealed: SealedToken,
        _ method: AuthorizationMethod,
        serviceID: String,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        let overwrite = session.dialect.onConflict(
            "service_id",
            update: ["method_authorization", "key_id", "envelope", "rev", "updated_at"]
        )
        try session.execute(
            """
            INSERT INTO discovery_credentials (service_id, method_authorization, key_id, envelope, rev, created_at, updated_at)
            VALUES (\(serviceID), \(method), \(sealed.keyID), \(sealed.bytes), \(newRevision()), \(time),
            \(time)) \(overwrite)
            """
        )
    }

    /// Ends the users' tokens that a key has sealed, as far as they have not ended before.
    ///
    /// - Returns: how many that were.
    static func expire(sealedWith id: UInt32, at time: Timestamp, _ session: Session) throws(DatabaseError) -> Int {
        try session.execute(
            """
            UPDATE user_tokens SET expires_at = \(time)
            WHERE key_id = \(id) AND (expires_at IS NULL OR expires_at > \(time))
            """
        )
    }

    /// Removes everything that is stored for a service.
    static func deleteAll(
        serviceID: String,
        _ session: Session
    ) throws(DatabaseError) -> (userTokens: Int, discoveryCredentials: Int) {
        (
            try session.execute("DELETE FROM user_tokens WHERE service_id = \(serviceID)"),
            try session.execute("DELETE FROM discovery_credentials WHERE service_id = \(serviceID)")
        )
    }

    /// Changes with every write of a row, so that whoever seals it again under a new key can tell whether it is still the
    /// row that was read.
    static func newRevision() -> Int64 {
        Int64.random(in: 1...Int64.max)
    }
}

extension SealedToken {
    /// The columns `key_id` and `envelope` of a row.
    init(row: Row) throws(DatabaseError) {
        self.init(keyID: try row.get("key_id"), bytes: try row.get("envelope"))
    }

    /// The same of a row of which they may be NULL; nil then.
    init?(ifIn row: Row) throws(DatabaseError) {
        guard try row.get("key_id", as: UInt32?.self) != nil else { return nil }
        try self.init(row: row)
    }
}
