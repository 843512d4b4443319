import DBDriver
import Registry
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

    @Test("the revision rises with the catalogue and not with users and tokens", arguments: Engine.available)
    func revision(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let registry = fixture.registry
            try await fixture.addService()
            try await fixture.createRole("r")
            #expect(try await registry.catalogRevision() == 2)
            try await registry.register(UserID("u"), role: RoleName("r"), by: .administrator)
            try await registry.store(NewToken("t"), for: UserID("u"), at: ServiceName("pizza"), by: .administrator)
            #expect(try await registry.catalogRevision() == 2)
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
