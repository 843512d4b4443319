import Foundation
import HTTPTypes
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("keys", .timeLimit(.minutes(10)))
struct KeysCommandTests {
    private static let users = 60

    /// The rings of a rotation, as REGISTRY_KEYRING has them.
    private struct Rings {
        let old = Data(KeyRing.generateKey())
        let new = Data(KeyRing.generateKey())

        var before: String { #"{"active":3,"keys":{"3":"\#(old.base64EncodedString())"}}"# }
        var both: String {
            #"{"active":3,"keys":{"3":"\#(old.base64EncodedString())","4":"\#(new.base64EncodedString())"}}"#
        }
        var after: String { #"{"active":4,"keys":{"4":"\#(new.base64EncodedString())"}}"# }
    }

    @Test(
        "a rotation with servers that serve, whose rewrap is killed in the middle: no wrong answer, no token lost, no key told",
        arguments: Engine.servers
    )
    func rotation(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let rings = Rings()
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            let before = ["REGISTRY_KEYRING": rings.before]
            let both = ["REGISTRY_KEYRING": rings.both]
            try await deployment.storeTokens(Self.users, rings.before)
            try await deployment.serve(settings: before) { _, _ in
                // A server with the old ring runs: whoever has both keys is told to wait.
                let early = try await deployment.run("keys", "promote", "4", settings: both)
                #expect(early.exitCode == 1 && early.errors.contains("lack key 4: "), "\(early.errors)")
            }
            try await deployment.serve(2, settings: both) { servers in
                #expect(try await deployment.run("keys", "promote", "4", settings: both).exitCode == 0)
                let over = Tally()
                let reading = Task {
                    var answers = 0
                    while over.count == 0 {
                        for (index, server) in servers.enumerated() {
                            try await server.expectToken(of: (answers + index) % Self.users)
                        }
                        answers += 1
                    }
                    return answers
                }
                try await deployment.killedRewrap(both)
                let status = try JSONValue.parse(
                    try await deployment.run("keys", "status", "--json", settings: both).output
                )
                let left = try #require(status["keys"]?.array?.first?["rows"]?.integer)
                #expect(left > 0 && left < Self.users, "it was killed in the middle: \(left)")
                let retired = try await deployment.run("keys", "retire", "3", settings: both)
                #expect(retired.exitCode == 1 && retired.errors.contains("rewrap them first"))
                let rest = try await deployment.run("keys", "rewrap", "--from", "3", settings: both)
                #expect(rest.exitCode == 0, "\(rest.errors)")
                #expect(rest.output == "\(left) rows were sealed anew, 0 were written meanwhile, 0 can't be opened\n")
                over.add()
                #expect(try await reading.value > 0)
                #expect(try await deployment.run("keys", "retire", "3", settings: both).exitCode == 0)
            }
            try await deployment.serve(settings: ["REGISTRY_KEYRING": rings.after]) { program, server in
                for user in 0..<Self.users { try await server.expectToken(of: user) }
                try await server.send("GET", "/ready").expect(#"{"status":"ready"}"#)
                for key in [rings.old, rings.new] { #expect(!program.errors.soFar.contains(key.base64EncodedString())) }
            }
        }
    }

    @Test(
        "a server whose ring lacks the active key is not ready, and one that lacks an old one says how much it can't read",
        arguments: Engine.available
    )
    func lacking(_ engine: Engine) async throws {
        try await Deployment.with(engine) { deployment in
            let rings = Rings()
            #expect(try await deployment.run("migrate", "up").exitCode == 0)
            try await deployment.storeTokens(2, rings.before)
            try await deployment.serve(settings: ["REGISTRY_KEYRING": rings.after]) { program, server in
                #expect(program.errors.soFar.contains("the key ring lacks key 3, which 2 stored rows are sealed with"))
                let answer = try await server.send("POST", "/token", #"{"service_name":"pizza","user_id":"u0"}"#)
                #expect(answer.status == 503 && answer.text.contains(#""code":"key_unavailable""#), "\(answer.text)")
            }
            let promoted = try await deployment.run("keys", "promote", "4", settings: ["REGISTRY_KEYRING": rings.both])
            #expect(promoted.exitCode == 0, "\(promoted.errors)")
            try await deployment.serve(settings: ["REGISTRY_KEYRING": rings.before]) { _, server in
                let answer = try await server.send("GET", "/ready")
                #expect(answer.status == 503 && answer.text.contains("key 4 is the active one"), "\(answer.text)")
            }
        }
    }
}

extension Deployment {
    /// A service, and a token for each of some users.
    fileprivate func storeTokens(_ users: Int, _ ring: String) async throws {
        try await withDatabase { database in
            let ring = try KeyRingSource.parse(ring, key: "REGISTRY_KEYRING")
            try await ring.verify(in: database)
            let registry = MCPRegistry(
                database: database,
                vault: TokenVault(ring: ring),
                discovery: StubDiscovery(),
                hook: CountingHook(),
                logger: quietLogger
            )
            let service = try NewService(
                name: "pizza",
                endpoint: "https://pizza.example/mcp",
                description: "Pizza.",
                requiresAuthorization: true,
                method: "Bearer"
            )
            _ = try await registry.add(service, by: .administrator)
            for user in 0..<users {
                try await registry.store(
                    NewToken("token \(user)"),
                    for: UserID("u\(user)"),
                    at: service.name,
                    by: .administrator
                )
            }
        }
    }

    /// Starts a slow rewrap, and ends it with SIGKILL when it has begun.
    fileprivate func killedRewrap(_ settings: [String: String]) async throws {
        let arguments = ["keys", "rewrap", "--from", "3", "--batch", "5", "--rate", "20"]
        try await Program.with(arguments, in: folder, self.settings.merging(settings) { $1 }) { program in
            #expect(await program.errors.text { $0.range(of: " of 60 rows") } != nil)
            program.kill()
            let ended = try await program.ended()
            #expect(ended.exitCode != 0)
        }
    }
}

extension HTTPConnection {
    fileprivate func expectToken(of user: Int) async throws {
        try await expect(
            "/token",
            #"{"service_name":"pizza","user_id":"u\#(user)"}"#,
            answers: #"{"token":"token \#(user)","method_authorization":"Bearer"}"#
        )
    }
}
