internal import DBDriver

/// Services, each with its tools: a background reading must never find the one without the other.
extension ImportRun {
    /// A service that can be here.
    fileprivate struct Entry: Sendable {
        let row: Int64
        let service: RegisteredService
        /// Whether the original described it itself.
        let isDescribed: Bool
        /// The tools that can be here, by their place.
        var tools: [(row: Int64, shown: String, definition: OfferedTool)] = []
    }

    mutating func carryServices() async throws(RegistryError) {
        try await eachPage({ try OriginalTable.services(after: $0, $1, $2) }) {
            run,
            page async throws(RegistryError) in
            var rest = page[...]
            while !rest.isEmpty {
                var size = 0
                let count = rest.prefix {
                    size += 1 + $0.toolCount
                    return size <= Self.rowsPerBatch
                }.count
                try await run.carry(rest.prefix(max(1, count)))
                rest = rest.dropFirst(max(1, count))
            }
        }
    }

    mutating func refuseToolsWithoutService() async throws(RegistryError) {
        try await eachPage({ try OriginalTable.toolsWithoutService(after: $0, $1, $2) }) {
            run,
            page async throws(RegistryError) in
            for tool in page { run.refuse(tool, "there is no service '\(tool.serviceName.shown)' in the original") }
            run.advance(.tool, by: page.count)
        }
    }

    private mutating func carry(_ batch: ArraySlice<OriginalService>) async throws(RegistryError) {
        guard let first = batch.first?.row, let last = batch.last?.row else { return }
        let tools = try await original.read { try OriginalTable.tools(of: first...last, $0) }
        var entries = batch.compactMap { entry($0) }
        let positions = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.row, $0) })
        for tool in tools {
            guard let position = tool.serviceRow.flatMap({ positions[$0] }) else {
                refuse(tool, ImportReason.service)
                continue
            }
            do throws(RegistryError) {
                let definition = try tool.checked()
                guard entries[position].tools.count < Limits.toolsPerServiceMax else {
                    throw RegistryError(.invalid, "its service has more than \(Limits.toolsPerServiceMax) tools")
                }
                entries[position].tools.append((tool.row, tool.shown, definition))
            } catch {
                refuse(tool, error.message)
            }
        }
        let checked = entries
        let plans = try await settle(batch.words("services with their tools")) {
            try checked.map(ServicesHere(checked.map(\.service), $0).plan)
        } _: { plans, session, time in
            for (place, (entry, plan)) in zip(checked, plans).enumerated() {
                try plan.write(entry, at: time.place(place), session)
            }
        }
        for (entry, plan) in zip(checked, plans) { note(entry, plan) }
        advance(.service, by: batch.count + tools.count)
    }

    /// A row that has passed the checks; others are reported.
    private mutating func entry(_ row: OriginalService) -> Entry? {
        do throws(RegistryError) {
            let new = try row.checked()
            if let twin = endpoints[new.endpoint.sha256] {
                throw RegistryError(.invalid, "its endpoint is that of the original's service '\(twin)' too")
            }
            endpoints[new.endpoint.sha256] = new.name
            let now = registry.clock()
            let service = RegisteredService(
                id: UUID.version7(at: now),
                name: new.name,
                endpoint: new.endpoint,
                description: new.description.isEmpty ? NewService.fallbackDescription : new.description,
                requiresAuthorization: new.method != .none,
                method: new.method,
                status: .active,
                transport: .streamableHTTP,
                lastSeen: nil,
                owner: nil,
                nextRead: now
            )
            let isDescribed = ![NewService.fallbackDescription, ""].contains(new.description)
            return Entry(row: row.row, service: service, isDescribed: isDescribed)
        } catch {
            report.note(.service, row.row, "'\(row.name.shown)'", .refused(error.message))
            return nil
        }
    }

    private mutating func refuse(_ tool: OriginalTool, _ reason: String) {
        report.note(.tool, tool.row, tool.shown, .refused(reason))
        refusedTools.insert(tool.row)
    }

    private mutating func note(_ entry: Entry, _ plan: ServicePlan) {
        let name = entry.service.name
        report.note(.service, entry.row, "'\(name)'", plan.outcome)
        if plan.mayFollow { services[entry.row] = name }
        for (tool, outcome) in zip(entry.tools, plan.tools) {
            report.note(.tool, tool.row, tool.shown, outcome)
            if case .refused = outcome { refusedTools.insert(tool.row) }
        }
    }
}

/// What becomes of a service and its tools.
private struct ServicePlan: ImportStep {
    let outcome: ImportOutcome
    /// Whether it is here at the same address, so that its tools and tokens may follow.
    let mayFollow: Bool
    /// The id that it has here.
    let id: String
    let tools: [ImportOutcome]

    var isAddition: Bool { outcome == .added || tools.contains(.added) }

    func write(_ entry: ImportRun.Entry, at time: Timestamp, _ session: Session) throws(DatabaseError) {
        if outcome == .added { try ServiceTable.insert(entry.service, at: time, session) }
        let additions = zip(entry.tools, tools).enumerated().compactMap { position, pair in
            pair.1 == .added ? ToolReconciliation.Addition(position: position, definition: pair.0.definition) : nil
        }
        if !additions.isEmpty { try ToolTable.insert(additions, of: id, at: time, session) }
    }
}

/// What is here of the services of a batch.
private struct ServicesHere {
    private var names: [[UInt8]: RegisteredService] = [:]
    private var endpoints: [[UInt8]: RegisteredService] = [:]
    private var tools: [String: Set<[UInt8]>]

    init(_ wanted: [RegisteredService], _ session: Session) throws(DatabaseError) {
        let found = try ServiceTable.all(named: wanted.map(\.name), orAt: wanted.map(\.endpoint), session)
        for service in found {
            names[service.name.key] = service
            endpoints[service.endpoint.sha256] = service
        }
        tools = try ImportTable.tools(of: found.map(\.id), session)
    }

    func plan(_ entry: ImportRun.Entry) -> ServicePlan {
        let wanted = entry.service
        guard let here = names[wanted.name.key] else {
            if let other = endpoints[wanted.endpoint.sha256] {
                return blocked(entry, "its endpoint is registered here for service '\(other.name)'")
            }
            return ServicePlan(
                outcome: .added,
                mayFollow: true,
                id: wanted.id,
                tools: entry.tools.map { _ in .added }
            )
        }
        // Tokens and roles were given for that address and for no other.
        guard here.endpoint.isSame(as: wanted.endpoint) else {
            return blocked(entry, "a service of this name is here at another endpoint")
        }
        guard here.method == wanted.method else {
            return blocked(entry, "the service here has another way of authorization")
        }
        let isSame = !entry.isDescribed || here.description.utf8.elementsEqual(wanted.description.utf8)
        let offered = tools[here.id] ?? []
        return ServicePlan(
            outcome: isSame ? .present : .conflict("the service here has another description"),
            mayFollow: true,
            id: here.id,
            tools: entry.tools.map { tool in
                if offered.contains(Array(tool.definition.name.utf8)) { return .present }
                // What the service says itself counts for more.
                return here.lastSeen == nil ? .added : .refused("its service was read here, and does not offer it")
            }
        )
    }

    private func blocked(_ entry: ImportRun.Entry, _ reason: String) -> ServicePlan {
        ServicePlan(
            outcome: .conflict(reason),
            mayFollow: false,
            id: "",
            tools: entry.tools.map { _ in .refused(ImportReason.service) }
        )
    }
}
