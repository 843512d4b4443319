internal import DBDriver

/// The statements about roles and their links to tools.
enum RoleTable {
    static func all(_ session: Session) throws(DatabaseError) -> [Role] {
        var roles: [Role] = []
        for row in try session.rows("SELECT name, default_system_prompt FROM roles ORDER BY created_at, name") {
            roles.append(try Role(row: row))
        }
        return roles
    }

    static func find(_ name: RoleName, _ session: Session) throws(DatabaseError) -> Role? {
        let row = try session.row("SELECT name, default_system_prompt FROM roles WHERE name = \(name)")
        guard let row else { return nil }
        return try Role(row: row)
    }

    /// Whether there is such a role; if so, it stays until the transaction ends.
    static func hold(_ name: RoleName, _ session: Session) throws(DatabaseError) -> Bool {
        try session.row("SELECT name FROM roles WHERE name = \(name) \(session.dialect.forShare)") != nil
    }

    static func insert(
        _ name: RoleName,
        _ prompt: SystemPrompt,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO roles (name, default_system_prompt, created_at, updated_at)
            VALUES (\(name), \(prompt.text), \(time), \(time))
            """
        )
    }

    static func setPrompt(
        _ prompt: SystemPrompt,
        of name: RoleName,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) -> Bool {
        try session.execute(
            "UPDATE roles SET default_system_prompt = \(prompt.text), updated_at = \(time) WHERE name = \(name)"
        ) > 0
    }

    static func delete(_ name: RoleName, _ session: Session) throws(DatabaseError) -> Bool {
        try session.execute("DELETE FROM roles WHERE name = \(name)") > 0
    }

    static func attach(
        _ role: RoleName,
        to tool: ToolID,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        let unlessThere = session.dialect.onConflict("tool_id", "role_name")
        try session.execute(
            """
            INSERT INTO tool_roles (tool_id, role_name, created_at) VALUES (\(tool), \(role), \(time)) \(unlessThere)
            """
        )
    }

    static func detach(_ role: RoleName, from tool: ToolID, _ session: Session) throws(DatabaseError) {
        try session.execute("DELETE FROM tool_roles WHERE tool_id = \(tool) AND role_name = \(role)")
    }
}
