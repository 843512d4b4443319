import Registry
import TestSupport
import Testing

/// Work that one of many instances does.
@Suite("Leases")
struct LeaseTests {
    @Test("of 50 holders one gets the lease, through whatever node", arguments: Engine.available)
    func race(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let results = try await ConcurrencyTests().race(fixture) { registry, _ in
                try await registry.take(Lease(of: .cleaning))
            }
            let winners = try results.map { try $0.get() }.filter { $0 }
            #expect(winners.count == 1)
        }
    }

    @Test("its holder renews it, and nobody else gets it meanwhile", arguments: Engine.available)
    func renewal(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let (mine, other) = (Lease(of: .cleaning), Lease(of: .cleaning))
            for _ in 0..<3 {
                let (isMine, isOther) = (
                    try await fixture.registry.take(mine), try await fixture.another(vault: nil).take(other)
                )
                #expect(isMine && !isOther)
            }
        }
    }

    @Test("when its holder gives it back or dies, another takes over", arguments: Engine.available)
    func takeOver(engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            let leases = (0..<3).map { _ in Lease(of: .cleaning) }
            #expect(try await fixture.registry.take(leases[0]))
            try await fixture.registry.release(leases[1])
            #expect(try await !fixture.registry.take(leases[1]), "only its holder can give it back")
            try await fixture.registry.release(leases[0])
            #expect(try await fixture.registry.take(leases[1], for: .milliseconds(300)))
            // It dies: it neither renews the lease nor gives it back.
            let start = ContinuousClock.now
            while try await !fixture.registry.take(leases[2]) { await Task.yield() }
            #expect(ContinuousClock.now - start < .seconds(30))
            #expect(try await !fixture.registry.take(leases[1]), "the one before has lost it")
        }
    }
}
