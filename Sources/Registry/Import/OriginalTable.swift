internal import DBDriver

/// The statements about the original registry's tables. They only read. What belongs together is joined in the original's
/// database, by the rules it was written by: on MariaDB, where its names ignored case, a token may spell its service otherwise.
enum OriginalTable {
    /// Fails when one of the tables is missing.
    static func probe(_ session: Session) throws(DatabaseError) {
        _ = try session.rows("SELECT id, service_name, endpoint, method_authorization FROM mcp_services LIMIT 1")
        _ = try session.rows("SELECT id, service_name, name, description FROM mcp_tools LIMIT 1")
        _ = try session.rows("SELECT id, name FROM mcp_roles LIMIT 1")
        _ = try session.rows("SELECT id, tool_id, role_id FROM mcp_tool_roles LIMIT 1")
        _ = try session.rows("SELECT id, user_id, role_id_fk FROM mcp_users LIMIT 1")
        _ = try session.rows("SELECT id, user_id_fk, service_name, created_at FROM user_access_tokens LIMIT 1")
    }

    /// Fails in a database whose roles have no prompts: the original added them later.
    static func probePrompts(_ session: Session) throws(DatabaseError) {
        _ = try session.rows("SELECT default_system_prompt FROM mcp_roles LIMIT 1")
    }

    /// How many rows there are in all.
    static func count(_ session: Session) throws(DatabaseError) -> Int {
        let row = try session.row(
            """
            SELECT (SELECT COUNT(*) FROM mcp_services) + (SELECT COUNT(*) FROM mcp_tools)
            + (SELECT COUNT(*) FROM mcp_roles) + (SELECT COUNT(*) FROM mcp_tool_roles)
            + (SELECT COUNT(*) FROM mcp_users) + (SELECT COUNT(*) FROM user_access_tokens) AS n
            """
        )
        return try row?.get("n") ?? 0
    }

    static func services(
        after id: Int64,
        _ limit: Int,
        _ session: Session
    ) throws(DatabaseError) -> [OriginalService] {
        let utf8 = session.dialect.utf8
        return try session.rows(
            """
            SELECT id, \(utf8("service_name")) AS service_name, \(utf8("endpoint")) AS endpoint,
            \(utf8("description")) AS description, \(utf8("method_authorization")) AS method_authorization,
            CASE WHEN requires_authorization <> 0 THEN 1 ELSE 0 END AS requires_authorization,
            (SELECT COUNT(*) FROM mcp_tools t WHERE t.service_name = mcp_services.service_name) AS tool_count
            FROM mcp_services WHERE id > \(id) ORDER BY id LIMIT \(limit)
            """
        ).map(OriginalService.init)
    }

    /// The tools of the services with these ids, and of those between them, oldest first.
    static func tools(
        of services: ClosedRange<Int64>,
        _ session: Session
    ) throws(DatabaseError) -> [OriginalTool] {
        let utf8 = session.dialect.utf8
        return try session.rows(
            """
            SELECT t.id, s.id AS service_row, \(utf8("s.service_name")) AS service_name, \(utf8("t.name")) AS name,
            \(utf8("t.description")) AS description
            FROM mcp_services s JOIN mcp_tools t ON t.service_name = s.service_name
            WHERE s.id >= \(services.lowerBound) AND s.id <= \(services.upperBound) ORDER BY t.id
            """
        ).map(OriginalTool.init)
    }

    static func toolsWithoutService(
        after id: Int64,
        _ limit: Int,
        _ session: Session
    ) throws(DatabaseError) -> [OriginalTool] {
        let utf8 = session.dialect.utf8
        return try session.rows(
            """
            SELECT t.id, s.id AS service_row, \(utf8("t.service_name")) AS service_name, \(utf8("t.name")) AS name,
            \(utf8("t.description")) AS description
            FROM mcp_tools t LEFT JOIN mcp_services s ON s.service_name = t.service_name
            WHERE s.id IS NULL AND t.id > \(id) ORDER BY t.id LIMIT \(limit)
            """
        ).map(OriginalTool.init)
    }

    static func roles(
        after id: Int64,
        _ limit: Int,
        hasPrompts: Bool,
        _ session: Session
    ) throws(DatabaseError) -> [OriginalRole] {
        let utf8 = session.dialect.utf8
        let prompt = utf8(hasPrompts ? "default_system_prompt" : "''")
        return try session.rows(
            """
            SELECT id, \(utf8("name")) AS name, \(prompt) AS default_system_prompt
            FROM mcp_roles WHERE id > \(id) ORDER BY id LIMIT \(limit)
            """
        ).map(OriginalRole.init)
    }

    static func links(after id: Int64, _ limit: Int, _ session: Session) throws(DatabaseError) -> [OriginalLink] {
        let utf8 = session.dialect.utf8
        return try session.rows(
            """
            SELECT l.id, l.tool_id, l.role_id, t.id AS known_tool, \(utf8("t.name")) AS tool_name,
            \(utf8("t.service_name")) AS service_name, s.id AS service_row
            FROM mcp_tool_roles l LEFT JOIN mcp_tools t ON t.id = l.tool_id
            LEFT JOIN mcp_services s ON s.service_name = t.service_name
            WHERE l.id > \(id) ORDER BY l.id LIMIT \(limit)
            """
        ).map(OriginalLink.init)
    }

    static func users(after id: Int64, _ limit: Int, _ session: Session) throws(DatabaseError) -> [OriginalUser] {
        try session.rows(
            """
            SELECT id, \(session.dialect.utf8(of: "user_id")) AS user_id, role_id_fk
            FROM mcp_users WHERE id > \(id) ORDER BY id LIMIT \(limit)
            """
        ).map(OriginalUser.init)
    }

    /// The times are those of the process that wrote a row: within one process a token is never older than a service.
    static func tokens(after id: Int64, _ limit: Int, _ session: Session) throws(DatabaseError) -> [OriginalToken] {
        let utf8 = session.dialect.utf8
        return try session.rows(
            """
            SELECT t.id, t.user_id_fk, u.id AS known_user, \(utf8("u.user_id")) AS user_id,
            \(utf8("t.service_name")) AS service_name, s.id AS service_row, \(utf8("t.token")) AS token,
            CASE WHEN t.updated_at < s.created_at THEN 1 ELSE 0 END AS is_older
            FROM user_access_tokens t LEFT JOIN mcp_users u ON u.id = t.user_id_fk
            LEFT JOIN mcp_services s ON s.service_name = t.service_name
            WHERE t.id > \(id) ORDER BY t.id LIMIT \(limit)
            """
        ).map(OriginalToken.init)
    }
}
