import Crypto
import DBDriver
import Foundation
import HTTPTypes
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

/// Every route and every tool meets every kind of credential that is not good enough.
@Suite("Every route and tool, and credentials that do not open it")
struct CredentialMatrixTests {
    /// What a caller sends, and what it must be told: the challenge's own parts.
    private struct Credential {
        let name: String
        let authorization: String?
        var status = 401
        let challenge: String
    }

    private static func invalid(_ detail: String) -> String {
        #"Bearer error="invalid_token", error_description="\#(detail)", resource_metadata="\#(OAuthTests.metadata)", scope="registry:read""#
    }

    /// All kinds, the right kind of each with one thing wrong.
    private static func credentials(
        _ server: TestServer,
        _ key: LocalIssuer.Key,
        _ issuer: String
    ) async throws -> [Credential] {
        let claims: JSONObject = [
            "iss": .string(issuer), "sub": "alice", "aud": .string(OAuthTests.publicURL + "/mcp"),
            "exp": 32_503_680_000, "scope": "registry:admin tokens:read tokens:write users:act",
        ]
        func token(_ changes: JSONObject, header: JSONObject = [:], by signer: LocalIssuer.Key? = nil) throws -> String
        {
            var changed = claims
            for member in changes.members { changed[member.key] = member.value.isNull ? nil : member.value }
            return "Bearer " + (try (signer ?? key).token(changed, header: header))
        }
        let none = #"Bearer resource_metadata="\#(OAuthTests.metadata)", scope="registry:read""#
        let notValid = invalid("the access token is not valid")
        let badSignature = invalid("the access token's signature is not valid")
        let notAccepted = invalid("the access token is signed in a way that is not accepted")
        let revoked = try await server.withKey("revoked", [.administer])
        try await server.registry.revokeAPIKey(APIKeyName("revoked"), by: .administrator)
        let expired = try await server.withKey("expired", [.administer])
        _ = try await server.database.write(wasCommitted: { _ in false }) { session in
            try session.execute("UPDATE api_keys SET expires_at = 1 WHERE name = 'expired'")
        }
        let good = try token([:]).dropFirst(7)
        let unsigned = good.split(separator: ".", omittingEmptySubsequences: false)
        // The classic confusion: signed by HMAC with what everybody knows, the public key.
        let hmacHeader = base64URL(#"{"alg":"HS256","typ":"at+jwt","kid":"one"}"#.utf8)
        let hmacText = hmacHeader + "." + unsigned[1]
        let secret = SymmetricKey(data: key.secret.publicKey.derRepresentation)
        let hmac = base64URL(HMAC<SHA256>.authenticationCode(for: Data(hmacText.utf8), using: secret))
        return [
            Credential(name: "none", authorization: nil, challenge: none),
            Credential(name: "another scheme", authorization: "Basic YWRtaW46YWRtaW4=", challenge: none),
            Credential(name: "wrong", authorization: "Bearer wrong", challenge: notValid),
            Credential(
                name: "an API key that nobody made",
                authorization: "Bearer mcpr_aaaaaaaaaaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                challenge: notValid
            ),
            Credential(name: "a revoked API key", authorization: "Bearer \(revoked.token)", challenge: notValid),
            Credential(name: "an expired API key", authorization: "Bearer \(expired.token)", challenge: notValid),
            Credential(
                name: "expired",
                authorization: try token(["exp": 1_000_000_000]),
                challenge: invalid("the access token has expired")
            ),
            Credential(
                name: "not yet valid",
                authorization: try token(["nbf": 32_503_670_000]),
                challenge: invalid("the access token is not valid yet")
            ),
            Credential(
                name: "another audience",
                authorization: try token(["aud": "https://other.example"]),
                challenge: invalid("the access token is not meant for this registry")
            ),
            Credential(
                name: "another issuer",
                authorization: try token(["iss": "https://evil.example"]),
                challenge: invalid("the access token is of another issuer")
            ),
            Credential(
                name: "an ID token",
                authorization: try token(["nonce": "n"]),
                challenge: invalid("this is an ID token: send an access token")
            ),
            Credential(
                name: "another's key",
                authorization: try token([:], by: LocalIssuer.Key(id: "one")),
                challenge: badSignature
            ),
            Credential(
                name: "an unknown key",
                authorization: try token([:], header: ["kid": "two"]),
                challenge: badSignature
            ),
            Credential(
                name: "unsigned",
                authorization: try token([:], header: ["alg": "none"]),
                challenge: notAccepted
            ),
            Credential(name: "HMAC", authorization: "Bearer \(hmacText).\(hmac)", challenge: notAccepted),
            Credential(
                name: "an altered text",
                authorization: "Bearer \(unsigned[0]).\(base64URL(#"{"sub":"admin"}"#.utf8)).\(unsigned[2])",
                challenge: badSignature
            ),
        ]
    }

    @Test("each is refused with its status and challenge, whatever is asked for", arguments: Engine.available)
    func refusals(_ engine: Engine) async throws {
        try await OAuthTests.with(engine) { server, key, issuer in
            for credential in try await Self.credentials(server, key, issuer) {
                var headers: HTTPFields = [.contentType: "application/json"]
                headers[.authorization] = credential.authorization
                func check(_ answer: Answer, _ asked: String) {
                    #expect(answer.status == credential.status, "\(credential.name), \(asked)")
                    #expect(answer.header("WWW-Authenticate") == credential.challenge, "\(credential.name), \(asked)")
                    #expect(answer.header("Cache-Control") == "no-store", "\(credential.name), \(asked)")
                }
                for route in ScopeTests.routes {
                    let body = route.method == "POST" ? Array("{}".utf8) : nil
                    let answer = try await server.send(
                        route.method,
                        route.path,
                        bytes: body,
                        headers: headers,
                        host: "localhost"
                    )
                    check(answer, "\(route.method) \(route.path)")
                }
                for tool in ScopeTests.tools.keys.sorted() + ["whoami"] {
                    let call =
                        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\#(tool)","arguments":{}}}"#
                    let answer = try await server.send(
                        "POST",
                        "/mcp",
                        bytes: Array(call.utf8),
                        headers: headers,
                        host: "localhost"
                    )
                    check(answer, tool)
                }
            }
            #expect(try await server.registry.users().isEmpty, "nobody came into being")
        }
    }

    @Test("a token of the identity provider without the scope is refused by each route and tool, naming the scope")
    func scopes() async throws {
        try await OAuthTests.with(.sqlite) { server, key, issuer in
            let caller = CallerWithToken(caller: server, token: try OAuthTests.token(key, issuer, "unknown:scope"))
            func challenge(_ scope: Scope) -> String {
                """
                Bearer error="insufficient_scope", error_description="this takes the scope \(scope), which the caller does not \
                have", scope="\(scope)", resource_metadata="\(OAuthTests.metadata)"
                """
            }
            for route in ScopeTests.routes {
                let answer = try await caller.send(route.method, route.path, route.method == "POST" ? "{}" : nil)
                #expect(answer.status == 403 && answer.header("WWW-Authenticate") == challenge(route.scope), "\(route)")
            }
            for (tool, scope) in ScopeTests.tools {
                let answer = try await caller.call(tool)
                #expect(answer.status == 403 && answer.header("WWW-Authenticate") == challenge(scope), "\(tool)")
            }
        }
    }
}
