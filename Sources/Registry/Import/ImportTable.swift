internal import DBDriver

/// The statements that look up and add many rows at once. What they find is known by the bytes of its name.
enum ImportTable {
    /// Rows of one INSERT: few enough for any server's packet limit with the longest prompts and tokens.
    private static let rowsPerInsert = 100

    /// The names of all tools of services, those out of sight too, by the service's id.
    static func tools(of services: [String], _ session: Session) throws(DatabaseError) -> [String: Set<[UInt8]>] {
        var names: [String: Set<[UInt8]>] = [:]
        guard !services.isEmpty else { return names }
        for row in try session.rows("SELECT service_id, name FROM tools WHERE service_id IN \(list: services)") {
            names[try row.get("service_id"), default: []].insert(Array(try row.get("name", as: String.self).utf8))
        }
        return names
    }

    /// The ids of services by name.
    static func services(
        _ names: [ServiceName],
        _ session: Session
    ) throws(DatabaseError) -> [[UInt8]: String] {
        var ids: [[UInt8]: String] = [:]
        let names = distinct(names)
        for row in try session.rows("SELECT id, name FROM services WHERE name IN \(list: names)") {
            ids[try row.get("name", as: ServiceName.self).key] = try row.get("id")
        }
        return ids
    }

    /// The ids of tools by service and name.
    static func toolIDs(
        of services: [ServiceName],
        named names: [String],
        _ session: Session
    ) throws(DatabaseError) -> [[UInt8]: [[UInt8]: ToolID]] {
        var ids: [[UInt8]: [[UInt8]: ToolID]] = [:]
        let services = distinct(services)
        let rows = try session.rows(
            """
            SELECT t.id, t.name, s.name AS service_name FROM services s JOIN tools t ON t.service_id = s.id
            WHERE s.name IN \(list: services) AND t.name IN \(list: names)
            """
        )
        for row in rows {
            let service = try row.get("service_name", as: ServiceName.self).key
            ids[service, default: [:]][Array(try row.get("name", as: String.self).utf8)] = try row.get("id")
        }
        return ids
    }

    /// The roles of tools.
    static func links(of tools: [ToolID], _ session: Session) throws(DatabaseError) -> [ToolID: Set<[UInt8]>] {
        var roles: [ToolID: Set<[UInt8]>] = [:]
        for row in try session.rows("SELECT tool_id, role_name FROM tool_roles WHERE tool_id IN \(list: tools)") {
            roles[try row.get("tool_id"), default: []].insert(try row.get("role_name", as: RoleName.self).key)
        }
        return roles
    }

    /// Those roles of the named ones that there are.
    static func roles(_ names: [RoleName], _ session: Session) throws(DatabaseError) -> Set<[UInt8]> {
        var found: Set<[UInt8]> = []
        let names = distinct(names)
        for row in try session.rows("SELECT name FROM roles WHERE name IN \(list: names)") {
            found.insert(try row.get("name", as: RoleName.self).key)
        }
        return found
    }

    /// The default system prompts of roles.
    static func prompts(of names: [RoleName], _ session: Session) throws(DatabaseError) -> [[UInt8]: String] {
        var prompts: [[UInt8]: String] = [:]
        let rows = try session.rows("SELECT name, default_system_prompt FROM roles WHERE name IN \(list: names)")
        for row in rows {
            prompts[try row.get("name", as: RoleName.self).key] = try row.get("default_system_prompt")
        }
        return prompts
    }

    /// The roles of those users that there are.
    static func users(_ ids: [UserID], _ session: Session) throws(DatabaseError) -> [[UInt8]: RoleName?] {
        var roles: [[UInt8]: RoleName?] = [:]
        let ids = distinct(ids)
        for row in try session.rows("SELECT user_id, role_name FROM users WHERE user_id IN \(list: ids)") {
            roles[try row.get("user_id", as: UserID.self).key] = .some(try row.get("role_name"))
        }
        return roles
    }

    /// The sealed tokens of users for services, by the service's id and the user.
    static func tokens(
        of services: [String],
        _ users: [UserID],
        _ session: Session
    ) throws(DatabaseError) -> [String: [[UInt8]: SealedToken]] {
        var tokens: [String: [[UInt8]: SealedToken]] = [:]
        let users = distinct(users)
        let rows = try session.rows(
            """
            SELECT service_id, user_id, key_id, envelope FROM user_tokens
            WHERE service_id IN \(list: services) AND user_id IN \(list: users)
            """
        )
        for row in rows {
            tokens[try row.get("service_id"), default: [:]][try row.get("user_id", as: UserID.self).key] =
                try SealedToken(row: row)
        }
        return tokens
    }

    /// Leaves links that are there already as they are.
    static func insertLinks(
        _ links: [(tool: ToolID, role: RoleName)],
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        let unlessThere = session.dialect.onConflict("tool_id", "role_name")
        try insert(links.map { "(\($0.tool), \($0.role), \(time))" }, session) { rows in
            "INSERT INTO tool_roles (tool_id, role_name, created_at) VALUES \(joined: rows) \(unlessThere)"
        }
    }

    /// Leaves users that are there already as they are.
    static func insertUsers(
        _ users: [(id: UserID, role: RoleName?)],
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        let unlessThere = session.dialect.onConflict("user_id")
        let rows = users.enumerated().map { place, user -> SQL in
            "(\(user.id), \(user.role), \(time.place(place)), \(time.place(place)))"
        }
        try insert(rows, session) { rows in
            "INSERT INTO users (user_id, role_name, created_at, updated_at) VALUES \(joined: rows) \(unlessThere)"
        }
    }

    /// Runs as many INSERTs as the rows need.
    static func insert(
        _ rows: [SQL],
        _ session: Session,
        _ statement: ([SQL]) -> SQL
    ) throws(DatabaseError) {
        var rest = rows[...]
        while !rest.isEmpty {
            try session.execute(statement(Array(rest.prefix(rowsPerInsert))))
            rest = rest.dropFirst(rowsPerInsert)
        }
    }

    /// Each name once.
    private static func distinct<Text: Name>(_ names: [Text]) -> [Text] {
        var seen: Set<[UInt8]> = []
        return names.filter { seen.insert($0.key).inserted }
    }
}
