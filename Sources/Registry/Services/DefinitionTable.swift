internal import DBDriver

/// The statements about the definitions that tools have had: all of those that have changed since they were registered.
enum DefinitionTable {
    static func insert(_ record: NewDefinition, _ session: Session) throws(DatabaseError) {
        let tool = record.definition
        try session.execute(
            """
            INSERT INTO tool_definitions (tool_id, sha256, title, description, input_schema, output_schema, annotations,
            icons, recorded_at, approved_at) VALUES (\(record.toolID), \(tool.sha256), \(tool.title), \(tool.description),
            \(tool.inputSchema), \(tool.outputSchema), \(tool.annotations), \(tool.icons), \(record.recordedAt),
            \(record.approvedAt))
            """
        )
    }

    static func delete(_ id: Int64, _ session: Session) throws(DatabaseError) {
        try session.execute("DELETE FROM tool_definitions WHERE id = \(id)")
    }

    /// The digests recorded for the tools of a service, oldest first.
    static func digests(
        of serviceID: String,
        _ session: Session
    ) throws(DatabaseError) -> [ToolID: [RecordedDefinition]] {
        let rows = try session.rows(
            """
            SELECT d.tool_id, d.id, d.sha256, d.approved_at FROM tool_definitions d JOIN tools t ON t.id = d.tool_id
            WHERE t.service_id = \(serviceID) ORDER BY d.id
            """
        )
        var digests: [ToolID: [RecordedDefinition]] = [:]
        for row in rows {
            let definition = RecordedDefinition(
                id: try row.get("id"),
                sha256: try row.get("sha256"),
                isApproved: try row.get("approved_at", as: Timestamp?.self) != nil
            )
            digests[try row.get("tool_id"), default: []].append(definition)
        }
        return digests
    }

    /// The change of a tool that waits for approval; nil when nothing was recorded.
    static func change(of tool: Tool, _ session: Session) throws(DatabaseError) -> ToolChange? {
        let rows = try session.rows(
            """
            SELECT id, sha256, recorded_at, approved_at, approved_by FROM tool_definitions
            WHERE tool_id = \(tool.id) ORDER BY id
            """
        )
        var history: [ToolChange.Version] = []
        for row in rows { history.append(try ToolChange.Version(row: row)) }
        guard let last = history.last, let offered = try definition(last.id, session) else { return nil }
        let approved = history.last { $0.approvedAt != nil }
        return ToolChange(
            tool: tool,
            approved: try approved.flatMap { version throws(DatabaseError) in try definition(version.id, session) },
            offered: offered,
            history: history
        )
    }

    private static func definition(_ id: Int64, _ session: Session) throws(DatabaseError) -> OfferedTool? {
        let row = try session.row(
            """
            SELECT t.name, d.title, d.description, d.input_schema, d.output_schema, d.annotations, d.icons
            FROM tool_definitions d JOIN tools t ON t.id = d.tool_id WHERE d.id = \(id)
            """
        )
        guard let row else { return nil }
        return try OfferedTool(row: row)
    }

    static func approve(
        _ id: Int64,
        by principal: Principal,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        try session.execute(
            "UPDATE tool_definitions SET approved_at = \(time), approved_by = \(principal.name) WHERE id = \(id)"
        )
    }
}
