internal import DBDriver

extension MCPRegistry {
    /// Words of a search that count.
    private static let wordsMax = 8
    /// Tools that a search finds at most.
    public static let foundMax = 50

    /// The tools of a service with the roles that may use them; none for an unknown service.
    ///
    /// - Throws: `unavailable`
    public func tools(of service: ServiceName) async throws(RegistryError) -> [Tool] {
        try await snapshot { try ToolTable.all(of: service, $0) }
    }

    /// The tools whose name, title or description holds all words of the query, whatever their case; best matches first,
    /// at most ``foundMax``.
    ///
    /// - Parameters:
    ///   - query: words separated by white space; the first eight count.
    ///   - role: only tools that this role may use; nil for all.
    /// - Returns: the tools, without their roles.
    /// - Throws: `invalid` for a query without a word, `notFound` for the role, `unavailable`
    public func findTools(_ query: String, usableBy role: RoleName?) async throws(RegistryError) -> [Tool] {
        let words = query.lowercased().split(whereSeparator: \.isWhitespace).prefix(Self.wordsMax).map(String.init)
        guard !words.isEmpty else {
            throw RegistryError(.invalid, "query holds no word: say in a word or two what the tool should do")
        }
        return try await snapshot { [policy] session in
            if let role, try RoleTable.find(role, session) == nil {
                throw Self.noRole(role)
            }
            return try ToolTable.find(words, usableBy: role, policy, limit: Self.foundMax, session)
        }
    }

    /// The tools whose definition has changed, or that are new, and wait for approval.
    ///
    /// - Parameter service: only tools of this service; nil for all.
    /// - Returns: each with its whole history.
    /// - Throws: `notFound`, `unavailable`
    public func toolChanges(of service: ServiceName?) async throws(RegistryError) -> [ToolChange] {
        try await snapshot { session in
            if let service, try ServiceTable.find(service, session) == nil { throw Self.noService(service) }
            return try ToolTable.changed(of: service, session).map { tool in
                ToolChange(tool: tool, history: try DefinitionTable.history(of: tool.id, session))
            }
        }
    }

    /// Approves changed definitions: they are no longer marked, and agents are told them.
    ///
    /// - Parameters:
    ///   - service: the service whose tools have changed.
    ///   - tool: the name of the only tool that is meant; nil for all of them.
    ///   - sha256: what the definition must be, in hexadecimal; nil for whatever it is now.
    ///   - principal: who approves.
    /// - Returns: what was approved; nothing when nothing waits.
    /// - Throws: `notFound` for the service or the tool, `invalid` for a digest without a tool, `conflict` when the
    ///   definition is another one, and then nothing is approved; `unavailable`
    public func approveToolChanges(
        of service: ServiceName,
        tool: String?,
        sha256: String?,
        by principal: Principal
    ) async throws(RegistryError) -> [ToolChange] {
        // An empty text is no way to say "all": whoever has an empty variable would approve what nobody has seen.
        if tool == "" {
            throw RegistryError(.invalid, "tool_name must not be empty: leave it out to approve all changes")
        }
        if sha256 == "" {
            throw RegistryError(.invalid, "sha256 must not be empty: leave it out, or say what was seen")
        }
        if sha256 != nil, tool == nil {
            throw RegistryError(.invalid, "sha256 is the digest of one definition: give tool_name too")
        }
        let waiting = try await snapshot { session in
            guard try ServiceTable.find(service, session) != nil else { throw Self.noService(service) }
            if let tool, try !ToolTable.all(of: service, session).contains(where: { $0.isNamed(tool) }) {
                throw RegistryError(.notFound, "Service with name '\(service)' has no tool '\(tool)'")
            }
            return try ToolTable.changed(of: service, session).contains { tool.map($0.isNamed) ?? true }
        }
        guard waiting else { return [] }
        let target = "service '\(service)'" + (tool.map { ", tool '\($0)'" } ?? "")
        return try await change(.approveToolChanges, target, by: principal) { session, time in
            guard let current = try ServiceTable.lock(service, session) else { throw Self.noService(service) }
            let rows = try ToolTable.stored(of: current.id, session)
            var approved: [ToolChange] = []
            for changed in try ToolTable.changed(of: service, session) where tool.map(changed.isNamed) ?? true {
                let change = ToolChange(tool: changed, history: try DefinitionTable.history(of: changed.id, session))
                guard let offered = change.offered, var row = rows.first(where: { $0.id == changed.id }) else {
                    continue
                }
                if let sha256, sha256.lowercased() != offered.sha256.hexadecimal {
                    throw RegistryError(
                        .conflict,
                        "the definition of '\(changed.definition.name)' has the sha256 \(offered.sha256.hexadecimal) now"
                    )
                }
                row.definition = offered.definition
                row.changedAt = nil
                try ToolTable.update(row, at: time, session)
                try DefinitionTable.approve(offered.id, by: principal, at: time, session)
                approved.append(change)
            }
            return approved
        }
    }
}

extension Tool {
    fileprivate func isNamed(_ name: String) -> Bool {
        definition.name.utf8.elementsEqual(name.utf8)
    }
}

extension [UInt8] {
    /// Two lower-case digits for each byte.
    public var hexadecimal: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
