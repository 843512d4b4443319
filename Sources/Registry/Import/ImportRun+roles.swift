internal import DBDriver

/// Roles, and what they may use.
extension ImportRun {
    mutating func carryRoles() async throws(RegistryError) {
        let hasPrompts = original.hasPrompts
        try await eachPage({ try OriginalTable.roles(after: $0, $1, hasPrompts: hasPrompts, $2) }) {
            run,
            page async throws(RegistryError) in
            try await run.carry(page)
        }
    }

    mutating func carryLinks() async throws(RegistryError) {
        try await eachPage({ try OriginalTable.links(after: $0, $1, $2) }) { run, page async throws(RegistryError) in
            try await run.carry(page)
        }
    }

    private mutating func carry(_ page: [OriginalRole]) async throws(RegistryError) {
        var checked: [(row: Int64, name: RoleName, prompt: SystemPrompt)] = []
        for role in page {
            do throws(RegistryError) {
                let name = try RoleName(try role.name.text(RoleName.label))
                let prompt = try SystemPrompt(try role.prompt.text("default_system_prompt"))
                checked.append((role.row, name, prompt))
                roles[role.row] = name
            } catch {
                roles[role.row] = .some(nil)
                report.note(.role, role.row, "'\(role.name.shown)'", .refused(error.message))
            }
        }
        let wanted = checked
        let outcomes = try await settle(page.words("roles")) { session in
            let prompts = try ImportTable.prompts(of: wanted.map(\.name), session)
            return wanted.map { role -> ImportOutcome in
                guard let prompt = prompts[role.name.key] else { return .added }
                // Roles are known by name: what tools and users they have is brought over all the same.
                return prompt.utf8.elementsEqual(role.prompt.text.utf8)
                    ? .present : .conflict("the role here has another default system prompt")
            }
        } _: { outcomes, session, time in
            for (place, (role, outcome)) in zip(wanted, outcomes).enumerated() where outcome == .added {
                try RoleTable.insert(role.name, role.prompt, at: time.place(place), session)
            }
        }
        for (role, outcome) in zip(wanted, outcomes) { report.note(.role, role.row, "'\(role.name)'", outcome) }
        advance(.role, by: page.count)
    }

    private mutating func carry(_ page: [OriginalLink]) async throws(RegistryError) {
        var checked: [(row: Int64, shown: String, service: ServiceName, tool: String, role: RoleName)] = []
        for link in page {
            let shown = shown(link)
            do throws(RegistryError) {
                let (service, tool) = try tool(of: link)
                checked.append((link.row, shown, service, tool, try role(link.roleRow)))
            } catch {
                report.note(.toolRole, link.row, shown, .refused(error.message))
            }
        }
        let (wanted, isDryRun) = (checked, isDryRun)
        let outcomes = try await settle(page.words("roles of tools")) { session in
            let names = try ImportTable.roles(wanted.map(\.role), session)
            let tools = try ImportTable.toolIDs(of: wanted.map(\.service), named: wanted.map(\.tool), session)
            let links = try ImportTable.links(of: tools.values.flatMap(\.values), session)
            return wanted.map { link -> ImportOutcome in
                guard let id = tools[link.service.key]?[Array(link.tool.utf8)] else {
                    return isDryRun ? .added : .refused("its tool was removed here meanwhile")
                }
                guard isDryRun || names.contains(link.role.key) else {
                    return .refused("its role was removed here meanwhile")
                }
                return links[id]?.contains(link.role.key) == true ? .present : .added
            }
        } _: { outcomes, session, time in
            let tools = try ImportTable.toolIDs(of: wanted.map(\.service), named: wanted.map(\.tool), session)
            let new = zip(wanted, outcomes).filter { $1 == .added }.compactMap { link, _ in
                tools[link.service.key]?[Array(link.tool.utf8)].map { (tool: $0, role: link.role) }
            }
            try ImportTable.insertLinks(new, at: time, session)
        }
        for (link, outcome) in zip(wanted, outcomes) { report.note(.toolRole, link.row, link.shown, outcome) }
        advance(.toolRole, by: page.count)
    }

    private func tool(of link: OriginalLink) throws(RegistryError) -> (ServiceName, String) {
        guard link.isToolThere else {
            throw RegistryError(.invalid, "there is no tool with the id \(link.toolRow) in the original")
        }
        guard let service = link.serviceRow.flatMap({ services[$0] }), !refusedTools.contains(link.toolRow) else {
            throw RegistryError(.invalid, "its tool could not be brought over")
        }
        return (service, try link.toolName.text("the tool's name"))
    }

    /// The name of a role by its row.
    ///
    /// - Throws: ``RegistryError`` with code `invalid` when it is missing, or could not be brought over
    func role(_ row: Int64) throws(RegistryError) -> RoleName {
        guard let found = roles[row] else {
            throw RegistryError(.invalid, "there is no role with the id \(row) in the original")
        }
        guard let name = found else { throw RegistryError(.invalid, "its role could not be brought over") }
        return name
    }

    private func shown(_ link: OriginalLink) -> String {
        let tool =
            link.isToolThere
            ? "tool '\(link.toolName.shown)' of service '\(link.serviceName.shown)'" : "tool row \(link.toolRow)"
        return "\(tool), " + ((roles[link.roleRow] ?? nil).map { "role '\($0)'" } ?? "role row \(link.roleRow)")
    }
}
