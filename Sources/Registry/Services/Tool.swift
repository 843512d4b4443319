public import DBDriver

/// A tool in the catalogue.
public struct Tool: Sendable, Equatable {
    /// The number by which roles are attached to it.
    public let id: ToolID
    /// The service that offers it.
    public let serviceName: ServiceName
    /// What its service says about it, or said when it was last approved where changes are quarantined.
    public let definition: OfferedTool
    /// Since when a change of the definition waits for approval; nil when none does.
    public let changedAt: Timestamp?
    /// The roles that may use it, by name.
    public let roles: [RoleName]

    init(row: Row, roles: [RoleName]) throws(DatabaseError) {
        id = try row.get("id")
        serviceName = try row.get("service_name")
        definition = try OfferedTool(row: row)
        changedAt = try row.get("changed_at")
        self.roles = roles
    }
}
