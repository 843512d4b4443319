internal import DBDriver

/// The statements about users.
enum UserTable {
    static func all(_ session: Session) throws(DatabaseError) -> [User] {
        var users: [User] = []
        for row in try session.rows("SELECT user_id, role_name FROM users ORDER BY created_at, user_id") {
            users.append(try User(row: row))
        }
        return users
    }

    static func find(_ id: UserID, _ session: Session) throws(DatabaseError) -> User? {
        guard let row = try session.row("SELECT user_id, role_name FROM users WHERE user_id = \(id)") else {
            return nil
        }
        return try User(row: row)
    }

    /// Leaves a user that is there already as it is.
    static func insert(_ id: UserID, at time: Timestamp, _ session: Session) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO users (user_id, role_name, created_at, updated_at)
            VALUES (\(id), NULL, \(time), \(time)) \(session.dialect.onConflict("user_id"))
            """
        )
    }

    static func setRole(
        _ role: RoleName,
        of id: UserID,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) -> Bool {
        try session.execute(
            "UPDATE users SET role_name = \(role), updated_at = \(time) WHERE user_id = \(id)"
        ) > 0
    }

    /// Takes exactly this role away.
    static func unsetRole(
        _ role: RoleName,
        of id: UserID,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) -> Bool {
        try session.execute(
            """
            UPDATE users SET role_name = NULL, updated_at = \(time)
            WHERE user_id = \(id) AND role_name = \(role)
            """
        ) > 0
    }
}
