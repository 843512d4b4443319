internal import DBDriver

/// The statements about tools.
enum ToolTable {
    private static let columns: SQL = """
        t.id, s.name AS service_name, t.name, t.title, t.description, t.input_schema, t.output_schema, t.annotations
        """
    /// Rows of one INSERT: keeps a statement below a server's packet limit at the largest schemas, and the round trips few.
    private static let rowsPerInsert = 20

    static func all(of service: ServiceName, _ session: Session) throws(DatabaseError) -> [Tool] {
        var roles: [ToolID: [RoleName]] = [:]
        let links = try session.rows(
            """
            SELECT r.tool_id, r.role_name FROM tool_roles r JOIN tools t ON t.id = r.tool_id
            JOIN services s ON s.id = t.service_id WHERE s.name = \(service) ORDER BY r.created_at, r.role_name
            """
        )
        for link in links {
            roles[try link.get("tool_id"), default: []].append(try link.get("role_name"))
        }
        var tools: [Tool] = []
        let rows = try session.rows(
            """
            SELECT \(columns) FROM tools t JOIN services s ON s.id = t.service_id
            WHERE s.name = \(service) ORDER BY t.position, t.id
            """
        )
        for row in rows {
            tools.append(try Tool(row: row, roles: roles[try row.get("id")] ?? []))
        }
        return tools
    }

    /// The tools that a role is attached to, and with `orWithoutRoles` those that no role is attached to.
    static func usable(
        by role: RoleName,
        orWithoutRoles: Bool,
        _ session: Session
    ) throws(DatabaseError) -> [Tool] {
        let unrestricted: SQL =
            orWithoutRoles ? "OR NOT EXISTS (SELECT 1 FROM tool_roles n WHERE n.tool_id = t.id)" : ""
        let rows = try session.rows(
            """
            SELECT \(columns) FROM tools t JOIN services s ON s.id = t.service_id
            WHERE EXISTS (SELECT 1 FROM roles WHERE name = \(role))
            AND (EXISTS (SELECT 1 FROM tool_roles r WHERE r.tool_id = t.id AND r.role_name = \(role)) \(unrestricted))
            ORDER BY s.created_at, s.name, t.position, t.id
            """
        )
        var tools: [Tool] = []
        for row in rows { tools.append(try Tool(row: row, roles: [])) }
        return tools
    }

    static func exists(_ id: ToolID, _ session: Session) throws(DatabaseError) -> Bool {
        try session.row("SELECT id FROM tools WHERE id = \(id)") != nil
    }

    static func insert(
        _ tools: [(position: Int, tool: OfferedTool)],
        of serviceID: String,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        var rest = tools[...]
        while !rest.isEmpty {
            let rows = rest.prefix(rowsPerInsert).map { position, tool -> SQL in
                """
                (\(serviceID), \(tool.name), \(tool.title), \(tool.description), \(tool.inputSchema),
                \(tool.outputSchema), \(tool.annotations), \(position), \(time), \(time))
                """
            }
            rest = rest.dropFirst(rowsPerInsert)
            try session.execute(
                """
                INSERT INTO tools (service_id, name, title, description, input_schema, output_schema, annotations,
                position, created_at, updated_at) VALUES \(joined: rows)
                """
            )
        }
    }

    /// Makes the stored tools those that the service offers now. A tool that stays keeps its id and its roles.
    static func replace(
        with offered: [OfferedTool],
        of service: RegisteredService,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        let stored = try all(of: service.name, session)
        // By their bytes, as in the database: for `String`, names in different Unicode forms would be equal.
        let known = Dictionary(
            stored.map { (Array($0.definition.name.utf8), $0.id) },
            uniquingKeysWith: { first, _ in first }
        )
        let names = Set(offered.map { Array($0.name.utf8) })
        for tool in stored where !names.contains(Array(tool.definition.name.utf8)) {
            try session.execute("DELETE FROM tools WHERE id = \(tool.id)")
        }
        var added: [(Int, OfferedTool)] = []
        for (position, tool) in offered.enumerated() {
            guard let id = known[Array(tool.name.utf8)] else {
                added.append((position, tool))
                continue
            }
            try session.execute(
                """
                UPDATE tools SET title = \(tool.title), description = \(tool.description),
                input_schema = \(tool.inputSchema), output_schema = \(tool.outputSchema),
                annotations = \(tool.annotations), position = \(position), updated_at = \(time) WHERE id = \(id)
                """
            )
        }
        try insert(added, of: service.id, at: time, session)
    }
}
