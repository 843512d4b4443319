import TestSupport
import Testing

@testable import DBDriver
@testable import Registry

/// Each statement of the registry, and how the engine finds its rows in tables that are not small.
@Suite("Plans of statements")
struct StatementPlanTests {
    @Test(
        "every statement finds its rows by an index, but for those that tell whole lists",
        arguments: Engine.available
    )
    func indexes(_ engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.database.write { try Rows.load($0) }
            if engine.dialect == .mysql {
                try await fixture.database.write { session in
                    for table in Rows.tables { _ = try session.rows(SQL(trustedText: "ANALYZE TABLE \(table)")) }
                }
            }
            let scans = try await fixture.database.write { session in
                let planner = Planner(session.engine)
                try Self.runAll(Session(planner), planner)
                return planner.scans
            }
            #expect(scans.isEmpty, "\(scans.joined(separator: "\n"))")
        }
    }

    @Test("a statement without an index is noticed", arguments: Engine.available)
    func proof(_ engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.database.write { try Rows.load($0) }
            let scans = try await fixture.database.write { session in
                let planner = Planner(session.engine)
                _ = try Session(planner).rows("SELECT id FROM tools WHERE description = \("x")")
                return planner.scans
            }
            #expect(scans.count == 1)
        }
    }

    /// Calls whatever runs a statement.
    private static func runAll(_ session: Session, _ planner: Planner) throws {
        try access(session, planner)
        try audit(session, planner)
        try credentials(session)
        try keys(session, planner)
        try leasesAndInstances(session, planner)
        try roles(session, planner)
        try services(session, planner)
        try tools(session, planner)
        try imports(session)
        try deletions(session)
    }

    private static let now = Timestamp.now()
    private static let user = UserID(trusted: "user-7")
    private static let role = RoleName(trusted: "role-7")
    private static let service = ServiceName(trusted: "service-7")
    private static let serviceID = Rows.id(7)
    private static let sealed = SealedToken(keyID: 1, bytes: [1, 2, 3])

    private static func access(_ session: Session, _ planner: Planner) throws {
        let key = APIKey(
            id: "aaaaaaaaaaaaaaaa",
            name: "new",
            scopes: [.read],
            user: nil,
            createdAt: now,
            createdBy: "admin",
            expiresAt: nil
        )
        try APIKeyTable.insert(key, hash: [UInt8](repeating: 1, count: 32), session)
        try planner.tellingAll { _ = try APIKeyTable.all(session) }
        _ = try APIKeyTable.find(APIKeyName(trusted: "new"), session)
        _ = try APIKeyTable.find(id: key.id, session)
        _ = try APIKeyTable.revoke(APIKeyName(trusted: "new"), at: now, session)
        try APIKeyTable.noteUse(of: key.id, at: now, session)
        try ServerSecretTable.insertUnlessThere(.apiKeys, sealed, at: now, session)
        _ = try ServerSecretTable.find(.apiKeys, session)
        let request = IdempotentRequest(id: Rows.digest(1), requestDigest: Rows.digest(2), earlier: nil)
        _ = try? IdempotencyTable.outcome(of: request.id, asking: request.requestDigest, session)
        let fresh = IdempotentRequest(id: Rows.digest(99_999), requestDigest: Rows.digest(2), earlier: nil)
        try IdempotencyTable.claim(fresh, session)
        try IdempotencyTable.keep("{}", of: fresh, session)
        try IdempotencyTable.keep(RegistryError(.notFound, "no"), of: fresh, session)
        _ = try IdempotencyTable.forgetOld(limit: 10, session)
    }

    private static func audit(_ session: Session, _ planner: Planner) throws {
        let entry = AuditEntry(
            id: UUID.version7(at: now),
            at: now,
            actor: "admin",
            action: "token.release",
            target: "t",
            outcome: .done,
            requestID: "r"
        )
        try AuditTable.insert([entry], in: "chain-1", session)
        _ = try AuditTable.contains(entry.id, session)
        var filter = AuditFilter()
        filter.since = now
        _ = try AuditTable.page(filter, after: nil, limit: 10, session)
        _ = try AuditTable.page(filter, after: entry, limit: 10, session)
        filter.requestID = "r"
        _ = try AuditTable.page(filter, after: nil, limit: 10, session)
        _ = try AuditTable.count(of: "chain-1", upTo: 5, session)
        _ = try AuditTable.links(of: "chain-1", after: 1, upTo: 5, limit: 10, session)
        try planner.tellingAll {
            _ = try AuditTable.chains(session)
            _ = try AuditChainTable.heads(session)
        }
        try CatalogRevision.raise(session)
        _ = try CatalogRevision.current(session)
    }

    private static func credentials(_ session: Session) throws {
        let question = CredentialTable.Question(service: service, user: user, agent: "key:agent")
        for count in [1, 2, 16] { _ = try CredentialTable.find(Array(repeating: question, count: count), session) }
        _ = try CredentialTable.all(of: user, session)
        _ = try CredentialTable.hold(serviceID: serviceID, user, session)
        try CredentialTable.store(sealed, serviceID: serviceID, user, expiresAt: nil, at: now, session)
        try CredentialTable.insert([(serviceID, user, sealed)], at: now, session)
        try CredentialTable.storeDiscovery(sealed, .bearer, serviceID: serviceID, at: now, session)
        _ = try CredentialTable.findDiscovery(serviceID: serviceID, session)
        _ = try CredentialTable.expire(sealedWith: 77, at: now, session)
        try GrantTable.insert(serviceID: serviceID, user, agent: "a", by: .administrator, at: now, session)
        try GrantTable.deleteSelfMade(serviceID: serviceID, user, session)
        _ = try GrantTable.delete(serviceID: serviceID, user, agent: "a", session)
    }

    private static func keys(_ session: Session, _ planner: Planner) throws {
        try KeyTable.insertUnlessKnown(77, [1], at: now, session)
        _ = try KeyTable.checkValue(of: 77, session)
        _ = try KeyTable.lock(77, session)
        try KeyTable.set(.known, of: 77, session)
        // A handful of rows.
        try planner.tellingAll {
            _ = try KeyTable.all(session)
            _ = try KeyTable.active(session)
            try KeyTable.unsetActive(session)
            _ = try SealedTable.keys(session)
        }
        for table in SealedTable.allCases {
            _ = try table.count(sealedWith: 77, session)
            let key = table == .userTokens ? [serviceID, user.rawValue] : [serviceID]
            _ = try table.rows(sealedWith: 77, behind: nil, limit: 10, session)
            _ = try table.rows(sealedWith: 77, behind: key, limit: 10, session)
            _ = try table.replace(.init(key: key, sealed: sealed, revision: 1), by: sealed, session)
        }
    }

    private static func leasesAndInstances(_ session: Session, _ planner: Planner) throws {
        let lease = Lease(of: .cleaning)
        _ = try LeaseTable.take(lease, for: .seconds(30), session)
        try LeaseTable.release(lease, session)
        let instance = AppInstance(name: "n", version: "1", schemaLevel: 1, ringIDs: [1])
        try AppInstanceTable.beat(instance, session)
        _ = try AppInstanceTable.forgetOld(session)
        try AppInstanceTable.remove(instance, session)
        // As many rows as there are servers.
        try planner.tellingAll {
            _ = try AppInstanceTable.rings(session)
            _ = try AppInstanceTable.alive(below: 9, session)
        }
    }

    private static func roles(_ session: Session, _ planner: Planner) throws {
        try planner.tellingAll {
            _ = try RoleTable.all(session)
            _ = try UserTable.all(session)
        }
        _ = try RoleTable.find(role, session)
        _ = try RoleTable.hold(role, session)
        try RoleTable.insert(RoleName(trusted: "new"), SystemPrompt(""), at: now, session)
        _ = try RoleTable.setPrompt(SystemPrompt(""), of: role, at: now, session)
        try RoleTable.attach(role, to: ToolID(rawValue: 7), at: now, session)
        try RoleTable.detach(role, from: ToolID(rawValue: 7), session)
        _ = try UserTable.page(after: nil, limit: 10, session)
        _ = try UserTable.page(after: user, limit: 10, session)
        _ = try UserTable.find(user, session)
        _ = try UserTable.find((0..<32).map { UserID(trusted: "user-\($0)") }, session)
        try UserTable.insert(UserID(trusted: "new"), at: now, session)
        _ = try UserTable.setRole(role, of: user, at: now, session)
        _ = try UserTable.unsetRole(role, of: user, at: now, session)
    }

    private static func services(_ session: Session, _ planner: Planner) throws {
        try planner.tellingAll { _ = try ServiceTable.all(session) }
        _ = try ServiceTable.page(after: nil, limit: 10, session)
        _ = try ServiceTable.page(after: service, limit: 10, session)
        _ = try ServiceTable.find(service, session)
        let found = try #require(try ServiceTable.lock(service, session))
        _ = try ServiceTable.hold(service, session)
        _ = try ServiceTable.all(named: [service], orAt: [found.endpoint], session)
        _ = try ServiceTable.hasEndpoint(found.endpoint, session)
        _ = try ServiceTable.due(at: now, besides: [], limit: 10, session)
        try ServiceTable.update(found, at: now, session)
    }

    private static func tools(_ session: Session, _ planner: Planner) throws {
        let (id, policy) = (ToolID(rawValue: 7), CatalogPolicy())
        _ = try ToolTable.all(of: service, session)
        _ = try ToolTable.all(of: Array(repeating: service, count: 8), session)
        _ = try ToolTable.usable(by: role, policy, session)
        _ = try ToolTable.page(usableBy: role, policy, after: nil, limit: 10, session)
        _ = try ToolTable.page(usableBy: role, policy, after: id, limit: 10, session)
        // Words within texts have no index.
        try planner.tellingAll { _ = try ToolTable.find(["pizza"], usableBy: role, policy, limit: 10, session) }
        _ = try ToolTable.changed(of: nil, session)
        _ = try ToolTable.changed(of: service, named: "tool-1", session)
        _ = try ToolTable.changed(id, session)
        _ = try ToolTable.changedIDs(session)
        _ = try ToolTable.isOffered("tool-1", by: service, session)
        _ = try ToolTable.exists(id, evenIfGone: false, session)
        _ = try ToolTable.stored(of: serviceID, session)
        _ = try DefinitionTable.digests(of: serviceID, session)
        let definition = OfferedTool(name: "new", description: "d", inputSchema: "{}")
        let addition = ToolReconciliation.Addition(position: 99, definition: definition, pending: definition)
        try ToolTable.insert([addition], of: serviceID, at: now, session)
        let tool = try #require(try ToolTable.all(of: service, session).last)
        let change = try #require(try DefinitionTable.change(of: tool, session))
        try DefinitionTable.approve(change.history[0].id, by: .administrator, at: now, session)
        try DefinitionTable.delete(change.history[0].id, session)
        try ToolTable.tell(definition, of: tool.id, isApproved: true, at: now, session)
    }

    private static func imports(_ session: Session) throws {
        _ = try ImportTable.tools(of: [serviceID], session)
        _ = try ImportTable.services([service], session)
        _ = try ImportTable.toolIDs(of: [service], named: ["tool-1"], session)
        _ = try ImportTable.links(of: [ToolID(rawValue: 7)], session)
        _ = try ImportTable.roles([role], session)
        _ = try ImportTable.prompts(of: [role], session)
        _ = try ImportTable.users([user], session)
        _ = try ImportTable.tokens(of: [serviceID], [user], session)
        try ImportTable.insertLinks([(ToolID(rawValue: 8), role)], at: now, session)
        try ImportTable.insertUsers([(UserID(trusted: "imported"), role)], at: now, session)
    }

    private static func deletions(_ session: Session) throws {
        _ = try CredentialTable.delete(serviceID: serviceID, user, session)
        _ = try CredentialTable.deleteAll(serviceID: serviceID, session)
        _ = try ServiceTable.delete(service, session)
        _ = try RoleTable.delete(role, session)
    }
}

/// Runs statements on another session after it has asked how their rows will be found.
private final class Planner: EngineSession {
    private let engine: any EngineSession
    private var isWholeListWanted = false
    /// The statements that look at all rows of a table, and the plans that say so.
    private(set) var scans: [String] = []

    init(_ engine: any EngineSession) {
        self.engine = engine
    }

    /// Runs what tells a whole list, or one that is short however much there is.
    func tellingAll(_ body: () throws -> Void) rethrows {
        isWholeListWanted = true
        defer { isWholeListWanted = false }
        try body()
    }

    var dialect: Dialect { engine.dialect }
    var interrupter: Interrupter { engine.interrupter }
    var isInTransaction: Bool { engine.isInTransaction }

    func run(_ sql: SQL, rowLimit: Int) throws(DatabaseError) -> SQLResult {
        let first = sql.text.prefix { $0 != " " && $0 != "\n" }
        if !isWholeListWanted, ["SELECT", "UPDATE", "DELETE"].contains(first) {
            let words: SQL = dialect == .sqlite ? "EXPLAIN QUERY PLAN" : "EXPLAIN FORMAT=TRADITIONAL"
            for row in try engine.run("\(words) \(sql)", rowLimit: 100).rows {
                if let plan = try scan(row) { scans.append("\(plan): \(sql.text)") }
            }
        }
        return try engine.run(sql, rowLimit: rowLimit)
    }

    private func scan(_ row: Row) throws(DatabaseError) -> String? {
        guard dialect == .sqlite else {
            let table = try row.get("table", as: String?.self) ?? "?"
            // One that is made of the statement's own values has no index, and needs none.
            guard try row.get("type", as: String?.self) == "ALL", !table.hasPrefix("<derived") else { return nil }
            return "all rows of \(table)"
        }
        let detail = try row.get("detail", as: String.self)
        let isScan = detail.hasPrefix("SCAN ") && !detail.contains(" USING ") && !detail.contains("CONSTANT ROW")
        return isScan && !detail.contains("SUBQUERY") && detail != "SCAN q" ? detail : nil
    }

    func runText(_ text: String) throws(DatabaseError) -> Int { try engine.runText(text) }
    func ping() throws(DatabaseError) { try engine.ping() }
    func close() {}
}

/// Enough rows that an engine does not find it cheaper to read a table from end to end.
private enum Rows {
    static let tables = [
        "services", "tools", "roles", "tool_roles", "users", "user_tokens", "token_grants", "discovery_credentials",
        "api_keys", "audit_log", "idempotency_keys", "tool_definitions",
    ]

    static func id(_ number: Int) -> String {
        let digits = String(number)
        return "00000000-0000-7000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }

    static func digest(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    static func load(_ session: Session) throws {
        let time = Timestamp.now()
        try insert(3_000, session) { number in
            let digest = [UInt8](repeating: 0, count: 30) + [UInt8(number >> 8), UInt8(number & 255)]
            return """
                (\(id(number)), \("service-\(number)"), \("https://s\(number).example/mcp"), \(digest), \("d"), \(true),
                \("Bearer"), \("active"), \(time), \(time), \(time))
                """
        } statement: {
            """
            INSERT INTO services (id, name, endpoint, endpoint_sha256, description, requires_authorization,
            method_authorization, status, created_at, updated_at, next_read) VALUES \(joined: $0)
            """
        }
        try insert(5_000, session) { number in
            """
            (\(number + 1), \(id(number / 10)), \("tool-\(number % 10)"), \("d"), \("{}"), \("tool"), \(number % 10), \(time),
            \(time))
            """
        } statement: {
            """
            INSERT INTO tools (id, service_id, name, description, input_schema, search_text, position, created_at, updated_at)
            VALUES \(joined: $0)
            """
        }
        try insert(500, session) { number in
            "(\("role-\(number)"), \(""), \(time), \(time))"
        } statement: {
            "INSERT INTO roles (name, default_system_prompt, created_at, updated_at) VALUES \(joined: $0)"
        }
        try insert(5_000, session) { number in
            "(\(number + 1), \("role-\(number % 500)"), \(time))"
        } statement: {
            "INSERT INTO tool_roles (tool_id, role_name, created_at) VALUES \(joined: $0)"
        }
        try insert(5_000, session) { number in
            "(\("user-\(number)"), \("role-\(number % 500)"), \(time), \(time))"
        } statement: {
            "INSERT INTO users (user_id, role_name, created_at, updated_at) VALUES \(joined: $0)"
        }
        try insert(5_000, session) { number in
            "(\(id(number % 500)), \("user-\(number)"), \(number % 50), \([1, 2] as [UInt8]), \(1), \(time), \(time))"
        } statement: {
            """
            INSERT INTO user_tokens (service_id, user_id, key_id, envelope, rev, created_at, updated_at) VALUES \(joined: $0)
            """
        }
        try insert(5_000, session) { number in
            "(\(id(number % 500)), \("user-\(number)"), \("key:agent"), \("admin"), \(time))"
        } statement: {
            "INSERT INTO token_grants (service_id, user_id, agent, granted_by, created_at) VALUES \(joined: $0)"
        }
        try insert(500, session) { number in
            "(\(id(number)), \("Bearer"), \(number % 50), \([1, 2] as [UInt8]), \(1), \(time), \(time))"
        } statement: {
            """
            INSERT INTO discovery_credentials (service_id, method_authorization, key_id, envelope, rev, created_at, updated_at)
            VALUES \(joined: $0)
            """
        }
        try loadLogs(session, time)
    }

    private static func loadLogs(_ session: Session, _ time: Timestamp) throws {
        try insert(5_000, session) { number in
            """
            (\(id(number)), \(time + .microseconds(-number)), \("a"), \("b"), \("c"), \("done"), \("r\(number)"),
            \("chain-\(number % 100)"), \(number / 100), \(digest(number)))
            """
        } statement: {
            """
            INSERT INTO audit_log (operation_id, at, actor, action, target, outcome, request_id, chain, position, digest)
            VALUES \(joined: $0)
            """
        }
        try insert(5_000, session) { number in
            "(\(digest(number)), \(digest(number)), \("{}"), \(time))"
        } statement: {
            "INSERT INTO idempotency_keys (id, request_sha256, answer, created_at) VALUES \(joined: $0)"
        }
        try insert(5_000, session) { number in
            "(\(number + 1), \([UInt8](repeating: 1, count: 32)), \("d"), \("{}"), \(time), \(time))"
        } statement: {
            """
            INSERT INTO tool_definitions (tool_id, sha256, description, input_schema, recorded_at, approved_at)
            VALUES \(joined: $0)
            """
        }
        try insert(1_000, session) { number in
            "(\("\(id(number).suffix(16))"), \("k\(number)"), \([1] as [UInt8]), \("registry:read"), \(time), \("admin"))"
        } statement: {
            "INSERT INTO api_keys (id, name, secret_hash, scopes, created_at, created_by) VALUES \(joined: $0)"
        }
    }

    private static func insert(
        _ count: Int,
        _ session: Session,
        _ row: (Int) -> SQL,
        statement: ([SQL]) -> SQL
    ) throws {
        for start in stride(from: 0, to: count, by: 500) {
            try session.execute(statement((start..<min(start + 500, count)).map(row)))
        }
    }
}
