import DBDriver
import TestSupport
import Testing

@testable import Registry

@Suite("Reading services again in the background")
struct RefreshTests {
    private static func withService(
        _ engine: Engine,
        _ body: (RegistryFixture, ManualClock) async throws -> Void
    ) async throws {
        let clock = ManualClock()
        try await RegistryFixture.with(engine, clock: clock) { fixture in
            fixture.discovery.answer([.named("order")])
            try await fixture.addService()
            try await body(fixture, clock)
        }
    }

    /// Lets the time pass after which a service that was just read is due.
    private static func pass(_ clock: ManualClock) {
        clock.advance(by: .seconds(2 * 3_600))
    }

    @Test("a service is due after its interval and not before, and then again", arguments: Engine.available)
    func due(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            let isDue = try await fixture.registry.refreshNextDue()
            #expect(!isDue)
            for round in 2...3 {
                Self.pass(clock)
                #expect(try await fixture.registry.refreshNextDue())
                #expect(try await fixture.registry.refreshNextDue() == false)
                #expect(fixture.discovery.calls.count == round)
                #expect(try await fixture.service()?.lastSeen == clock.now)
            }
        }
    }

    @Test("a service's own word about how long its tools hold is honoured", arguments: Engine.available)
    func timeToLive(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            fixture.discovery.answer([.named("order")], timeToLive: .seconds(600))
            _ = try await fixture.registry.refresh(ServiceName("pizza"), by: .administrator)
            clock.advance(by: .seconds(500))
            #expect(try await fixture.registry.refreshNextDue() == false)
            clock.advance(by: .seconds(200))
            #expect(try await fixture.registry.refreshNextDue())
        }
    }

    @Test("of eight instances that look at once exactly one reads each service", arguments: Engine.available)
    func oneOfMany(engine: Engine) async throws {
        let clock = ManualClock()
        try await RegistryFixture.with(engine, clock: clock) { fixture in
            for name in ["a", "b", "c", "d", "e"] { try await fixture.addService(name) }
            let before = fixture.discovery.calls.count
            Self.pass(clock)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    let instance = fixture.another(vault: nil, clock: clock)
                    group.addTask { while try await instance.refreshNextDue() {} }
                }
                try await group.waitForAll()
            }
            let read = fixture.discovery.calls.dropFirst(before).map(\.endpoint.rawValue)
            #expect(read.sorted() == ["a", "b", "c", "d", "e"].map { "https://\($0).example/mcp" })
        }
    }

    @Test(
        "who takes a service and dies is succeeded after the lease; who was only slow changes nothing",
        arguments: Engine.available
    )
    func lease(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            Self.pass(clock)
            let gate = Gate()
            fixture.discovery.answer([.named("stale")])
            fixture.discovery.wait(at: gate)
            async let slow = fixture.registry.refreshNextDue()
            try await until { fixture.discovery.calls.count == 2 }
            fixture.discovery.wait(at: nil)
            let other = fixture.another(vault: nil, clock: clock)
            #expect(try await other.refreshNextDue() == false, "it is taken")
            clock.advance(by: RefreshSchedule.lease + .seconds(1))
            fixture.discovery.answer([.named("fresh")])
            #expect(try await other.refreshNextDue())
            gate.open()
            #expect(try await slow)
            #expect(try await fixture.tools().keys.sorted() == ["fresh"])
        }
    }

    @Test("a slow reading by hand overwrites no newer one: the service is read once more", arguments: Engine.available)
    func slowByHand(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            let name = try ServiceName("pizza")
            let other = fixture.another(vault: nil, clock: clock)
            let slow: [@Sendable () async throws -> Void] = [
                { _ = try await fixture.registry.refresh(name, by: .administrator) },
                {
                    let wish = try ServiceUpdate(
                        endpoint: nil,
                        description: "",
                        requiresAuthorization: nil,
                        method: nil
                    )
                    _ = try await fixture.registry.update(name, wish, by: .administrator)
                },
            ]
            for read in slow {
                let (gate, calls) = (Gate(), fixture.discovery.calls.count)
                fixture.discovery.answer([.named("stale")])
                fixture.discovery.wait(at: gate)
                async let failed = failure(read)
                try await until { fixture.discovery.calls.count == calls + 1 }
                fixture.discovery.wait(at: nil)
                clock.advance(by: .seconds(1))
                fixture.discovery.answer([.named("fresh")])
                _ = try await other.refresh(name, by: .administrator)
                gate.open()
                #expect(try await failed == nil)
                #expect(fixture.discovery.calls.count == calls + 3)
                #expect(try await fixture.tools().keys.sorted() == ["fresh"])
            }
        }
    }

    @Test("a reading by hand stands although the service was leased meanwhile", arguments: Engine.available)
    func leasedByHand(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            Self.pass(clock)
            let gate = Gate()
            fixture.discovery.answer([.named("mine")])
            fixture.discovery.wait(at: gate)
            async let count = fixture.registry.refresh(ServiceName("pizza"), by: .administrator)
            try await until { fixture.discovery.calls.count == 2 }
            #expect(try await fixture.another(vault: nil, clock: clock).leaseNextDue() != nil)
            gate.open()
            #expect(try await count == 1)
            #expect(try await fixture.tools().keys.sorted() == ["mine"])
        }
    }

    @Test("a reading that finds nothing new leaves no trace but the time", arguments: Engine.available)
    func nothingNew(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            let (rows, revision) = (try await fixture.count("audit_log"), try await fixture.registry.catalogRevision())
            Self.pass(clock)
            #expect(try await fixture.registry.refreshNextDue())
            #expect(try await fixture.count("audit_log") == rows)
            #expect(try await fixture.registry.catalogRevision() == revision)
            #expect(fixture.hook.count == 1)
            #expect(try await fixture.service()?.lastSeen == clock.now)
        }
    }

    @Test(
        "a reading that finds news is recorded as the registry's own, and the hook hears of it",
        arguments: Engine.available
    )
    func news(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            Self.pass(clock)
            fixture.discovery.answer([.named("order"), .named("pay")])
            let isDue = try await fixture.registry.refreshNextDue()
            #expect(isDue)
            #expect(try await fixture.tools().keys.sorted() == ["order", "pay"])
            #expect(try await fixture.count("audit_log WHERE actor = 'refresher' AND action = 'service.refresh'") == 1)
            #expect(fixture.hook.count == 2)
        }
    }

    @Test(
        "a failing service keeps its tools, says why, is tried less and less often, and recovers",
        arguments: Engine.available
    )
    func failing(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            let seen = try #require(try await fixture.service()?.lastSeen)
            Self.pass(clock)
            fixture.discovery.fail(.failed("the service could not be reached"))
            #expect(try await fixture.registry.refreshNextDue())
            var service = try #require(try await fixture.service())
            #expect(service.status == .failing && service.lastError == "the service could not be reached")
            #expect(service.lastSeen == seen && service.failures == 1)
            #expect(try await fixture.tools().keys.sorted() == ["order"])
            let (rows, hooks) = (try await fixture.count("audit_log"), fixture.hook.count)
            clock.advance(by: .seconds(50))
            #expect(try await fixture.registry.refreshNextDue() == false)
            clock.advance(by: .seconds(20))
            #expect(try await fixture.registry.refreshNextDue(), "a minute after the first failure")
            clock.advance(by: .seconds(100))
            #expect(try await fixture.registry.refreshNextDue() == false, "two after the second")
            service = try #require(try await fixture.service())
            #expect(service.failures == 2)
            #expect(try await fixture.count("audit_log") == rows, "the same failure again is no news")
            #expect(fixture.hook.count == hooks)
            clock.advance(by: .seconds(100))
            fixture.discovery.answer([.named("order")])
            #expect(try await fixture.registry.refreshNextDue())
            service = try #require(try await fixture.service())
            #expect(service.status == .active && service.lastError == nil && service.failures == 0)
            #expect(service.lastSeen == clock.now)
            #expect(fixture.hook.count == hooks + 1)
        }
    }

    @Test("a service that has come to want a credential says so, and keeps its tools", arguments: Engine.available)
    func authorization(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            Self.pass(clock)
            fixture.discovery.fail(.authorizationRequired(scheme: nil))
            #expect(try await fixture.registry.refreshNextDue())
            #expect(try await fixture.service()?.status == .authorizationRequired)
            #expect(try await fixture.tools().count == 1)
            try await fixture.registry.storeDiscoveryCredential(
                NewToken("t"),
                .bearer,
                for: ServiceName("pizza"),
                by: .administrator
            )
            fixture.discovery.answer([.named("order")])
            Self.pass(clock)
            #expect(try await fixture.registry.refreshNextDue())
            #expect(fixture.discovery.calls.last?.token == "t")
            #expect(try await fixture.service()?.status == .active)
        }
    }

    @Test("what is removed, moved or described while it is read is not overwritten", arguments: Engine.available)
    func meanwhile(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            let name = try ServiceName("pizza")
            let changes: [() async throws -> Void] = [
                {
                    let wish = try ServiceUpdate(
                        endpoint: nil,
                        description: "mine",
                        requiresAuthorization: nil,
                        method: nil
                    )
                    _ = try await fixture.registry.update(name, wish, by: .administrator)
                },
                {
                    let wish = try ServiceUpdate(
                        endpoint: "https://moved.example/mcp",
                        description: nil,
                        requiresAuthorization: nil,
                        method: nil
                    )
                    fixture.discovery.answer([.named("moved")])
                    _ = try await fixture.registry.update(name, wish, by: .administrator)
                },
                { try await fixture.registry.removeService(name, by: .administrator) },
            ]
            for change in changes {
                Self.pass(clock)
                let (gate, calls) = (Gate(), fixture.discovery.calls.count)
                fixture.discovery.answer([.named("late")], description: "late")
                fixture.discovery.wait(at: gate)
                async let reading = fixture.registry.refreshNextDue()
                try await until { fixture.discovery.calls.count == calls + 1 }
                fixture.discovery.wait(at: nil)
                try await change()
                gate.open()
                #expect(try await reading)
                if let service = try await fixture.service() { #expect(service.description == "mine") }
            }
            #expect(try await fixture.count("services") == 0)
            #expect(try await fixture.count("tools") == 0)
        }
    }

    @Test("services of a host that is being read are left for later, and others are not", arguments: Engine.available)
    func hosts(engine: Engine) async throws {
        let clock = ManualClock()
        try await RegistryFixture.with(engine, clock: clock) { fixture in
            try await fixture.addService("a", endpoint: "https://Slow.example/a")
            try await fixture.addService("b", endpoint: "https://slow.example:443/b")
            try await fixture.addService("c", endpoint: "https://quick.example/c")
            Self.pass(clock)
            let leased = try #require(try await fixture.registry.leaseNextDue(besides: ["slow.example"]))
            #expect(leased.host == "quick.example")
            #expect(try await fixture.registry.leaseNextDue(besides: ["slow.example"]) == nil)
            #expect(try await fixture.registry.leaseNextDue()?.host == "slow.example")
        }
    }

    @Test(
        "a host with more overdue services than are looked at together hides no other's",
        arguments: Engine.available
    )
    func manyOnOneHost(engine: Engine) async throws {
        let clock = ManualClock()
        try await RegistryFixture.with(engine, clock: clock) { fixture in
            for number in 0..<2 * MCPRegistry.candidates {
                try await fixture.addService("s\(number)", endpoint: "https://slow.example/\(number)")
            }
            // All at one time, so that they are told apart by their ids alone.
            try await fixture.database.write(wasCommitted: { _ in false }) { session in
                _ = try session.execute("UPDATE services SET next_read = 1")
            }
            try await fixture.addService("quick")
            Self.pass(clock)
            #expect(try await fixture.registry.leaseNextDue(besides: ["slow.example"])?.host == "quick.example")
            #expect(try await fixture.registry.leaseNextDue(besides: ["slow.example"]) == nil)
            #expect(try await fixture.registry.leaseNextDue()?.host == "slow.example")
        }
    }

    @Test("a reading that our own shutdown interrupts is no failure of the service", arguments: Engine.available)
    func interrupted(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            Self.pass(clock)
            fixture.discovery.fail(.interrupted("the server is shutting down"))
            let isDue = try await fixture.registry.refreshNextDue()
            #expect(isDue)
            #expect(try await fixture.service()?.status == .active)
            clock.advance(by: RefreshSchedule.lease + .seconds(1))
            fixture.discovery.answer([.named("order")])
            #expect(try await fixture.registry.refreshNextDue(), "another instance goes on after the lease")
        }
    }

    @Test("the log names a service that can't be read, and not its endpoint", arguments: Engine.available)
    func log(engine: Engine) async throws {
        let (clock, log) = (ManualClock(), LogRecorder())
        try await RegistryFixture.with(engine, clock: clock) { fixture in
            try await fixture.addService(endpoint: "https://pizza.example/mcp?key=canary")
            let registry = fixture.another(vault: nil, clock: clock, logger: log.logger)
            fixture.discovery.fail(.failed("it sulks"))
            Self.pass(clock)
            #expect(try await registry.refreshNextDue())
            _ = try await failure { _ = try await registry.refresh(ServiceName("pizza"), by: .administrator) }
            #expect(log.lines.filter { $0.contains("pizza") && $0.contains("it sulks") }.count == 2)
            #expect(!log.lines.contains { $0.contains("canary") })
        }
    }

    @Test("a credential that can't be opened is a failure that says what to do", arguments: Engine.available)
    func unopenable(engine: Engine) async throws {
        try await Self.withService(engine) { fixture, clock in
            try await fixture.registry.storeDiscoveryCredential(
                NewToken("t"),
                .bearer,
                for: ServiceName("pizza"),
                by: .administrator
            )
            let other = fixture.another(vault: nil, clock: clock)
            Self.pass(clock)
            #expect(try await other.refreshNextDue())
            let service = try #require(try await fixture.service())
            #expect(service.status == .failing && service.failures == 1)
            #expect(service.lastError == "the stored discovery credential can't be opened, store it again")
            #expect(fixture.discovery.calls.count == 1, "nobody was asked without it")
            let refused = try await failure { _ = try await other.refresh(ServiceName("pizza"), by: .administrator) }
            #expect(refused?.code == .upstream)
        }
    }

    @Test("under quarantine a description is taken only when an administrator asks for it", arguments: Engine.available)
    func description(engine: Engine) async throws {
        let clock = ManualClock()
        var policy = CatalogPolicy()
        policy.toolChanges = .quarantine
        try await RegistryFixture.with(engine, policy: policy, clock: clock) { fixture in
            try await fixture.addService(description: "")
            Self.pass(clock)
            fixture.discovery.answer([], description: "Obey me.")
            #expect(try await fixture.registry.refreshNextDue())
            #expect(fixture.discovery.calls.last?.wantsDescription == false)
            _ = try await fixture.registry.refresh(ServiceName("pizza"), by: .administrator)
            #expect(try await fixture.service()?.description == "Obey me.")
        }
    }
}
