import DBDriver
import HTTPTypes
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite("Answers about the catalogue that are kept")
struct CatalogCacheTests {
    private struct Text: CatalogAnswer {
        let text: String
        var byteCount = 100
    }

    @Test(
        "an answer is built once for each revision, and never used after the catalogue has changed",
        arguments: Engine.available
    )
    func revisions(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let cache = CatalogCache<Text>(server.registry)
            let builds = Tally()
            let ask = { @Sendable () async throws(RegistryError) in
                try await cache.answer(to: .init(.services)) { () async throws(RegistryError) in
                    builds.add()
                    return Text(text: "\(try await server.registry.roles().count)")
                }.text
            }
            for _ in 0..<3 { #expect(try await ask() == "0") }
            #expect(builds.count == 1)
            for number in 1...5 {
                try await server.registry.createRole(RoleName("r\(number)"), SystemPrompt(""), by: .administrator)
                #expect(try await ask() == "\(number)")
            }
            #expect(builds.count == 6)
        }
    }

    @Test("those who ask the same at the same time share what is built; names that only look the same do not")
    func sharing() async throws {
        try await TestServer.run(.sqlite) { server in
            let cache = CatalogCache<Text>(server.registry)
            let (builds, gate) = (Tally(), Gate())
            let tasks = (0..<8).map { _ in
                Task {
                    try await cache.answer(to: .init(.toolsOfRole, of: "\u{e9}")) { () async throws(RegistryError) in
                        builds.add()
                        await gate.wait()
                        return Text(text: "composed")
                    }.text
                }
            }
            try await until { builds.count == 1 }
            let other = try await cache.answer(to: .init(.toolsOfRole, of: "e\u{301}")) { Text(text: "decomposed") }
            #expect(other.text == "decomposed")
            gate.open()
            for task in tasks { #expect(try await task.value == "composed") }
            #expect(builds.count == 1)
        }
    }

    @Test("who waits for what another began to build is not ended by the time of that other")
    func otherDeadline() async throws {
        try await TestServer.run(.sqlite) { server in
            let cache = CatalogCache<Text>(server.registry)
            let (builds, gate) = (Tally(), Gate())
            let deadline = ContinuousClock.now + .milliseconds(500)
            let first = Task {
                try await RequestDeadline.$current.withValue(deadline) {
                    try await cache.answer(to: .init(.services)) { () async throws(RegistryError) in
                        builds.add()
                        await gate.wait()
                        throw RegistryError(.unavailable, "too late")
                    }
                }
            }
            try await until { builds.count == 1 }
            let second = Task {
                try await cache.answer(to: .init(.services)) { () async throws(RegistryError) in
                    builds.add()
                    return Text(text: "in time")
                }
            }
            try await until { .now > deadline }
            gate.open()
            await #expect(throws: RegistryError.self) { _ = try await first.value }
            #expect(try await second.value.text == "in time")
            #expect(builds.count == 2)
        }
    }

    @Test("what was not used lately makes room, and what is too large is not kept")
    func bounds() async throws {
        try await TestServer.run(.sqlite) { server in
            let cache = CatalogCache<Text>(server.registry)
            let builds = Mutex<[String]>([])
            let ask = { @Sendable (name: String, size: Int) async throws(RegistryError) in
                _ = try await cache.answer(to: .init(.toolsOfRole, of: name)) { () async throws(RegistryError) in
                    builds.withLock { $0.append(name) }
                    return Text(text: name, byteCount: size)
                }
            }
            try await ask("hot", 1)
            for number in 1...CatalogCache<Text>.answersMax {
                try await ask("\(number)", 1)
                if number % 1_000 == 0 { try await ask("hot", 1) }
            }
            try await ask("1", 1)
            #expect(builds.withLock { $0.count { $0 == "1" } } == 2)
            #expect(builds.withLock { $0.count { $0 == "hot" } } == 1)
            let half = CatalogCache<Text>.byteCountMax / 2
            for _ in 0..<2 { try await ask("large", half + 1) }
            #expect(builds.withLock { $0.count { $0 == "large" } } == 2)
            for name in ["a", "b", "c", "a"] { try await ask(name, half) }
            #expect(builds.withLock { $0.count { $0 == "a" } } == 2)
        }
    }

    @Test("a failure is told and not kept")
    func failure() async throws {
        try await TestServer.run(.sqlite) { server in
            let cache = CatalogCache<Text>(server.registry)
            await #expect(throws: RegistryError.self) {
                _ = try await cache.answer(to: .init(.services)) { () async throws(RegistryError) in
                    throw RegistryError(.unavailable, "away")
                }
            }
            let answer = try await cache.answer(to: .init(.services)) { Text(text: "there") }
            #expect(answer.text == "there")
        }
    }

    @Test("lists say what they were, and an agent that has one is told so with 304", arguments: Engine.available)
    func conditionalRequests(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let first = try await server.send("GET", "/list_services")
            let tag = try #require(first.header("ETag"))
            let ifNew: HTTPFields = [.ifNoneMatch: tag]
            let known = try await server.send("GET", "/list_services", headers: ifNew)
            #expect(known.status == 304 && known.text.isEmpty)
            try await server.registry.createRole(RoleName("r"), SystemPrompt(""), by: .administrator)
            // The revision is another, what the list says is the same.
            let same = try await server.send("GET", "/list_services", headers: ifNew)
            #expect(same.status == 304)
            _ = try await server.registry.add(
                try NewService(
                    name: "pizza",
                    endpoint: "https://pizza.example/mcp",
                    description: "d",
                    requiresAuthorization: false,
                    method: ""
                ),
                by: .administrator
            )
            let changed = try await server.send("GET", "/list_services", headers: ifNew)
            #expect(changed.status == 200 && changed.header("ETag") != tag)
        }
    }
}
