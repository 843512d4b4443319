import DBDriver
import Registry
import TestSupport
import Testing

@Suite("Credentials")
struct CredentialTests {
    @Test("a stored token comes back, and a newer one replaces it", arguments: Engine.available)
    func store(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService(method: "Basic")
            let service = try ServiceName("pizza")
            for token in ["first", "second"] {
                try await fixture.registry.store(NewToken(token), for: UserID("u"), at: service, by: .anonymous)
            }
            guard
                case .token(let secret, let method) = try await fixture.registry.access(
                    to: service,
                    for: UserID("u"),
                    by: .administrator
                )
            else {
                Issue.record("no token")
                return
            }
            #expect(secret.revealText() == "second")
            #expect(method == .basic)
            #expect(try await fixture.count("user_tokens") == 1)
            #expect(try await fixture.registry.users().map(\.id.rawValue) == ["u"], "the user is registered with it")
        }
    }

    @Test("the database holds no readable token", arguments: Engine.available)
    func encrypted(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            let token = "canary-\(engine.rawValue)"
            try await fixture.registry.store(
                NewToken(token),
                for: UserID("u"),
                at: ServiceName("pizza"),
                by: .anonymous
            )
            let envelope = try await fixture.database.read { session in
                try session.row("SELECT envelope FROM user_tokens")?.get("envelope", as: [UInt8].self)
            }
            let bytes = try #require(envelope)
            #expect(bytes.count == token.utf8.count + 78)
            #expect(!String(decoding: bytes, as: UTF8.self).contains("canary"))
        }
    }

    @Test(
        "unknown service, no authorization needed, no token: each has its own answer, and nothing is stored",
        arguments: Engine.available
    )
    func refusals(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService("open", requiresAuthorization: false)
            try await fixture.addService()
            let unknown = try await failure { _ = try await fixture.token("u", at: "nowhere") }
            #expect(unknown == RegistryError(.notFound, "Service not found"))
            #expect(try await fixture.token("u", at: "open") == nil)
            let none = try await failure { _ = try await fixture.token("u") }
            #expect(
                none
                    == RegistryError(
                        .unauthenticated,
                        "User is not authorized to use this service. Authorize please."
                    )
            )
            let nowhere = try await failure {
                try await fixture.registry.store(
                    NewToken("t"),
                    for: UserID("u"),
                    at: ServiceName("nowhere"),
                    by: .anonymous
                )
            }
            #expect(nowhere == RegistryError(.notFound, "Service with name 'nowhere' not found"))
            #expect(try await fixture.count("users") == 0)
        }
    }

    @Test(
        "the token of a removed service is not handed out for a new one of the same name",
        arguments: Engine.available
    )
    func reRegistered(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            let service = try ServiceName("pizza")
            try await fixture.registry.store(NewToken("old"), for: UserID("u"), at: service, by: .anonymous)
            try await fixture.registry.removeService(service, by: .administrator)
            try await fixture.addService(endpoint: "https://thief.example")
            #expect(try await failure { _ = try await fixture.token("u") }?.code == .unauthenticated)
        }
    }

    @Test("a look-alike user gets nobody else's token", arguments: Engine.available)
    func lookAlikes(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            try await fixture.registry.store(
                NewToken("alice's"),
                for: UserID("alice"),
                at: ServiceName("pizza"),
                by: .anonymous
            )
            for user in ["ALICE", "álice", "alicé", "alice2", "0"] {
                #expect(try await failure { _ = try await fixture.token(user) }?.code == .unauthenticated, "\(user)")
            }
            #expect(try await fixture.token("alice") == "alice's")
        }
    }

    @Test("an envelope moved to another user or service is not opened", arguments: Engine.available)
    func moved(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            try await fixture.addService("bank")
            for (user, service) in [("alice", "pizza"), ("mallory", "pizza"), ("alice", "bank")] {
                try await fixture.registry.store(
                    NewToken("\(user) \(service)"),
                    for: UserID(user),
                    at: ServiceName(service),
                    by: .anonymous
                )
            }
            try await fixture.database.write { session in
                let row = try session.row(
                    """
                    SELECT t.envelope FROM user_tokens t JOIN services s ON s.id = t.service_id
                    WHERE s.name = 'pizza' AND t.user_id = 'alice'
                    """
                )
                let stolen: [UInt8] = try row?.get("envelope") ?? []
                try session.execute("UPDATE user_tokens SET envelope = \(stolen)")
            }
            #expect(try await fixture.token("alice") == "alice pizza")
            #expect(try await failure { _ = try await fixture.token("mallory") }?.code == .internal)
            #expect(try await failure { _ = try await fixture.token("alice", at: "bank") }?.code == .internal)
        }
    }

    @Test("without a key ring tokens are unavailable and everything else works", arguments: Engine.available)
    func noRing(engine: Engine) async throws {
        try await RegistryFixture.with(engine, vault: nil) { fixture in
            try await fixture.addService()
            try await fixture.addService("open", requiresAuthorization: false)
            #expect(try await failure { _ = try await fixture.token("u") }?.code == .unavailable)
            let write = try await failure {
                try await fixture.registry.store(
                    NewToken("t"),
                    for: UserID("u"),
                    at: ServiceName("pizza"),
                    by: .anonymous
                )
            }
            #expect(write?.code == .unavailable)
            #expect(try await fixture.count("users") == 0)
            #expect(try await fixture.token("u", at: "open") == nil)
        }
    }

    @Test("an instance with another key says unavailable, and leaves the row alone", arguments: Engine.available)
    func otherRing(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService()
            try await fixture.registry.store(
                NewToken("t"),
                for: UserID("u"),
                at: ServiceName("pizza"),
                by: .anonymous
            )
            let sameID = fixture.another(vault: TokenVault(ring: try .single(KeyRing.generateKey())))
            let otherID = fixture.another(
                vault: TokenVault(ring: try KeyRing(active: 2, keys: [2: KeyRing.generateKey()]))
            )
            for registry in [sameID, otherID] {
                let error = try await failure {
                    _ = try await registry.access(to: ServiceName("pizza"), for: UserID("u"), by: .administrator)
                }
                #expect(error?.code == .keyUnavailable)
                #expect(error?.detail?.contains("pizza") == false || error?.detail?.contains("'u'") == true)
            }
            #expect(try await fixture.token("u") == "t")
        }
    }

    @Test("another key under a known id is refused, a new id is noted", arguments: Engine.available)
    func keyCheck(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let (first, second) = (KeyRing.generateKey(), KeyRing.generateKey())
            for _ in 0..<2 { try await KeyRing(active: 1, keys: [1: first]).verify(in: fixture.database) }
            let error = try await failure {
                try await KeyRing(active: 2, keys: [1: second, 2: first]).verify(in: fixture.database)
            }
            #expect(error?.code == .conflict)
            #expect(error?.message.contains("key 1 ") == true)
            #expect(try await fixture.count("encryption_keys") == 1, "nothing was noted of the refused ring")
            try await KeyRing(active: 2, keys: [1: first, 2: second]).verify(in: fixture.database)
            #expect(try await fixture.count("encryption_keys") == 2)
        }
    }

    @Test(
        "tokens that can't stand in a header are refused without being repeated",
        arguments: ["", " ", "\t\n", "a\r\nX-Evil: 1", "a\0b", String(repeating: "x", count: 16_385)]
    )
    func badTokens(text: String) throws {
        let error = #expect(throws: RegistryError.self) { try NewToken(text) }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("Evil") == false)
    }
}
