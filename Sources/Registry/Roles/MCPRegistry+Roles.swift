internal import DBDriver

extension MCPRegistry {
    /// All roles, oldest first.
    ///
    /// - Throws: `unavailable`
    public func roles() async throws(RegistryError) -> [Role] {
        try await read { try RoleTable.all($0) }
    }

    /// What agents add to their system prompt for a role; empty for an unknown role.
    ///
    /// - Throws: `unavailable`
    public func systemPrompt(of role: RoleName) async throws(RegistryError) -> String {
        try await read { try RoleTable.find(role, $0)?.defaultSystemPrompt ?? "" }
    }

    /// The tools that a role may use; none for an unknown role.
    ///
    /// - Throws: `unavailable`
    public func tools(usableBy role: RoleName) async throws(RegistryError) -> [Tool] {
        try await read { [policy] session in try ToolTable.usable(by: role, policy, session) }
    }

    /// A part of the tools that a role may use, in the order of their ids.
    ///
    /// - Throws: `invalid` for a cursor that was never told, `unavailable`
    public func tools(usableBy role: RoleName, _ page: PageRequest) async throws(RegistryError) -> Page<Tool> {
        let last = try page.last { Int64($0).map(ToolID.init(rawValue:)) }
        let found = try await read { [policy] session in
            try ToolTable.page(usableBy: role, policy, after: last, limit: page.limit + 1, session)
        }
        return Page(found, limit: page.limit) { "\($0.id.rawValue)" }
    }

    /// Creates a role.
    ///
    /// - Throws: `conflict` when the name is taken, `unavailable`
    public func createRole(
        _ name: RoleName,
        _ prompt: SystemPrompt,
        by principal: Principal
    ) async throws(RegistryError) {
        try await change(.createRole, "role '\(name)'", by: principal) { session, time in
            guard try RoleTable.find(name, session) == nil else {
                throw RegistryError(.conflict, "Role with name '\(name)' already exists")
            }
            try RoleTable.insert(name, prompt, at: time, session)
        }
    }

    /// Removes a role; its users keep none, its tools lose it.
    ///
    /// - Throws: `notFound`, `unavailable`
    public func removeRole(_ name: RoleName, by principal: Principal) async throws(RegistryError) {
        try await change(.removeRole, "role '\(name)'", by: principal) { session, _ in
            guard try RoleTable.delete(name, session) else { throw Self.roleDoesNotExist(name) }
        }
    }

    /// Replaces a role's default system prompt.
    ///
    /// - Throws: `notFound`, `unavailable`
    public func setSystemPrompt(
        of name: RoleName,
        to prompt: SystemPrompt,
        by principal: Principal
    ) async throws(RegistryError) {
        try await change(.setSystemPrompt, "role '\(name)'", by: principal) { session, time in
            guard try RoleTable.setPrompt(prompt, of: name, at: time, session) else { throw Self.noRole(name) }
        }
    }

    /// Lets a role use a tool; no change when it may already.
    ///
    /// - Throws: `notFound` for the role or the tool, `unavailable`
    public func attach(_ role: RoleName, to tool: ToolID, by principal: Principal) async throws(RegistryError) {
        try await change(.attachRole, "role '\(role)', tool \(tool)", by: principal) { session, time in
            try Self.require(role, tool, evenIfGone: false, session)
            try RoleTable.attach(role, to: tool, at: time, session)
        }
    }

    /// Takes a tool away from a role; no change when it has none.
    ///
    /// - Throws: `notFound` for the role or the tool, `unavailable`
    public func detach(_ role: RoleName, from tool: ToolID, by principal: Principal) async throws(RegistryError) {
        try await change(.detachRole, "role '\(role)', tool \(tool)", by: principal) { session, _ in
            // Otherwise the role would be back with the tool.
            try Self.require(role, tool, evenIfGone: true, session)
            try RoleTable.detach(role, from: tool, session)
        }
    }

    private static func require(
        _ role: RoleName,
        _ tool: ToolID,
        evenIfGone: Bool,
        _ session: Session
    ) throws {
        guard try RoleTable.find(role, session) != nil else { throw noRole(role) }
        guard try ToolTable.exists(tool, evenIfGone: evenIfGone, session) else {
            throw RegistryError(.notFound, "Tool with id '\(tool)' not found")
        }
    }

    static func noRole(_ name: RoleName) -> RegistryError {
        RegistryError(.notFound, "Role with name '\(name)' not found")
    }

    static func roleDoesNotExist(_ name: RoleName) -> RegistryError {
        RegistryError(.notFound, "Role \(name) does not exist")
    }
}
