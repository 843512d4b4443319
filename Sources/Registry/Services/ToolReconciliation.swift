internal import DBDriver

/// What a reading of a service changes about its stored tools: decided here without a database, written by ``ToolTable``.
///
/// A change is told by the SHA-256 of the definition. Until an administrator has approved it the tool counts as changed, and
/// with ``CatalogPolicy/ToolChanges/quarantine`` agents are never told the new text: it waits in the history. A tool that the
/// service no longer offers is kept, out of sight, for a time of grace with its id and roles.
struct ToolReconciliation: Equatable {
    /// A tool that was not there before.
    struct Addition: Equatable {
        let position: Int
        let definition: OfferedTool
        /// The definition that waits for approval; then ``definition`` says nothing but the name.
        var pending: OfferedTool?
    }

    /// Definitions kept of one tool. A service that changes a tool with every reading does not fill the database.
    static let historyMax = 50
    /// Definitions kept of all tools of a service that are neither offered nor what was approved last: at the largest, 128
    /// KiB each for schemas and hints, a thousand tools would otherwise keep fifty times their size.
    static let oldDefinitionsMax = 1_000
    /// Tools of a service without roles that are kept out of sight. A service that offers other names at each reading does
    /// not fill the database either; the roles of the others were attached by people.
    static let goneMax = 100

    private(set) var added: [Addition] = []
    /// Rows that differ from what is stored.
    private(set) var updated: [StoredTool] = []
    private(set) var recorded: [NewDefinition] = []
    /// Recorded definitions that are too many.
    private(set) var forgotten: [Int64] = []
    /// Tools whose time of grace is over.
    private(set) var expired: [ToolID] = []

    var isEmpty: Bool { self == ToolReconciliation() }

    private init() {}

    /// - Parameters:
    ///   - stored: the service's tools, those out of sight too.
    ///   - history: the definitions recorded for each, oldest first.
    ///   - offered: what the service offers now, without duplicates by name.
    ///   - policy: what becomes of changes.
    ///   - isFirst: whether the service was never read before, so that tools it has were imported.
    ///   - time: now.
    init(
        stored: [StoredTool],
        history: [ToolID: [RecordedDefinition]],
        offered: [OfferedTool],
        policy: CatalogPolicy,
        isFirst: Bool = false,
        at time: Timestamp
    ) {
        // By their bytes, as in the database: for `String`, names in different Unicode forms would be equal.
        let known = Dictionary(
            stored.map { (Array($0.definition.name.utf8), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        for (position, tool) in offered.enumerated() {
            if let old = known[Array(tool.name.utf8)] {
                if isFirst, old.isCompleted(by: tool) {
                    updated.append(old.completed(by: tool, position))
                    continue
                }
                compare(old, tool, position, history[old.id] ?? [], policy, time)
            } else {
                add(tool, position, policy)
            }
        }
        let names = Set(offered.map { Array($0.name.utf8) })
        miss(stored.filter { !names.contains(Array($0.definition.name.utf8)) }, policy, time)
        if !recorded.isEmpty { forgetOldest(history) }
    }

    private mutating func add(_ tool: OfferedTool, _ position: Int, _ policy: CatalogPolicy) {
        switch policy.toolChanges {
        case .accept: added.append(Addition(position: position, definition: tool))
        case .quarantine:
            added.append(Addition(position: position, definition: .silent(named: tool.name), pending: tool))
        }
    }

    private mutating func compare(
        _ old: StoredTool,
        _ tool: OfferedTool,
        _ position: Int,
        _ history: [RecordedDefinition],
        _ policy: CatalogPolicy,
        _ time: Timestamp
    ) {
        let digest = tool.sha256
        let stored = old.definition.sha256
        let approved = history.isEmpty ? stored : history.last(where: \.isApproved)?.sha256
        if digest != history.last?.sha256 ?? stored {
            if history.isEmpty {
                record(old.id, old.definition, at: old.createdAt, approvedAt: old.createdAt)
            }
            record(old.id, tool, at: time, approvedAt: digest == approved ? time : nil)
            forget(history)
        }
        var new = old
        new.position = position
        new.goneAt = nil
        new.changedAt = digest == approved ? nil : old.changedAt ?? time
        let isTold = digest == approved || policy.toolChanges == .accept
        if isTold { new.definition = tool }
        // Equal texts may differ in their bytes.
        if new != old || isTold && digest != stored { updated.append(new) }
    }

    /// Keeps tools that are not offered for the time of grace, those that were offered last before others.
    private mutating func miss(_ tools: [StoredTool], _ policy: CatalogPolicy, _ time: Timestamp) {
        var withoutRoles = 0
        for tool in tools.sorted(by: { ($0.goneAt ?? time, $0.id) > ($1.goneAt ?? time, $1.id) }) {
            var gone = tool
            gone.goneAt = tool.goneAt ?? time
            if !tool.hasRoles { withoutRoles += 1 }
            if (tool.goneAt ?? time) + policy.removedToolGrace <= time || withoutRoles > Self.goneMax && !tool.hasRoles
            {
                expired.append(tool.id)
            } else if gone != tool {
                updated.append(gone)
            }
        }
    }

    private mutating func record(_ id: ToolID, _ tool: OfferedTool, at time: Timestamp, approvedAt: Timestamp?) {
        recorded.append(NewDefinition(toolID: id, definition: tool, recordedAt: time, approvedAt: approvedAt))
    }

    /// Makes room among the old definitions of the whole service: the oldest of those that nobody approved go first.
    private mutating func forgetOldest(_ history: [ToolID: [RecordedDefinition]]) {
        let (changed, gone) = (Set(recorded.map(\.toolID)), Set(forgotten))
        let old = history.flatMap { id, definitions in
            let approved = definitions.last(where: \.isApproved)?.id
            let past = definitions.dropLast(changed.contains(id) ? 0 : 1)
            return past.filter { $0.id != approved && !gone.contains($0.id) }
        }
        let oldestFirst = old.sorted { ($0.isApproved ? 1 : 0, $0.id) < ($1.isApproved ? 1 : 0, $1.id) }
        forgotten += oldestFirst.prefix(max(0, old.count - Self.oldDefinitionsMax)).map(\.id)
    }

    /// Makes room for one more; the one that is approved stays.
    private mutating func forget(_ history: [RecordedDefinition]) {
        let approved = history.last(where: \.isApproved)?.id
        let superfluous = history.count + 1 - Self.historyMax
        guard superfluous > 0 else { return }
        forgotten += history.lazy.map(\.id).filter { $0 != approved }.prefix(superfluous)
    }
}
