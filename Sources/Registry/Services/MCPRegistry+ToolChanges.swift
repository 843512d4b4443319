internal import DBDriver

extension MCPRegistry {
    /// Changed tools that are listed at once.
    public static let changesMax = 50

    /// The tools whose definition has changed, or that are new, and wait for approval; at most ``changesMax``.
    ///
    /// - Parameters:
    ///   - service: only tools of this service; nil for all.
    ///   - tool: only tools of this name; nil for all.
    /// - Returns: each with what was approved, what is offered, and the digests of its history.
    /// - Throws: `notFound` for the service, `unavailable`
    public func toolChanges(
        of service: ServiceName?,
        tool: String? = nil
    ) async throws(RegistryError) -> [ToolChange] {
        try await snapshot { session in
            if let service, try ServiceTable.find(service, session) == nil { throw Self.noService(service) }
            return try ToolTable.changed(of: service, named: tool, limit: Self.changesMax, session).compactMap {
                try DefinitionTable.change(of: $0, session)
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
    /// - Returns: the names of the tools whose definitions were approved; none when nothing waits.
    /// - Throws: `notFound` for the service or the tool, `invalid` for a digest without a tool, `conflict` when the
    ///   definition is another one, and then nothing is approved; `unavailable`
    public func approveToolChanges(
        of service: ServiceName,
        tool: String?,
        sha256: String?,
        by principal: Principal
    ) async throws(RegistryError) -> [String] {
        if let earlier: [String] = try IdempotentRequest.current?.earlierValue() { return earlier }
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
        let isWaiting = try await snapshot { session in
            guard try ServiceTable.find(service, session) != nil else { throw Self.noService(service) }
            if let tool, try !ToolTable.isOffered(tool, by: service, session) {
                let shown = String(tool.unicodeScalars.prefix(Limits.nameCharactersMax))
                throw RegistryError(.notFound, "Service with name '\(service)' has no tool '\(shown)'")
            }
            return try !ToolTable.changed(of: service, named: tool, limit: 1, session).isEmpty
        }
        // Under a key, that nothing waited is an answer to be kept: the same request must not approve what comes later.
        guard isWaiting || IdempotentRequest.current != nil else { return [] }
        let target = "service '\(service)'" + (tool.map { ", tool '\($0)'" } ?? "")
        return try await change(.approveToolChanges, target, by: principal) { session, time in
            guard try ServiceTable.lock(service, session) != nil else { throw Self.noService(service) }
            let changed = try ToolTable.changed(of: service, named: tool, session)
            for tool in changed {
                guard let change = try DefinitionTable.change(of: tool, session), let version = change.history.last
                else { continue }
                if let sha256, sha256.lowercased() != version.sha256.hexadecimal {
                    throw RegistryError(
                        .conflict,
                        "the definition of '\(tool.definition.name)' has the sha256 \(version.sha256.hexadecimal) now"
                    )
                }
                try ToolTable.tell(change.offered, of: tool.id, isApproved: true, at: time, session)
                try DefinitionTable.approve(version.id, by: principal, at: time, session)
            }
            return changed.map(\.definition.name)
        }
    }

    /// Under ``CatalogPolicy/ToolChanges/quarantine`` takes back from what agents are told every definition that is not
    /// approved. To be called when a server starts: changes may have been accepted before.
    ///
    /// - Throws: `unavailable`
    public func withdrawUnapproved() async throws(RegistryError) {
        guard policy.toolChanges == .quarantine else { return }
        for id in try await read({ try ToolTable.changedIDs($0) }) {
            guard try await snapshot({ try Self.approvedDefinition(unlessToldBy: id, $0) }) != nil else { continue }
            try await changeEachTime(.withdrawDefinition, "tool \(id)", by: .refresher) { session, time in
                guard let definition = try Self.approvedDefinition(unlessToldBy: id, session) else { return }
                try ToolTable.tell(definition, of: id, isApproved: false, at: time, session)
            }
        }
    }

    /// What agents should be told of a changed tool under quarantine; nil when they are, or there is no such tool.
    private static func approvedDefinition(
        unlessToldBy id: ToolID,
        _ session: Session
    ) throws(DatabaseError) -> OfferedTool? {
        guard let tool = try ToolTable.changed(id, session), let change = try DefinitionTable.change(of: tool, session)
        else { return nil }
        let approved = change.approved ?? .silent(named: tool.definition.name)
        return approved.sha256 == tool.definition.sha256 ? nil : approved
    }
}

extension [UInt8] {
    /// Two lower-case digits for each byte.
    public var hexadecimal: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
