import DBDriver
import Registry
import Synchronization
import TestSupport
import Testing

@Suite("Audit log and catalogue revision")
struct AuditTests {
    @Test("each change has one row that names who, what and which, and no secret", arguments: Engine.available)
    func rows(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            try await fixture.registry.store(
                NewToken("canary-token"),
                for: UserID("u"),
                at: ServiceName("pizza"),
                by: Principal(name: "agent 7", scopes: [.administer])
            )
            let rows = try await fixture.database.read { session in
                try session.rows("SELECT actor, action, target FROM audit_log ORDER BY at, operation_id").map { row in
                    [try row.get("actor", as: String.self), try row.get("action"), try row.get("target")]
                }
            }
            #expect(
                rows == [
                    ["admin", "service.add", "service 'pizza'"],
                    ["agent 7", "token.store", "service 'pizza', user 'u'"],
                ]
            )
        }
    }

    @Test("a change that fails leaves no row and no revision", arguments: Engine.available)
    func failures(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let revision = try await fixture.registry.catalogRevision()
            for _ in 0..<3 {
                _ = try await failure { try await fixture.registry.removeRole(RoleName("none"), by: .administrator) }
            }
            #expect(try await fixture.count("audit_log") == 0)
            #expect(try await fixture.registry.catalogRevision() == revision)
        }
    }

    @Test(
        "what a caller may not do leaves a row that says so, and the request it came with",
        arguments: Engine.available
    )
    func denied(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            let (user, pizza) = (try UserID("u"), try ServiceName("pizza"))
            try await fixture.registry.store(NewToken("canary-token"), for: user, at: pizza, by: .administrator)
            let reader = Principal(name: "key:reader", scopes: [.readTokens, .writeTokens, .actForUsers])
            let stranger = Principal(name: "key:stranger", scopes: [.readTokens, .writeTokens], user: try UserID("v"))
            try await RequestIdentifier.$current.withValue("request-7") {
                for caller in [reader, stranger] {
                    let error = try await failure {
                        _ = try await fixture.registry.access(to: pizza, for: user, by: caller)
                    }
                    #expect(error?.code == .forbidden)
                }
                let error = try await failure {
                    try await fixture.registry.revokeToken(of: user, at: pizza, by: stranger)
                }
                #expect(error?.code == .forbidden)
            }
            var filter = AuditFilter()
            filter.action = "token.*"
            let rows = try await fixture.audit(filter)
            let expected = [
                ["admin", "token.store", "done", "-"], ["key:reader", "token.release", "denied", "request-7"],
                ["key:stranger", "token.release", "denied", "request-7"],
                ["key:stranger", "token.revoke", "denied", "request-7"],
            ]
            #expect(rows.map { [$0.actor, $0.action, $0.outcome.rawValue, $0.requestID ?? "-"] } == expected)
            #expect(rows.allSatisfy { !$0.target.contains("canary") })
            filter.actor = "key:reader"
            #expect(try await fixture.audit(filter) == [rows[1]])
            filter.since = rows[1].at + .seconds(1)
            #expect(try await fixture.audit(filter).isEmpty)
        }
    }

    /// What somebody does to the log who can write into the database.
    private static let forgeries: [(name: String, sql: SQL, problem: String)] = [
        ("a row removed", "DELETE FROM audit_log WHERE position = 3", "is missing"),
        ("the last row removed", "DELETE FROM audit_log WHERE target LIKE '%last%'", "is missing"),
        ("an actor changed", "UPDATE audit_log SET actor = 'x' WHERE position = 2", "was changed"),
        ("a target changed", "UPDATE audit_log SET target = 'x' WHERE position = 2", "was changed"),
        ("an outcome changed", "UPDATE audit_log SET outcome = 'denied' WHERE position = 2", "was changed"),
        ("a request named", "UPDATE audit_log SET request_id = 'r' WHERE position = 2", "was changed"),
        ("a time changed", "UPDATE audit_log SET at = at + 1 WHERE position = 2", "was changed"),
        ("a digest removed", "UPDATE audit_log SET digest = NULL WHERE position = 2", "was changed"),
        ("an outcome made up", "UPDATE audit_log SET outcome = 'x' WHERE position = 2", "was changed"),
        (
            "a row added",
            """
            INSERT INTO audit_log (operation_id, at, actor, action, target, outcome, chain, position, digest)
            SELECT 'forged', at, 'x', action, target, outcome, chain, position, digest FROM audit_log WHERE target LIKE '%last%'
            """, "has rows that are there twice"
        ),
        ("heads removed", "DELETE FROM audit_chains", "its head is missing"),
        ("a head changed", "UPDATE audit_chains SET digest = id", "is not the one that the chain's head names"),
    ]

    @Test("a row that was changed or removed breaks its chain", arguments: Engine.available, forgeries)
    func chains(engine: Engine, forgery: (name: String, sql: SQL, problem: String)) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 { group.addTask { try await fixture.createRole("role-\(number)") } }
                try await group.waitForAll()
            }
            try await fixture.createRole("last")
            let before = try await fixture.registry.verifyAuditLog()
            #expect(before.breaks.isEmpty && before.rows == 41 && before.unchained == 0, "\(before.breaks)")
            #expect((1...4).contains(before.chains))
            _ = try await fixture.database.write(wasCommitted: { _ in false }) { try $0.execute(forgery.sql) }
            let after = try await fixture.registry.verifyAuditLog()
            #expect(
                !after.breaks.isEmpty && after.breaks.allSatisfy { $0.problem == forgery.problem },
                "\(after.breaks)"
            )
        }
    }

    @Test("rows from before there were chains are counted, and break none", arguments: Engine.available)
    func unchained(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.createRole("r")
            _ = try await fixture.database.write(wasCommitted: { _ in false }) { session in
                try session.execute(
                    """
                    INSERT INTO audit_log (operation_id, at, actor, action, target) VALUES ('old', 1, 'admin', 'role.create', 'r')
                    """
                )
            }
            let found = try await fixture.registry.verifyAuditLog()
            #expect(found.breaks.isEmpty && found.rows == 1 && found.unchained == 1)
            #expect(try await fixture.audit(AuditFilter()).map(\.outcome) == [.done, .done])
        }
    }

    @Test("the revision rises with the catalogue and not with users and tokens", arguments: Engine.available)
    func revision(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let registry = fixture.registry
            try await fixture.addService()
            let first = try await registry.catalogRevision()
            try await fixture.createRole("r")
            let revision = try await registry.catalogRevision()
            #expect(0 < first && first < revision)
            try await registry.register(UserID("u"), role: RoleName("r"), by: .administrator)
            try await registry.store(NewToken("t"), for: UserID("u"), at: ServiceName("pizza"), by: .administrator)
            #expect(try await registry.catalogRevision() == revision)
        }
    }

    @Test("rows carry the time of their change, not of the program's start", arguments: Engine.available)
    func times(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let before = Timestamp.now()
            try await fixture.createRole("a")
            let between = Timestamp.now()
            try await fixture.createRole("b")
            let times = try await fixture.database.read { session in
                try session.rows("SELECT created_at FROM roles ORDER BY name").map {
                    try $0.get("created_at", as: Timestamp.self)
                }
            }
            #expect(before <= times[0] && times[0] <= between && between <= times[1])
        }
    }
}

extension RegistryFixture {
    fileprivate func audit(_ filter: AuditFilter) async throws -> [AuditEntry] {
        let rows = Mutex<[AuditEntry]>([])
        try await registry.auditLog(filter) { page in rows.withLock { $0 += page } }
        return rows.withLock { $0 }
    }
}
