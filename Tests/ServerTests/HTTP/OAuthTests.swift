import DBDriver
import HTTPTypes
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

/// The registry as an OAuth resource server, over HTTP.
@Suite("OAuth")
struct OAuthTests {
    static let publicURL = "https://registry.example"
    static let metadata = "https://registry.example/.well-known/oauth-protected-resource/mcp"

    static func with(
        _ engine: Engine,
        _ body: @escaping @Sendable (TestServer, LocalIssuer.Key, String) async throws -> Void
    ) async throws {
        let issuer = LocalIssuer()
        let key = LocalIssuer.Key(id: "one")
        try await LocalService.run({ _, request in issuer.respond(to: request) }) { service in
            issuer.begin(at: service.origin, [key.json])
            var options = TestServer.Options(adminToken: Deployment.adminToken)
            options.identityProvider = IdentityProviderSettings(
                issuer: service.origin,
                audiences: [publicURL + "/mcp"],
                publicURL: publicURL
            )
            options.client = service.client
            let origin = service.origin
            try await TestServer.run(engine, options) { server in try await body(server, key, origin) }
        }
    }

    static func token(
        _ key: LocalIssuer.Key,
        _ issuer: String,
        _ scope: String,
        audience: String = publicURL + "/mcp"
    ) throws -> String {
        try key.token([
            "iss": .string(issuer), "sub": "alice", "aud": .string(audience), "exp": 32_503_680_000,
            "scope": .string(scope),
        ])
    }

    @Test("clients find the authorization server from a challenge, at both addresses, from any origin")
    func metadata() async throws {
        try await Self.with(.sqlite) { server, _, issuer in
            let none = try await server.send("GET", "/list_services")
            #expect(none.status == 401)
            #expect(
                none.header("WWW-Authenticate")
                    == #"Bearer resource_metadata="\#(Self.metadata)", scope="registry:read""#
            )
            for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
                let headers: HTTPFields = [.origin: "https://inspector.example", .accept: "application/json"]
                let answer = try await server.send("GET", path, headers: headers)
                #expect(answer.status == 200 && answer.header("Access-Control-Allow-Origin") == "*")
                #expect(
                    answer.text == """
                        {"resource":"https://registry.example/mcp","authorization_servers":["\(issuer)"],\
                        "scopes_supported":["registry:read"],"bearer_methods_supported":["header"],"resource_name":"MCP Registry"}
                        """
                )
                #expect(try await server.send("POST", path, "{}").status == 405)
            }
        }
    }

    @Test(
        "a token opens what its scopes stand for, acts for its own user, and its changes carry its name",
        arguments: Engine.available
    )
    func access(_ engine: Engine) async throws {
        try await Self.with(engine) { server, key, issuer in
            try await server.asAdministrator.addService("pizza", method: "Bearer")
            let scopes = "registry:read tokens:write tokens:read"
            let alice = CallerWithToken(caller: server, token: try Self.token(key, issuer, scopes))
            try await alice.authorize("alice", "pizza", "t")
            let body = #"{"service_name":"pizza","user_id":"alice"}"#
            try await alice.expect("/token", body, answers: #"{"token":"t","method_authorization":"Bearer"}"#)
            #expect(try await alice.send("POST", "/token", #"{"service_name":"pizza","user_id":"bob"}"#).status == 403)
            let actors = try await server.database.read { session in
                try session.rows("SELECT actor FROM audit_log WHERE action = 'token.store'").map { row in
                    try row.get("actor", as: String.self)
                }
            }
            #expect(actors == ["\(issuer)|alice"])
        }
    }

    @Test(
        "what a token's scopes do not allow is 403 with the scope that it takes, for a tool too; an API key gets a tool error"
    )
    func insufficient() async throws {
        try await Self.with(.sqlite) { server, key, issuer in
            let alice = CallerWithToken(caller: server, token: try Self.token(key, issuer, "registry:read"))
            let challenge = { (scope: Scope) in
                """
                Bearer error="insufficient_scope", error_description="this takes the scope \(scope), which the caller does not \
                have", scope="\(scope)", resource_metadata="\(Self.metadata)"
                """
            }
            let route = try await alice.send("GET", "/list_users")
            #expect(route.status == 403 && route.header("WWW-Authenticate") == challenge(.administer))
            let tool = try await alice.call("create_role", #"{"role_name":"r"}"#)
            #expect(tool.status == 403 && tool.header("WWW-Authenticate") == challenge(.administer))
            #expect(tool.text.hasPrefix(#"{"jsonrpc":"2.0","error":{"code":-32600,"#))
            let byKey = try await server.withKey("k", [.read]).call("create_role", #"{"role_name":"r"}"#)
            #expect(byKey.status == 200 && byKey.text.hasSuffix(#""isError":true}}"#))
            #expect(try await alice.call("list_services").status == 200)
        }
    }

    @Test("a token that is not for us is 401 and says why; the administrator's token and API keys simply work")
    func refused() async throws {
        try await Self.with(.sqlite) { server, key, issuer in
            let foreign = try Self.token(key, issuer, "registry:read", audience: "https://other.example")
            let answer = try await CallerWithToken(caller: server, token: foreign).send("GET", "/list_services")
            answer.expectProblem(401, "the access token is not meant for this registry")
            #expect(
                answer.header("WWW-Authenticate") == """
                    Bearer error="invalid_token", error_description="the access token is not meant for this registry", \
                    resource_metadata="\(Self.metadata)", scope="registry:read"
                    """
            )
            #expect(try await server.asAdministrator.send("GET", "/list_users").status == 200)
            #expect(try await server.withKey("k", [.read]).send("GET", "/list_services").status == 200)
            #expect(try await CallerWithToken(caller: server, token: "x").send("GET", "/list_services").status == 401)
        }
    }
}
