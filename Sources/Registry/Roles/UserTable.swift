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

    /// The next users in the order of their ids.
    static func page(after id: UserID?, limit: Int, _ session: Session) throws(DatabaseError) -> [User] {
        let rows = try session.rows(
            """
            SELECT user_id, role_name FROM users WHERE user_id > \(id?.rawValue ?? "") ORDER BY user_id LIMIT \(limit)
            """
        )
        return try rows.map(User.init(row:))
    }

    static func find(_ id: UserID, _ session: Session) throws(DatabaseError) -> User? {
        try find([id], session)[0]
    }

    /// Users by id; nil for those that there are not.
    static func find(_ ids: [UserID], _ session: Session) throws(DatabaseError) -> [User?] {
        var found: [[UInt8]: User] = [:]
        let rows = try session.rows(
            "SELECT user_id, role_name FROM users WHERE user_id IN \(list: ids.filledUp)"
        )
        for row in rows {
            let user = try User(row: row)
            found[user.id.key] = user
        }
        return ids.map { found[$0.key] }
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
