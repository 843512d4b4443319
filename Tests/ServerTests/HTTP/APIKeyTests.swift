import DBDriver
import Registry
import TestSupport
import Testing

@testable import Server

@Suite("API keys")
struct APIKeyTests {
    private static let options = TestServer.Options(adminToken: Deployment.adminToken)

    @Test("a key that is altered, expired or revoked is refused like any wrong token", arguments: Engine.available)
    func refused(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            let good = try await server.withKey("good", [.administer])
            #expect(try await good.send("GET", "/list_users").status == 200)
            let (key, other) = (good.token, try await server.withKey("other", [.administer]).token)
            let short = try await server.registry.createAPIKey(
                APIKeyName("short"),
                scopes: [.administer],
                expiresAt: .now() + .milliseconds(300),
                by: .administrator
            )
            let expiring = CallerWithToken(caller: server, token: try #require(short.text.revealText()))
            while try await expiring.send("GET", "/list_users").status == 200 {}
            let revoked = try await server.withKey("revoked", [.administer])
            #expect(try await revoked.send("GET", "/list_users").status == 200)
            try await server.registry.revokeAPIKey(APIKeyName("revoked"), by: .administrator)
            let separator = try #require(key.lastIndex(of: "_"))
            let last: Character = key.last == "a" ? "b" : "a"
            let wrong = [
                expiring.token, revoked.token, "\(key.dropLast())\(last)", key + "a", "\(key.dropLast())",
                key.uppercased(),
                // One key's id with another's secret.
                "\(key[..<separator])" + other[(try #require(other.lastIndex(of: "_")))...],
                "mcpr_", "mcpr__", "mcpr_a_b", key.replacing("mcpr_", with: "mcpx_"),
                "mcpr_aaaaaaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            ]
            for token in wrong {
                let answer = try await CallerWithToken(caller: server, token: token).send("GET", "/list_users")
                answer.expectProblem(401, "the access token is not valid")
                #expect(answer.header("WWW-Authenticate")?.hasPrefix(#"Bearer error="invalid_token""#) == true)
            }
            #expect(try await good.send("GET", "/list_users").status == 200)
        }
    }

    @Test("without its key ring a server can't tell a key, and says so with 503; wrong tokens stay 401")
    func withoutRing() async throws {
        var options = Self.options
        options.hasKeyRing = false
        try await TestServer.run(.sqlite, options) { server in
            let key = "mcpr_aaaaaaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            let answer = try await CallerWithToken(caller: server, token: key).send("GET", "/list_users")
            #expect(answer.status == 503)
            #expect(try await CallerWithToken(caller: server, token: "x").send("GET", "/list_users").status == 401)
            #expect(try await server.asAdministrator.send("GET", "/list_users").status == 200)
        }
    }

    @Test("no key is stored, only what can't be turned back into one", arguments: Engine.available)
    func stored(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            let key = try await server.withKey("k", [.read]).token
            let secret = try #require(key.split(separator: "_").last).description
            let (hash, scopes) = try await server.database.read { session in
                let row = try #require(try session.row("SELECT secret_hash, scopes FROM api_keys"))
                return (try row.get("secret_hash", as: [UInt8].self), try row.get("scopes", as: String.self))
            }
            #expect(hash.count == 32 && scopes == "registry:read")
            #expect(!String(decoding: hash, as: UTF8.self).contains(secret))
            let targets = try await server.database.read { session in
                try session.rows("SELECT target FROM audit_log").map { try $0.get("target", as: String.self) }
            }
            #expect(targets == ["key 'k', scopes registry:read"])
        }
    }

    @Test("a name is given once: nobody inherits what another owned", arguments: Engine.available)
    func names(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            _ = try await server.withKey("k", [.read])
            await #expect(throws: RegistryError.self) { try await server.withKey("k", [.administer]) }
            try await server.registry.revokeAPIKey(APIKeyName("k"), by: .administrator)
            await #expect(throws: RegistryError.self) { try await server.withKey("k", [.administer]) }
            await #expect(throws: RegistryError.self) {
                try await server.registry.revokeAPIKey(APIKeyName("k"), by: .administrator)
            }
            await #expect(throws: RegistryError.self) {
                try await server.registry.revokeAPIKey(APIKeyName("never"), by: .administrator)
            }
            #expect(try await server.registry.apiKeys().map(\.scopes) == [[.read]])
        }
    }
}
