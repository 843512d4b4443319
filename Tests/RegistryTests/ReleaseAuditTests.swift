import DBDriver
import Registry
import TestSupport
import Testing

@Suite("The audit log of released tokens")
struct ReleaseAuditTests {
    @Test(
        "many releases at once have a row each, in chains without a break, whether it is written before or after",
        arguments: Engine.available,
        [ReleaseAudit.before, .after]
    )
    func rows(_ engine: Engine, _ audit: ReleaseAudit) async throws {
        let vault = try TokenVault(ring: .single(KeyRing.generateKey()))
        try await RegistryFixture.with(engine, vault: vault) { fixture in
            try await fixture.addService("pizza")
            let service = try ServiceName("pizza")
            let users = try (0..<20).map { try UserID("u\($0)") }
            for user in users {
                try await fixture.registry.store(
                    NewToken("token of \(user)"),
                    for: user,
                    at: service,
                    by: .administrator
                )
            }
            let registry = fixture.another(vault: vault, releaseAudit: audit)
            let told = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let access = try await registry.access(to: service, for: users[number % 20], by: .administrator)
                        guard case .token(let secret, _) = access else { return nil }
                        return secret.revealText()
                    }
                }
                var told: [String?] = []
                for try await each in group { told.append(each) }
                return told
            }
            #expect(Set(told) == Set(users.map { "token of \($0)" }) && told.count == 200)
            await registry.finishAudit()
            var filter = AuditFilter()
            filter.action = "token.release"
            var targets: [String] = []
            try await fixture.registry.auditLog(filter) { targets += $0.map(\.target) }
            #expect(targets.count == 200)
            for user in users { #expect(targets.count { $0 == "service 'pizza', user '\(user)'" } == 10) }
            let found = try await fixture.registry.verifyAuditLog()
            #expect(found.breaks.isEmpty && found.unchained == 0)
        }
    }

    @Test("releases that only the log is to tell have a line each and no row", arguments: Engine.available)
    func lines(_ engine: Engine) async throws {
        let vault = try TokenVault(ring: .single(KeyRing.generateKey()))
        try await RegistryFixture.with(engine, vault: vault) { fixture in
            try await fixture.addService("pizza")
            let (service, user) = (try ServiceName("pizza"), try UserID("u"))
            try await fixture.registry.store(NewToken("s3cret"), for: user, at: service, by: .administrator)
            let log = LogRecorder()
            let registry = fixture.another(vault: vault, releaseAudit: .log, logger: log.logger)
            for _ in 0..<3 { _ = try await registry.access(to: service, for: user, by: .administrator) }
            #expect(log.lines.count == 3)
            for line in log.lines {
                #expect(line.hasPrefix("notice audit") && line.contains("token.release"))
                #expect(line.contains("service 'pizza', user 'u'") && !line.contains("s3cret"))
            }
            var filter = AuditFilter()
            filter.action = "token.release"
            try await fixture.registry.auditLog(filter) { #expect($0.isEmpty) }
        }
    }

    @Test("a token whose row can't be written is not told, but where the row comes after", arguments: Engine.available)
    func unwritable(_ engine: Engine) async throws {
        let vault = try TokenVault(ring: .single(KeyRing.generateKey()))
        try await RegistryFixture.with(engine, vault: vault) { fixture in
            try await fixture.addService("pizza")
            let (service, user) = (try ServiceName("pizza"), try UserID("u"))
            try await fixture.registry.store(NewToken("t"), for: user, at: service, by: .administrator)
            try await fixture.database.write { try $0.execute("DROP TABLE audit_chains") }
            let before = fixture.another(vault: vault)
            await #expect(throws: RegistryError.self) {
                _ = try await before.access(to: service, for: user, by: .administrator)
            }
            let after = fixture.another(vault: vault, releaseAudit: .after)
            guard case .token = try await after.access(to: service, for: user, by: .administrator) else {
                Issue.record("no token was told")
                return
            }
            await after.finishAudit()
        }
    }
}
