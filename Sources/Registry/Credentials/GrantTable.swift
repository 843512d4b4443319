internal import DBDriver

/// The statements about who may be given a user's token.
enum GrantTable {
    static func insert(
        serviceID: String,
        _ user: UserID,
        agent: String,
        by principal: Principal,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO token_grants (service_id, user_id, agent, granted_by, created_at)
            VALUES (\(serviceID), \(user), \(agent), \(principal.name), \(time))
            \(session.dialect.onConflict("service_id", "user_id", "agent"))
            """
        )
    }

    /// Takes back what callers were granted because they had brought a token: another one is not theirs.
    static func deleteSelfMade(serviceID: String, _ user: UserID, _ session: Session) throws(DatabaseError) {
        try session.execute(
            "DELETE FROM token_grants WHERE service_id = \(serviceID) AND user_id = \(user) AND agent = granted_by"
        )
    }

    /// - Returns: whether there was one.
    static func delete(
        serviceID: String,
        _ user: UserID,
        agent: String,
        _ session: Session
    ) throws(DatabaseError) -> Bool {
        try session.execute(
            "DELETE FROM token_grants WHERE service_id = \(serviceID) AND user_id = \(user) AND agent = \(agent)"
        ) > 0
    }
}
