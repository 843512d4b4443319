internal import DBDriver

/// What was done, as the audit log names it.
enum AuditAction: String, SQLConvertible {
    case addService = "service.add"
    case refreshService = "service.refresh"
    case updateService = "service.update"
    case removeService = "service.remove"
    case serviceFailed = "service.failed"
    case approveToolChanges = "tool.approve_changes"
    case withdrawDefinition = "tool.withdraw_definition"
    case createRole = "role.create"
    case removeRole = "role.remove"
    case setSystemPrompt = "role.set_system_prompt"
    case attachRole = "role.attach"
    case detachRole = "role.detach"
    case registerUser = "user.register"
    case assignRole = "user.assign_role"
    case unassignRole = "user.remove_role"
    case storeToken = "token.store"
    case releaseToken = "token.release"
    case revokeToken = "token.revoke"
    case grantToken = "token.grant"
    case withdrawToken = "token.withdraw_grant"
    case storeDiscoveryCredential = "discovery_credential.store"
    case importOriginal = "import"
    case promoteKey = "key.promote"
    case rewrapKey = "key.rewrap"
    case retireKey = "key.retire"
    case compromisedKey = "key.compromised"
    case createAPIKey = "api_key.create"
    case revokeAPIKey = "api_key.revoke"

    /// Whether it changes what the lists of services, tools and roles answer.
    var changesCatalog: Bool {
        switch self {
        case .addService, .refreshService, .updateService, .removeService, .serviceFailed, .approveToolChanges,
            .withdrawDefinition, .createRole, .removeRole, .setSystemPrompt, .attachRole, .detachRole, .importOriginal:
            true
        case .registerUser, .assignRole, .unassignRole, .storeToken, .releaseToken, .revokeToken, .grantToken,
            .withdrawToken, .storeDiscoveryCredential, .createAPIKey, .revokeAPIKey, .promoteKey,
            .rewrapKey, .retireKey, .compromisedKey:
            false
        }
    }
}

/// The audit log: one row for each change, in the change's own transaction, and one for each attempt that was denied.
///
/// The operation's id is the primary key: it proves after a lost connection whether the change was committed, and keeps
/// it from being made twice.
enum AuditTable {
    /// Writes rows as the next links of a chain.
    static func insert(_ entries: [AuditEntry], in chain: String, _ session: Session) throws(DatabaseError) {
        let links = try AuditChainTable.append(entries, to: chain, session)
        var rest = zip(entries, links).map { entry, link -> SQL in
            """
            (\(entry.id), \(entry.at), \(entry.actor), \(entry.action), \(entry.target), \(entry.outcome),
            \(entry.requestID), \(link.chain), \(link.position), \(link.digest))
            """
        }[...]
        while !rest.isEmpty {
            // Few together as they are, many by powers of two: there are not too many different statements to prepare.
            let count = rest.count <= 16 ? rest.count : 1 << (Int.bitWidth - 1 - rest.count.leadingZeroBitCount)
            try session.execute(
                """
                INSERT INTO audit_log (operation_id, at, actor, action, target, outcome, request_id, chain, position, digest)
                VALUES \(joined: Array(rest.prefix(count)))
                """
            )
            rest = rest.dropFirst(count)
        }
    }

    static func contains(_ operationID: String, _ session: Session) throws(DatabaseError) -> Bool {
        try session.row("SELECT operation_id FROM audit_log WHERE operation_id = \(operationID)") != nil
    }

    /// The next rows behind one, by time.
    static func page(
        _ filter: AuditFilter,
        after last: AuditEntry?,
        limit: Int,
        _ session: Session
    ) throws(DatabaseError) -> [AuditEntry] {
        var conditions: [SQL] = ["1 = 1"]
        if let since = filter.since { conditions.append("at >= \(since)") }
        if let actor = filter.actor { conditions.append("actor = \(actor)") }
        if let action = filter.action {
            let beginning = action.hasSuffix(".*") ? String(action.dropLast()) : nil
            conditions.append(
                beginning.map { "SUBSTR(action, 1, \($0.unicodeScalars.count)) = \($0)" } ?? "action = \(action)"
            )
        }
        if let request = filter.requestID { conditions.append("request_id = \(request)") }
        if let last { conditions.append("(at > \(last.at) OR (at = \(last.at) AND operation_id > \(last.id)))") }
        var all = conditions[0]
        for condition in conditions.dropFirst() { all = "\(all) AND \(condition)" }
        let rows = try session.rows(
            """
            SELECT operation_id, at, actor, action, target, outcome, request_id FROM audit_log WHERE \(all)
            ORDER BY at, operation_id LIMIT \(limit)
            """
        )
        return try rows.map(AuditEntry.init)
    }

    /// How many rows of a chain there are up to a place.
    static func count(of chain: String, upTo end: Int64, _ session: Session) throws(DatabaseError) -> Int64 {
        let row = try session.row(
            "SELECT COUNT(*) AS n FROM audit_log WHERE chain = \(chain) AND position <= \(end)"
        )
        return try row?.get("n") ?? 0
    }

    /// The next rows of a chain behind a place, with their digests.
    static func links(
        of chain: String,
        after position: Int64,
        upTo end: Int64,
        limit: Int,
        _ session: Session
    ) throws(DatabaseError) -> [(entry: AuditEntry?, link: AuditLink)] {
        let rows = try session.rows(
            """
            SELECT operation_id, at, actor, action, target, outcome, request_id, position, digest FROM audit_log
            WHERE chain = \(chain) AND position > \(position) AND position <= \(end) ORDER BY position LIMIT \(limit)
            """
        )
        return try rows.map { row throws(DatabaseError) in
            let digest = try row.get("digest", as: String?.self) ?? ""
            // One that can't be read was not written by us.
            return (try? AuditEntry(row), AuditLink(chain: chain, position: try row.get("position"), digest: digest))
        }
    }

    /// The chains that rows name, and how many rows name none.
    static func chains(_ session: Session) throws(DatabaseError) -> (named: Set<String>, unchained: Int64) {
        let rows = try session.rows("SELECT DISTINCT chain AS chain FROM audit_log WHERE chain IS NOT NULL")
        let named = try rows.map { row throws(DatabaseError) in try row.get("chain", as: String.self) }
        let unchained = try session.row("SELECT COUNT(*) AS n FROM audit_log WHERE chain IS NULL")
        return (Set(named), try unchained?.get("n") ?? 0)
    }
}

extension AuditEntry {
    fileprivate init(_ row: Row) throws(DatabaseError) {
        self.init(
            id: try row.get("operation_id"),
            at: try row.get("at"),
            actor: try row.get("actor"),
            action: try row.get("action"),
            target: try row.get("target"),
            outcome: try row.get("outcome", as: String?.self).map(Outcome.init(rawValue:)) ?? .done,
            requestID: try row.get("request_id")
        )
    }
}
