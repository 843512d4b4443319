import Crypto
import Foundation
import Logging
import MCP
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite("Identity provider")
struct IdentityProviderTests {
    private static let audience = "https://registry.example/mcp"
    private static let now: Int64 = 2_000_000_000

    /// A provider over a local issuer, with clocks that are set by hand.
    private struct Bench: Sendable {
        let issuer: LocalIssuer
        let origin: String
        let key: LocalIssuer.Key
        let provider: IdentityProvider
        let time: Mutex<ContinuousClock.Instant>.Shared

        func pass(_ duration: Duration) { time.value.withLock { $0 += duration } }

        func claims(_ changes: JSONObject = [:]) -> JSONObject {
            var claims: JSONObject = [
                "iss": .string(origin), "sub": "alice", "aud": .string(audience), "exp": .integer(now + 300),
                "iat": .integer(now), "scope": "openid registry:read tokens:read",
            ]
            for member in changes.members { claims[member.key] = member.value.isNull ? nil : member.value }
            return claims
        }

        /// What a token is refused with; nil when it is accepted, "unavailable" when the keys can't be had.
        func refusal(_ token: String) async -> String? {
            do throws(IdentityProvider.Refusal) {
                _ = try await provider.principal(token)
                return nil
            } catch {
                switch error {
                case .invalid(let reason): return reason
                case .unavailable: return "unavailable"
                }
            }
        }
    }

    private static func with(
        _ configure: @escaping @Sendable (inout IdentityProviderSettings) -> Void = { _ in },
        _ body: @escaping @Sendable (Bench) async throws -> Void
    ) async throws {
        let issuer = LocalIssuer()
        let key = LocalIssuer.Key(id: "one")
        try await LocalService.run({ _, request in issuer.respond(to: request) }) { service in
            issuer.begin(at: service.origin, [key.json])
            var settings = IdentityProviderSettings(
                issuer: service.origin,
                audiences: [audience],
                publicURL: "https://registry.example"
            )
            configure(&settings)
            let time = Mutex<ContinuousClock.Instant>.Shared(.now)
            let provider = IdentityProvider(
                settings,
                client: service.client,
                logger: quietLogger,
                now: { time.value.withLock { $0 } },
                seconds: { now }
            )
            try await body(Bench(issuer: issuer, origin: service.origin, key: key, provider: provider, time: time))
        }
    }

    @Test("a right token tells subject, scopes and user; scopes that are not ours are left out")
    func right() async throws {
        try await Self.with { bench in
            let principal = try await bench.provider.principal(bench.key.token(bench.claims()))
            #expect(principal.name == "\(bench.origin)|alice" && principal.isOAuth)
            #expect(principal.scopes == [.read, .readTokens] && principal.user?.rawValue == "alice")
            for (claims, scopes) in [
                (["scope": nil, "scp": "registry:write"], [.write, .read]),
                (["scope": nil, "scp": ["registry:read"]], [.read]),
                (["scope": nil], []), (["aud": ["other", .string(Self.audience)]], [.read, .readTokens]),
                (["exp": .integer(Self.now - 59)], [.read, .readTokens]),
                (["nbf": .integer(Self.now + 60)], [.read, .readTokens]),
            ] as [(JSONObject, Set<Scope>)] {
                let principal = try await bench.provider.principal(bench.key.token(bench.claims(claims)))
                #expect(principal.scopes == scopes, "\(claims)")
            }
            #expect(bench.issuer.fetches == 1, "the keys are kept")
        }
    }

    @Test("another claim may be the user's id")
    func userClaim() async throws {
        try await Self.with({ $0.userClaim = "email" }) { bench in
            let token = try bench.key.token(bench.claims(["email": "a@example.com"]))
            let named = try await bench.provider.principal(token)
            #expect(named.user?.rawValue == "a@example.com")
            let unnamed = try await bench.provider.principal(bench.key.token(bench.claims()))
            #expect(unnamed.user == nil)
        }
    }

    @Test("whatever is wrong about the claims is refused in a sentence")
    func claims() async throws {
        try await Self.with { bench in
            for (claims, reason) in [
                (["iss": "https://evil.example"], "the access token is of another issuer"),
                (["iss": .string(bench.origin + "/")], "the access token is of another issuer"),
                (["iss": nil], "the access token is of another issuer"),
                (["aud": "https://other.example"], "the access token is not meant for this registry"),
                (["aud": .string(Self.audience + "/")], "the access token is not meant for this registry"),
                (["aud": []], "the access token is not meant for this registry"),
                (["aud": nil], "the access token is not meant for this registry"),
                (["exp": .integer(Self.now - 60)], "the access token has expired"),
                (["exp": nil], "the access token has expired"), (["exp": "never"], "the access token has expired"),
                (["nbf": .integer(Self.now + 61)], "the access token is not valid yet"),
                (["iat": .integer(Self.now + 61)], "the access token is not valid yet"),
                (["nonce": "n"], "this is an ID token: send an access token"),
                (["at_hash": "h"], "this is an ID token: send an access token"),
                (["sub": nil], "the access token names no subject"), (["sub": ""], "the access token names no subject"),
                (["sub": .string(String(repeating: "x", count: 300))], "the access token names no subject"),
            ] as [(JSONObject, String)] {
                let refusal = try await bench.refusal(bench.key.token(bench.claims(claims)))
                #expect(refusal == reason, "\(claims)")
            }
        }
    }

    @Test("no other algorithm, key or text passes for a signature")
    func signatures() async throws {
        try await Self.with { bench in
            let good = try bench.key.token(bench.claims())
            #expect(await bench.refusal(good) == nil)
            let notAccepted = "the access token is signed in a way that is not accepted"
            let notValid = "the access token's signature is not valid"
            let parts = good.split(separator: ".").map(String.init)
            func headed(_ header: JSONObject) -> String {
                base64URL(JSONValue.object(header).text.utf8) + "." + parts[1]
            }
            // RFC 8725 §3.1: the public key as the secret of an HMAC.
            let confused = headed(["alg": "HS256", "kid": "one"])
            let secrets = [bench.key.secret.publicKey.pemRepresentation, JSONValue.object(bench.key.json).text]
            for secret in secrets {
                let code = HMAC<SHA256>.authenticationCode(
                    for: Data(confused.utf8),
                    using: .init(data: Data(secret.utf8))
                )
                #expect(await bench.refusal(confused + "." + base64URL(code)) == notAccepted)
            }
            for algorithm in ["none", "None", "NONE", "", "ES256K", "HS512"] {
                #expect(await bench.refusal(headed(["alg": .string(algorithm), "kid": "one"]) + ".") == notAccepted)
            }
            #expect(
                await bench.refusal(try bench.key.token(bench.claims(), header: ["crit": ["b64"], "b64": false]))
                    == notAccepted
            )
            // Another key under the same id, and one that the issuer does not have.
            #expect(try await bench.refusal(LocalIssuer.Key(id: "one").token(bench.claims())) == notValid)
            #expect(try await bench.refusal(LocalIssuer.Key(id: "two").token(bench.claims())) == notValid)
            let unnamed = try bench.key.token(bench.claims(), header: ["kid": nil])
            #expect(await bench.refusal(unnamed) == "the access token does not say which key signed it")
            for algorithm in ["RS256", "ES384", "EdDSA", "PS256"] {
                let other = try bench.key.token(bench.claims(), header: ["alg": .string(algorithm)])
                #expect(await bench.refusal(other) == notValid, "\(algorithm)")
            }
            let stolen = base64URL(JSONValue.object(bench.claims(["sub": "bob"])).text.utf8)
            for text in [
                "\(parts[0]).\(stolen).\(parts[2])", "\(parts[0]).\(parts[1]).", good + "A",
                "\(parts[0]).\(parts[1]).AAAA",
            ] {
                #expect(await bench.refusal(text) == notValid)
            }
            for text in ["a.b.c", "..", ".\(parts[1]).", "e30.e30.e30", "💥.💥.💥"] {
                #expect(await bench.refusal(text) == "the access token is no JWT", "\(text)")
            }
            #expect(!IdentityProvider.isToken(String(repeating: "a", count: 8_190) + ".b.c"))
            #expect(!IdentityProvider.isToken("a.b") && !IdentityProvider.isToken("a.b.c.d"))
        }
    }

    @Test("a key that says which algorithm it is for is used for no other; weak, secret and unfit keys are left out")
    func keys() async throws {
        try await Self.with { bench in
            let (fit, other) = (LocalIssuer.Key(id: "fit"), LocalIssuer.Key(id: "other"))
            var named = fit.json
            named["alg"] = "ES256"
            var unfit: [JSONObject] = [
                ["kty": "oct", "kid": "oct", "k": "c2VjcmV0"], ["kty": "RSA", "kid": "weak", "n": "AQAB", "e": "AQAB"],
                ["kty": "EC", "kid": "broken"], [:],
            ]
            for (name, value) in [("use", "enc"), ("d", "AA"), ("alg", "ES384")] as [(String, JSONValue)] {
                var json = other.json
                json["kid"] = .string(name)
                json[name] = value
                unfit.append(json)
            }
            bench.issuer.publish(unfit + [named])
            let right = try await bench.refusal(fit.token(bench.claims()))
            #expect(right == nil)
            for id in ["oct", "weak", "broken", "use", "d", "alg"] {
                let token = try other.token(bench.claims(), header: ["kid": .string(id)])
                #expect(await bench.refusal(token) == "the access token's signature is not valid", "\(id)")
            }
        }
    }

    @Test(
        "a new key is fetched when a token names it, and one that the issuer withdrew is refused when the kept ones are old"
    )
    func rotation() async throws {
        try await Self.with { bench in
            let (old, new) = (bench.key, LocalIssuer.Key(id: "two"))
            let first = try await bench.refusal(old.token(bench.claims()))
            #expect(first == nil)
            bench.issuer.publish([new.json])
            #expect(try await bench.refusal(new.token(bench.claims())) != nil, "not asked again so soon")
            bench.pass(IdentityProvider.pause)
            #expect(try await bench.refusal(new.token(bench.claims())) == nil)
            #expect(try await bench.refusal(old.token(bench.claims())) == "the access token's signature is not valid")
            #expect(bench.issuer.fetches == 2)
        }
    }

    @Test("however many tokens name unknown keys, and however many at once, the issuer is asked once in ten seconds")
    func fetches() async throws {
        try await Self.with { bench in
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let token = try? LocalIssuer.Key(id: "unknown \(number)").token(bench.claims())
                        #expect(await bench.refusal(token ?? "") == "the access token's signature is not valid")
                    }
                }
            }
            #expect(bench.issuer.fetches == 1)
            bench.pass(.seconds(11))
            for _ in 1...5 { _ = try await bench.refusal(LocalIssuer.Key(id: "x").token(bench.claims())) }
            #expect(bench.issuer.fetches == 2)
        }
    }

    @Test("while the issuer is down its keys are used for an hour, and then its tokens can't be judged")
    func down() async throws {
        try await Self.with { bench in
            bench.issuer.goDown(true)
            let token = try bench.key.token(bench.claims())
            #expect(await bench.refusal(token) == "unavailable")
            bench.issuer.goDown(false)
            bench.pass(.seconds(11))
            #expect(await bench.refusal(token) == nil)
            bench.issuer.goDown(true)
            bench.pass(.seconds(3_599))
            #expect(await bench.refusal(token) == nil)
            bench.pass(.seconds(1))
            #expect(await bench.refusal(token) == "unavailable")
            bench.issuer.goDown(false)
            bench.pass(.seconds(11))
            #expect(await bench.refusal(token) == nil)
        }
    }

    @Test(
        "metadata of another issuer, without keys, or with keys over plain HTTP is not believed",
        arguments: [
            ["issuer": "https://evil.example"], ["jwks_uri": "http://evil.example/keys"], ["jwks_uri": nil],
            ["jwks_uri": 7],
        ] as [JSONObject]
    )
    func metadata(_ changes: JSONObject) async throws {
        try await Self.with { bench in
            bench.issuer.say(changes)
            let refusal = try await bench.refusal(bench.key.token(bench.claims()))
            #expect(refusal == "unavailable")
            #expect(bench.issuer.fetches == 0)
        }
    }
}
