import DBDriver
import TestSupport
import Testing

@testable import Registry

@Suite("Looking up tokens")
struct CredentialLookUpTests {
    @Test("many questions in one round trip are answered as each by itself", arguments: Engine.available)
    func together(_ engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            for name in ["a", "b"] { try await fixture.addService(name) }
            try await fixture.addService("open", requiresAuthorization: false)
            let agent = Principal(
                name: "key:agent",
                scopes: [.read, .readTokens, .writeTokens, .actForUsers],
                user: nil
            )
            for number in 0..<5 {
                let user = try UserID("u\(number)")
                let bringer = number % 2 == 0 ? agent : .administrator
                try await fixture.registry.store(NewToken("t\(number)"), for: user, at: ServiceName("a"), by: bringer)
            }
            // Services and users that are there, and that are not; names that only look alike; agents with and without a grant.
            let questions = try (0..<40).map { number in
                CredentialTable.Question(
                    service: try ServiceName(["a", "b", "A", "none", "open"][number % 5]),
                    user: try UserID(number % 7 == 6 ? "U0" : "u\(number % 7)"),
                    agent: number % 3 == 0 ? "key:other" : "key:agent"
                )
            }
            try await fixture.database.read { session in
                let single = try questions.map { try CredentialTable.find([$0], session)[0] }
                #expect(single.contains { $0?.isGranted == true && $0?.sealed != nil })
                #expect(
                    single.contains { $0?.isGranted == false && $0?.sealed != nil } && single.contains { $0 == nil }
                )
                for count in [1, 2, 3, 15, 16, 17, 32, 40] {
                    let together = try CredentialTable.find(Array(questions.prefix(count)), session)
                    #expect(together.map(Self.text) == single.prefix(count).map(Self.text), "\(count)")
                }
            }
        }
    }

    @Test("names are compared whole, however long those were that were asked for before", arguments: Engine.available)
    func lengths(_ engine: Engine) async throws {
        try await RegistryFixture.with(engine) { fixture in
            try await fixture.addService("a")
            let (service, short) = (try ServiceName("a"), try UserID("u"))
            try await fixture.registry.store(NewToken("t"), for: short, at: service, by: .administrator)
            let long = try UserID(String(repeating: "u", count: 200))
            try await fixture.database.read { session in
                for user in [short, long, short, long] {
                    let question = CredentialTable.Question(service: service, user: user, agent: "key:agent")
                    let found = try CredentialTable.find(Array(repeating: question, count: 16), session)
                    #expect(found.allSatisfy { ($0?.sealed != nil) == (user == short) })
                }
            }
        }
    }

    private static func text(_ found: CredentialTable.Found?) -> String {
        found.map {
            "\($0.serviceID) \($0.requiresAuthorization) \($0.method) \($0.sealed?.bytes ?? []) \($0.isGranted)"
        } ?? "none"
    }
}
