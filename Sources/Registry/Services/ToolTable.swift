internal import DBDriver

/// The statements about tools. Tools that their service no longer offers are out of sight but for ``stored(of:_:)``.
enum ToolTable {
    private static let columns: SQL = """
        t.id, s.name AS service_name, t.name, t.title, t.description, t.input_schema, t.output_schema, t.annotations,
        t.icons, t.changed_at
        """
    /// Rows of one INSERT: keeps a statement below a server's packet limit at the largest schemas, and the round trips few.
    private static let rowsPerInsert = 20

    /// The tools of a service in their order, with the roles that may use them.
    static func all(of service: ServiceName, _ session: Session) throws(DatabaseError) -> [Tool] {
        try all(of: [service], session)[0]
    }

    /// The tools of each of several services. One statement finds tools and roles, so that they fit together.
    static func all(of services: [ServiceName], _ session: Session) throws(DatabaseError) -> [[Tool]] {
        let names: SQL = "\(list: services.filledUp)"
        let rows = try session.rows(
            """
            SELECT \(columns), t.position, NULL AS role_name, NULL AS attached_at
            FROM services s JOIN tools t ON t.service_id = s.id WHERE s.name IN \(names) AND t.gone_at IS NULL
            UNION ALL
            SELECT t.id, s.name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.role_name, r.created_at
            FROM services s JOIN tools t ON t.service_id = s.id JOIN tool_roles r ON r.tool_id = t.id
            WHERE s.name IN \(names) AND t.gone_at IS NULL
            """
        )
        var links: [ToolID: [(attachedAt: Timestamp, role: RoleName)]] = [:]
        var offers: [(position: Int, id: ToolID, row: Row)] = []
        for row in rows {
            let id = try row.get("id", as: ToolID.self)
            if let role = try row.get("role_name", as: RoleName?.self) {
                links[id, default: []].append((try row.get("attached_at"), role))
            } else {
                offers.append((try row.get("position"), id, row))
            }
        }
        var found: [[UInt8]: [Tool]] = [:]
        for offer in offers.sorted(by: { ($0.position, $0.id) < ($1.position, $1.id) }) {
            let roles = links[offer.id, default: []].sorted { one, other in
                guard one.attachedAt == other.attachedAt else { return one.attachedAt < other.attachedAt }
                return one.role.key.lexicographicallyPrecedes(other.role.key)
            }
            let tool = try Tool(row: offer.row, roles: roles.map(\.role))
            found[tool.serviceName.key, default: []].append(tool)
        }
        return services.map { found[$0.key] ?? [] }
    }

    /// The tools that a role may use.
    static func usable(
        by role: RoleName,
        _ policy: CatalogPolicy,
        _ session: Session
    ) throws(DatabaseError) -> [Tool] {
        let rows = try session.rows(
            """
            SELECT \(columns) FROM \(tools(usableBy: role, policy)) ORDER BY s.created_at, s.name, t.position, t.id
            """
        )
        return try tools(rows)
    }

    /// The next tools that a role may use, in the order of their ids.
    static func page(
        usableBy role: RoleName,
        _ policy: CatalogPolicy,
        after id: ToolID?,
        limit: Int,
        _ session: Session
    ) throws(DatabaseError) -> [Tool] {
        let condition: SQL = id.map { "AND t.id > \($0)" } ?? ""
        let rows = try session.rows(
            """
            SELECT \(columns) FROM \(tools(usableBy: role, policy)) \(condition) ORDER BY t.id LIMIT \(limit)
            """
        )
        return try tools(rows)
    }

    /// The tools `t` and their services `s` that an existing role may use. Where a role may use only what it is attached to, they
    /// are found by its links.
    private static func tools(usableBy role: RoleName, _ policy: CatalogPolicy) -> SQL {
        switch policy.toolsWithoutRoles {
        case .denied:
            """
            tool_roles l JOIN tools t ON t.id = l.tool_id JOIN services s ON s.id = t.service_id
            WHERE l.role_name = \(role) AND \(isThere(policy))
            """
        case .allowed:
            """
            tools t JOIN services s ON s.id = t.service_id
            WHERE EXISTS (SELECT 1 FROM roles WHERE name = \(role)) AND \(isUsable(by: role, policy))
            """
        }
    }

    /// The tools with all of the words; those first that have the first word in the name, then those that have it in the
    /// title, then the others, and in each group those that have it earliest.
    static func find(
        _ words: [String],
        usableBy role: RoleName?,
        _ policy: CatalogPolicy,
        limit: Int,
        _ session: Session
    ) throws(DatabaseError) -> [Tool] {
        var conditions: SQL = "t.gone_at IS NULL"
        for word in words { conditions = "\(conditions) AND INSTR(t.search_text, \(word)) > 0" }
        if let role { conditions = "\(conditions) AND \(isUsable(by: role, policy))" }
        // Nobody may use them, and a name alone can say too much.
        if policy.toolChanges == .quarantine { conditions = "\(conditions) AND t.changed_at IS NULL" }
        let place: SQL = "INSTR(t.search_text, \(words.first))"
        let (nameEnd, titleEnd) = (String(OfferedTool.nameEnd), String(OfferedTool.titleEnd))
        let part: SQL = """
            CASE WHEN \(place) < INSTR(t.search_text, \(nameEnd)) THEN 1
            WHEN \(place) < INSTR(t.search_text, \(titleEnd)) THEN 2 ELSE 3 END
            """
        return try tools(
            session.rows(
                """
                SELECT \(columns) FROM tools t JOIN services s ON s.id = t.service_id
                WHERE \(conditions) ORDER BY \(part), \(place), s.name, t.position, t.id LIMIT \(limit)
                """
            )
        )
    }

    /// The tools whose change waits for approval, of one service or of all, or one tool; without their roles.
    static func changed(
        of service: ServiceName?,
        named name: String? = nil,
        limit: Int = Limits.toolsPerServiceMax,
        _ session: Session
    ) throws(DatabaseError) -> [Tool] {
        var conditions: SQL = "t.changed_at IS NOT NULL AND t.gone_at IS NULL"
        if let service { conditions = "\(conditions) AND s.name = \(service)" }
        if let name { conditions = "\(conditions) AND t.name = \(name)" }
        return try tools(
            session.rows(
                """
                SELECT \(columns) FROM tools t JOIN services s ON s.id = t.service_id
                WHERE \(conditions) ORDER BY s.name, t.position, t.id LIMIT \(limit)
                """
            )
        )
    }

    /// One tool whose change waits for approval, even while its service does not offer it.
    static func changed(_ id: ToolID, _ session: Session) throws(DatabaseError) -> Tool? {
        try tools(
            session.rows(
                """
                SELECT \(columns) FROM tools t JOIN services s ON s.id = t.service_id
                WHERE t.id = \(id) AND t.changed_at IS NOT NULL
                """
            )
        ).first
    }

    /// The tools whose change waits for approval, even while their service does not offer them.
    static func changedIDs(_ session: Session) throws(DatabaseError) -> [ToolID] {
        var ids: [ToolID] = []
        for row in try session.rows("SELECT id FROM tools WHERE changed_at IS NOT NULL") {
            ids.append(try row.get("id"))
        }
        return ids.sorted()
    }

    static func isOffered(
        _ name: String,
        by service: ServiceName,
        _ session: Session
    ) throws(DatabaseError) -> Bool {
        let row = try session.row(
            """
            SELECT t.id FROM tools t JOIN services s ON s.id = t.service_id
            WHERE s.name = \(service) AND t.name = \(name) AND t.gone_at IS NULL
            """
        )
        return row != nil
    }

    /// Whether the tool `t` is there and may be used by an existing role.
    private static func isUsable(by role: RoleName, _ policy: CatalogPolicy) -> SQL {
        let unrestricted: SQL =
            switch policy.toolsWithoutRoles {
            case .allowed: "OR NOT EXISTS (SELECT 1 FROM tool_roles n WHERE n.tool_id = t.id)"
            case .denied: ""
            }
        return """
            \(isThere(policy)) AND
            (EXISTS (SELECT 1 FROM tool_roles r WHERE r.tool_id = t.id AND r.role_name = \(role)) \(unrestricted))
            """
    }

    /// Whether the tool `t` is there for roles.
    private static func isThere(_ policy: CatalogPolicy) -> SQL {
        switch policy.toolChanges {
        case .quarantine: "t.gone_at IS NULL AND t.changed_at IS NULL"
        case .accept: "t.gone_at IS NULL"
        }
    }

    private static func tools(_ rows: [Row]) throws(DatabaseError) -> [Tool] {
        var tools: [Tool] = []
        for row in rows { tools.append(try Tool(row: row, roles: [])) }
        return tools
    }

    static func exists(
        _ id: ToolID,
        evenIfGone: Bool,
        _ session: Session
    ) throws(DatabaseError) -> Bool {
        let isOffered: SQL = evenIfGone ? "" : "AND gone_at IS NULL"
        return try session.row("SELECT id FROM tools WHERE id = \(id) \(isOffered)") != nil
    }

    /// All rows of a service, as a reading compares them.
    static func stored(of serviceID: String, _ session: Session) throws(DatabaseError) -> [StoredTool] {
        var tools: [StoredTool] = []
        let rows = try session.rows(
            """
            SELECT id, name, title, description, input_schema, output_schema, annotations, icons, position, changed_at,
            gone_at, created_at, EXISTS (SELECT 1 FROM tool_roles r WHERE r.tool_id = tools.id) AS has_roles
            FROM tools WHERE service_id = \(serviceID) ORDER BY position, id
            """
        )
        for row in rows {
            tools.append(
                StoredTool(
                    id: try row.get("id"),
                    definition: try OfferedTool(row: row),
                    position: try row.get("position"),
                    changedAt: try row.get("changed_at"),
                    goneAt: try row.get("gone_at"),
                    createdAt: try row.get("created_at"),
                    hasRoles: try row.get("has_roles")
                )
            )
        }
        return tools
    }

    static func insert(
        _ tools: [ToolReconciliation.Addition],
        of serviceID: String,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        var rest = tools[...]
        while !rest.isEmpty {
            let rows = rest.prefix(rowsPerInsert).map { addition -> SQL in
                let tool = addition.definition
                let changedAt = addition.pending == nil ? nil : time
                return """
                    (\(serviceID), \(tool.name), \(tool.title), \(tool.description), \(tool.inputSchema),
                    \(tool.outputSchema), \(tool.annotations), \(tool.icons), \(tool.searchText),
                    \(addition.position), \(changedAt), \(time), \(time))
                    """
            }
            rest = rest.dropFirst(rowsPerInsert)
            try session.execute(
                """
                INSERT INTO tools (service_id, name, title, description, input_schema, output_schema, annotations, icons,
                search_text, position, changed_at, created_at, updated_at) VALUES \(joined: rows)
                """
            )
        }
        for addition in tools {
            guard let pending = addition.pending else { continue }
            let row = try session.row("SELECT id FROM tools WHERE service_id = \(serviceID) AND name = \(pending.name)")
            guard let id = try row?.get("id", as: ToolID.self) else { continue }
            let record = NewDefinition(toolID: id, definition: pending, recordedAt: time, approvedAt: nil)
            try DefinitionTable.insert(record, session)
        }
    }

    /// Writes what a reading has changed.
    static func apply(
        _ changes: ToolReconciliation,
        of serviceID: String,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        for id in changes.expired { try session.execute("DELETE FROM tools WHERE id = \(id)") }
        for tool in changes.updated { try update(tool, at: time, session) }
        for id in changes.forgotten { try DefinitionTable.delete(id, session) }
        for record in changes.recorded { try DefinitionTable.insert(record, session) }
        try insert(changes.added, of: serviceID, at: time, session)
    }

    /// Changes what agents are told of a tool, and whether that is all there is.
    static func tell(
        _ definition: OfferedTool,
        of id: ToolID,
        isApproved: Bool,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        let approval: SQL = isApproved ? "changed_at = NULL," : ""
        try session.execute(
            """
            UPDATE tools SET \(assignments(definition)), \(approval) updated_at = \(time) WHERE id = \(id)
            """
        )
    }

    private static func update(_ tool: StoredTool, at time: Timestamp, _ session: Session) throws(DatabaseError) {
        try session.execute(
            """
            UPDATE tools SET \(assignments(tool.definition)), position = \(tool.position),
            changed_at = \(tool.changedAt), gone_at = \(tool.goneAt), updated_at = \(time) WHERE id = \(tool.id)
            """
        )
    }

    private static func assignments(_ definition: OfferedTool) -> SQL {
        """
        title = \(definition.title), description = \(definition.description), input_schema = \(definition.inputSchema),
        output_schema = \(definition.outputSchema), annotations = \(definition.annotations),
        icons = \(definition.icons), search_text = \(definition.searchText)
        """
    }
}
