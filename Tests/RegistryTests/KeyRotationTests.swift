import DBDriver
import Registry
import TestSupport
import Testing

@Suite("Rotation of keys")
struct KeyRotationTests {
    /// Two keys, and the rings that instances have in the course of a rotation.
    private struct Keys {
        let old = KeyRing.generateKey()
        let new = KeyRing.generateKey()

        func vault(_ ids: UInt32..., active: UInt32) throws -> TokenVault {
            let all: [UInt32: [UInt8]] = [3: old, 4: new]
            return TokenVault(ring: try KeyRing(active: active, keys: all.filter { ids.contains($0.key) }))
        }
    }

    /// A registry whose ring has both keys and whose database knows them, with tokens under key 3.
    private func with(
        _ engine: Engine,
        users: Int,
        _ body: (RegistryFixture, Keys) async throws -> Void
    ) async throws {
        let keys = Keys()
        let both = try keys.vault(3, 4, active: 3)
        try await RegistryFixture.with(engine, vault: both) { fixture in
            try await both.ring.verify(in: fixture.database)
            try await fixture.addService()
            for user in 0..<users { try await fixture.registry.store("\(user)", for: user) }
            let discovery = try NewToken("discovery")
            let service = try ServiceName("pizza")
            try await fixture.registry.storeDiscoveryCredential(discovery, .bearer, for: service, by: .administrator)
            _ = try await fixture.registry.createAPIKey(APIKeyName("k"), scopes: [.read], by: .administrator)
            try await body(fixture, keys)
        }
    }

    private func rows(_ fixture: RegistryFixture) async throws -> [UInt32: Int] {
        Dictionary(uniqueKeysWithValues: try await fixture.registry.keys().map { ($0.id, $0.rows) })
    }

    @Test(
        "promote, rewrap and retire lead from one key to another; each is refused before its time",
        arguments: Engine.available
    )
    func rotation(_ engine: Engine) async throws {
        try await with(engine, users: 25) { fixture, keys in
            let registry = fixture.registry
            #expect(try await rows(fixture) == [3: 27, 4: 0])
            await #expect(throws: RegistryError.self) { try await registry.retireKey(3, by: .administrator) }
            await #expect(throws: RegistryError.self) { _ = try await registry.rewrap(from: 3, by: .administrator) }
            await #expect(throws: RegistryError.self) { try await registry.promoteKey(9, by: .administrator) }
            try await registry.promoteKey(4, by: .administrator)
            // From now on every server seals with it, whatever its own ring calls the active one.
            let other = fixture.another(vault: try keys.vault(3, 4, active: 3))
            try await other.store("new", for: 24)
            #expect(try await rows(fixture) == [3: 26, 4: 1])
            await #expect(throws: RegistryError.self) { try await registry.retireKey(3, by: .administrator) }
            await #expect(throws: RegistryError.self) { try await registry.retireKey(4, by: .administrator) }

            let dry = try await registry.rewrap(from: 3, isDryRun: true, by: .administrator)
            #expect(dry.rewrapped == 26 && dry.unreadable.isEmpty)
            #expect(try await rows(fixture) == [3: 26, 4: 1], "a dry run writes nothing")
            var told: [Int] = []
            let report = try await registry.rewrap(from: 3, batch: 10, by: .administrator) { done, total in
                #expect(total == 26)
                told.append(done)
            }
            #expect(report.rewrapped == 26 && report.overtaken == 0 && report.unreadable.isEmpty)
            #expect(told == [10, 20, 24, 25, 26])
            #expect(try await rows(fixture) == [3: 0, 4: 27])
            #expect(try await registry.rewrap(from: 3, by: .administrator).rewrapped == 0)
            try await registry.retireKey(3, by: .administrator)
            #expect(try await registry.keys().map(\.state) == [.retired, .active])
            await #expect(throws: RegistryError.self) { try await registry.promoteKey(3, by: .administrator) }

            let last = fixture.another(vault: try keys.vault(4, active: 4))
            for user in 0..<24 { #expect(try await last.token(of: user) == "\(user)") }
            #expect(try await last.token(of: 24) == "new")
            #expect(try await last.keys().map(\.isInRing) == [false, true])
        }
    }

    @Test(
        "a key is not promoted while a running server lacks it, and the refusal names the server",
        arguments: Engine.available
    )
    func lacking(_ engine: Engine) async throws {
        try await with(engine, users: 0) { fixture, _ in
            let (old, new) = (
                AppInstance(name: "web-1", version: "1", schemaLevel: 1, ringIDs: [3]),
                AppInstance(name: "web-2", version: "1", schemaLevel: 1, ringIDs: [3, 4])
            )
            for instance in [old, new] { try await fixture.registry.beat(instance) }
            #expect(try await fixture.registry.keys().map(\.missingFrom) == [[], ["web-1"]])
            let error = await #expect(throws: RegistryError.self) {
                try await fixture.registry.promoteKey(4, by: .administrator)
            }
            #expect(error?.code == .conflict && error?.message.contains("lack key 4: web-1.") == true)
            try await fixture.registry.remove(old)
            try await fixture.registry.promoteKey(4, by: .administrator)
        }
    }

    @Test(
        "a server whose ring lacks a key says so with a code of its own, and touches no row",
        arguments: Engine.available
    )
    func missing(_ engine: Engine) async throws {
        try await with(engine, users: 1) { fixture, keys in
            let late = fixture.another(vault: try keys.vault(4, active: 4))
            let (early, envelope) = (
                fixture.another(vault: try keys.vault(3, active: 3)), try await fixture.envelope(of: 0)
            )
            let reading = await #expect(throws: RegistryError.self) { _ = try await late.token(of: 0) }
            #expect(reading?.code == .keyUnavailable)
            try await fixture.registry.promoteKey(4, by: .administrator)
            let writing = await #expect(throws: RegistryError.self) { try await early.store("x", for: 0) }
            #expect(writing?.code == .keyUnavailable)
            #expect(try await early.token(of: 0) == "0")
            #expect(try await fixture.envelope(of: 0) == envelope)
            let (obstacle, lacks) = try await fixture.database.read { session in
                let ring = try keys.vault(3, active: 3).ring
                return (try ring.obstacle(in: session), try keys.vault(4, active: 4).ring.missing(in: session))
            }
            #expect(obstacle == "key 4 is the active one, and this server's key ring lacks it: add it and start again")
            #expect(lacks.map(\.id) == [3] && lacks.map(\.rows) == [3])
        }
    }

    @Test(
        "a row that was tampered with is named and left as it is; the others are sealed anew",
        arguments: Engine.available
    )
    func unreadable(_ engine: Engine) async throws {
        try await with(engine, users: 3) { fixture, _ in
            var envelope = try await fixture.envelope(of: 1)
            envelope[envelope.count - 1] ^= 1
            try await fixture.database.write { [envelope] session in
                _ = try session.execute("UPDATE user_tokens SET envelope = \(envelope) WHERE user_id = \("1")")
            }
            try await fixture.registry.promoteKey(4, by: .administrator)
            let report = try await fixture.registry.rewrap(from: 3, by: .administrator)
            #expect(report.rewrapped == 4 && report.unreadable.count == 1)
            #expect(report.unreadable.first?.place.hasPrefix("user_tokens ") == true)
            #expect(report.unreadable.first?.place.hasSuffix("/1") == true)
            #expect(report.unreadable.first?.reason == "the token under key 3 was changed or belongs to something else")
            #expect(try await fixture.envelope(of: 1) == envelope)
            await #expect(throws: RegistryError.self) { try await fixture.registry.retireKey(3, by: .administrator) }
        }
    }

    @Test("tokens under a compromised key are not given out until they are stored anew", arguments: Engine.available)
    func compromised(_ engine: Engine) async throws {
        try await with(engine, users: 2) { fixture, _ in
            await #expect(throws: RegistryError.self) {
                _ = try await fixture.registry.markCompromised(3, by: .administrator)
            }
            try await fixture.registry.promoteKey(4, by: .administrator)
            try await fixture.registry.store("fresh", for: 1)
            #expect(try await fixture.registry.markCompromised(3, by: .administrator) == 1)
            let refused = await #expect(throws: RegistryError.self) { _ = try await fixture.registry.token(of: 0) }
            #expect(refused?.code == .unauthenticated)
            #expect(try await fixture.registry.token(of: 1) == "fresh")
            try await fixture.registry.store("renewed", for: 0)
            #expect(try await fixture.registry.token(of: 0) == "renewed")
        }
    }

    @Test("several rewraps at once, and tokens that are stored meanwhile, lose nothing", arguments: Engine.available)
    func concurrent(_ engine: Engine) async throws {
        let users = 40
        try await with(engine, users: users) { fixture, keys in
            try await fixture.registry.promoteKey(4, by: .administrator)
            let rings = try [keys.vault(3, 4, active: 3), keys.vault(3, 4, active: 4), keys.vault(4, 3, active: 4)]
            let instances = rings.map { fixture.another(vault: $0) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for instance in instances {
                    group.addTask {
                        let report = try await instance.rewrap(from: 3, batch: 5, by: .administrator)
                        #expect(report.unreadable.isEmpty)
                    }
                    group.addTask {
                        for user in 0..<users {
                            let token = try await instance.token(of: user)
                            #expect(token == "\(user)" || token == "new \(user)")
                        }
                    }
                }
                group.addTask {
                    for user in stride(from: 0, to: users, by: 2) {
                        try await instances[0].store("new \(user)", for: user)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await instances[0].rewrap(from: 3, by: .administrator).unreadable.isEmpty)
            #expect(try await rows(fixture) == [3: 0, 4: users + 2])
            let last = fixture.another(vault: try keys.vault(4, active: 4))
            for user in 0..<users {
                #expect(try await last.token(of: user) == (user.isMultiple(of: 2) ? "new \(user)" : "\(user)"))
            }
        }
    }
}

extension MCPRegistry {
    fileprivate func store(_ token: String, for user: Int) async throws {
        try await store(NewToken(token), for: UserID("\(user)"), at: ServiceName("pizza"), by: .administrator)
    }

    fileprivate func token(of user: Int) async throws -> String? {
        switch try await access(to: ServiceName("pizza"), for: UserID("\(user)"), by: .administrator) {
        case .open: nil
        case .token(let secret, _): secret.revealText()
        }
    }
}

extension RegistryFixture {
    fileprivate func envelope(of user: Int) async throws -> [UInt8] {
        try await database.read { session in
            let row = try session.row("SELECT envelope FROM user_tokens WHERE user_id = \("\(user)")")
            return try #require(row).get("envelope", as: [UInt8].self)
        }
    }
}
