import DBDriver
import MCP
import Registry
import TestSupport
import Testing

@testable import Server

/// Who is given a user's token.
@Suite("Release of tokens")
struct TokenReleaseTests {
    private static let options = TestServer.Options(adminToken: Deployment.adminToken)
    private static let agentScopes: Set<Scope> = [.read, .readTokens, .writeTokens, .actForUsers]
    private static let body = #"{"service_name":"pizza","user_id":"ann"}"#
    private static let released = #"{"token":"ann-token","method_authorization":"Bearer"}"#

    private static func refusal(_ caller: String) -> String {
        "user 'ann' has not granted this caller ('key:\(caller)') the token for the service 'pizza'"
    }

    private static func grant(_ agent: String) -> String {
        #"{"service_name":"pizza","user_id":"ann","agent":"key:\#(agent)"}"#
    }

    @Test(
        "an agent is given the tokens that it stored and those that it was granted, until that is taken back",
        arguments: Engine.available
    )
    func grants(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            try await server.asAdministrator.addService("pizza", method: "Bearer")
            let first = try await server.withKey("first", Self.agentScopes)
            let second = try await server.withKey("second", Self.agentScopes)
            let ann = try await server.withKey("ann's", [.writeTokens, .readTokens], user: "ann")
            try await first.authorize("ann", "pizza", "ann-token")
            try await first.expect("/token", Self.body, answers: Self.released)
            try await ann.expect("/token", Self.body, answers: Self.released)
            try await second.expect("/token", Self.body, refuses: 403, Self.refusal("second"))

            let own = "only user 'ann' and administrators (registry:admin) decide who is given the user's tokens"
            try await second.expect("grant_user_token", Self.grant("second"), fails: own)
            try await first.expect("withdraw_user_token", Self.grant("first"), fails: own)
            try await ann.done("grant_user_token", Self.grant("second"))
            try await second.expect("/token", Self.body, answers: Self.released)
            try await ann.expect("list_user_tokens", #"{"user_id":"ann"}"#, grantedTo: ["key:first", "key:second"])
            try await server.asAdministrator.done("withdraw_user_token", Self.grant("first"))
            try await first.expect("/token", Self.body, refuses: 403, Self.refusal("first"))
            try await ann.expect(
                "withdraw_user_token",
                Self.grant("first"),
                fails:
                    "the token of user 'ann' was not granted to 'key:first': list_services shows which services there "
                    + "are, list_user_tokens which tokens"
            )

            // A token that is stored anew keeps what was granted; one that was removed does not.
            try await ann.authorize("ann", "pizza", "ann-token")
            try await second.expect("/token", Self.body, answers: Self.released)
            try await ann.done("revoke_user_token", Self.body)
            #expect(try await second.send("POST", "/token", Self.body).status == 401)
            try await ann.authorize("ann", "pizza", "ann-token")
            try await second.expect("/token", Self.body, refuses: 403, Self.refusal("second"))
        }
    }

    @Test("an agent that brought a token is not given another one that is stored later", arguments: Engine.available)
    func planted(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            try await server.asAdministrator.addService("pizza", method: "Bearer")
            let thief = try await server.withKey("thief", Self.agentScopes)
            let agent = try await server.withKey("agent", Self.agentScopes)
            let ann = try await server.withKey("ann's", [.writeTokens, .readTokens], user: "ann")
            for real in [ann, agent] {
                try await thief.authorize("ann", "pizza", "planted")
                #expect(try await thief.send("POST", "/token", Self.body).status == 200)
                try await real.authorize("ann", "pizza", "ann-token")
                try await real.expect("/token", Self.body, answers: Self.released)
                try await thief.expect("/token", Self.body, refuses: 403, Self.refusal("thief"))
            }
        }
    }

    @Test(
        "each release is in the audit log before the token is told, without the token; a refusal is there too, and releases nothing",
        arguments: Engine.available
    )
    func audited(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            try await server.asAdministrator.addService("pizza", method: "Bearer")
            try await server.asAdministrator.addService("open")
            let agent = try await server.withKey("agent", Self.agentScopes)
            let other = try await server.withKey("other", Self.agentScopes)
            try await agent.authorize("ann", "pizza", "ann-token")
            for _ in 1...2 { try await agent.expect("/token", Self.body, answers: Self.released) }
            #expect(try await other.send("POST", "/token", Self.body).status == 403)
            let open = #"{"service_name":"open","user_id":"ann"}"#
            try await agent.expect("/token", open, answers: #"{"status":"Ok"}"#)
            let rows = try await server.database.read { session in
                try session.rows(
                    "SELECT actor, outcome, target FROM audit_log WHERE action = 'token.release' ORDER BY at, operation_id"
                ).map { row in
                    [
                        try row.get("actor", as: String.self), try row.get("outcome", as: String.self),
                        try row.get("target", as: String.self),
                    ]
                }
            }
            let target = "service 'pizza', user 'ann'"
            let released = ["key:agent", "done", target]
            #expect(rows == [released, released, ["key:other", "denied", target]])
        }
    }

    @Test(
        "an expired token is never told; what expires is listed, and another one takes its place",
        arguments: Engine.available
    )
    func expiry(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            let administrator = server.asAdministrator
            try await administrator.addService("pizza", method: "Bearer")
            try await server.registry.store(
                NewToken("ann-token"),
                expiresAt: .now() + .milliseconds(400),
                for: UserID("ann"),
                at: ServiceName("pizza"),
                by: .administrator
            )
            while try await administrator.send("POST", "/token", Self.body).status == 200 {}
            try await administrator.expect(
                "/token",
                Self.body,
                refuses: 401,
                "The user's token for this service has expired. Authorize please."
            )
            let stored = try await administrator.call("list_user_tokens", #"{"user_id":"ann"}"#)
            #expect(stored.text.contains("expires_at") && !stored.text.contains("ann-token"))
            let arguments = #""service_name":"pizza","user_id":"ann","token":"ann-token","expires_at""#
            for (value, reason) in [
                ("soon", "expires_at must be a moment such as 2027-01-31T00:00:00Z"),
                ("2020-01-31T00:00:00Z", "expires_at must be in the future"),
            ] {
                try await administrator.expect(
                    "authorize_user_to_service",
                    "{\(arguments):\"\(value)\"}",
                    fails: reason
                )
                try await administrator.expect("/user_token", "{\(arguments):\"\(value)\"}", refuses: 400, reason)
            }
            try await administrator.expect(
                "/user_token",
                "{\(arguments):\"2999-01-31T00:00:00Z\"}",
                answers: #"{"status":"token stored"}"#
            )
            try await administrator.expect("/token", Self.body, answers: Self.released)
        }
    }

    @Test("a service that moves takes no token and no grant along", arguments: Engine.available)
    func moved(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            try await server.asAdministrator.addService("pizza", method: "Bearer")
            let agent = try await server.withKey("agent", Self.agentScopes)
            try await agent.authorize("ann", "pizza", "ann-token")
            let move = #"{"service_name":"pizza","endpoint":"http://elsewhere.example/mcp"}"#
            try await server.asAdministrator.done("update_service", move)
            #expect(try await agent.send("POST", "/token", Self.body).status == 401)
            let grants = try await server.database.read { session in
                try session.row("SELECT COUNT(*) AS n FROM token_grants")?.get("n", as: Int.self)
            }
            #expect(grants == 0)
        }
    }
}

extension HTTPCaller {
    fileprivate func expect(_ tool: String, _ arguments: String, grantedTo agents: [String]) async throws {
        let answer = try await call(tool, arguments).json
        let list = try #require(answer["result"]?["structuredContent"]?["result"]?.array)
        #expect(list.map { $0["granted_to"] } == [.array(agents.map(JSONValue.string))])
    }
}
