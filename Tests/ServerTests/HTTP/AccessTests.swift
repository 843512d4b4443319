import DBDriver
import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("Access control")
struct AccessTests {
    private static let token = "correct-horse-battery-staple"
    private static let options = TestServer.Options(adminToken: token)
    private static let requests = [
        ("GET", "/list_services"), ("GET", "/list_users"), ("GET", "/token"), ("POST", "/token"),
        ("POST", "/role_for_user"),
        ("POST", "/tools_for_role"), ("POST", "/system_prompt_for_role"), ("POST", "/register_user"),
        ("POST", "/discovery_credential"), ("POST", "/mcp"), ("POST", "/mcp/"), ("HEAD", "/list_users"),
    ]

    @Test(
        "without a credential everything but the probes is 401, a wrong method 405, and an unknown path 404",
        arguments: Engine.available
    )
    func missing(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            for (method, path) in Self.requests {
                let answer = try await server.send(method, path, method == "HEAD" ? nil : #"{"user_id":"u1"}"#)
                #expect(answer.header("WWW-Authenticate") == "Bearer", "\(method) \(path)")
                guard method != "HEAD" else {
                    #expect(answer.status == 401 && answer.text.isEmpty)
                    continue
                }
                answer.expectRefusal(at: path, 401, "this request needs Authorization: Bearer <token>")
            }
            for path in ["/nothing", "/.well-known/oauth-protected-resource/mcp", "/.well-known/openid-configuration"] {
                let answer = try await server.send("GET", path)
                #expect(answer.status == 404 && answer.header("WWW-Authenticate") == nil, "\(path)")
            }
            #expect(try await server.send("GET", "/health").status == 200)
            #expect(try await server.send("GET", "/ready").status == 200)
            for (method, path) in [("PUT", "/ready"), ("PUT", "/list_users"), ("GET", "/mcp"), ("DELETE", "/mcp/")] {
                #expect(try await server.send(method, path).status == 405, "\(method) \(path)")
            }
            #expect(try await server.send("GET", "/list_users", headers: Self.bearer).text == #"{"users":[]}"#)
        }
    }

    private static let bearer: HTTPFields = [.authorization: "Bearer \(token)"]

    @Test("a wrong token is 401", arguments: Engine.available)
    func wrong(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            let token = Self.token
            let values = [
                "Bearer x", "Bearer \(token)x",
                "Bearer \(token.dropLast())",
                "Bearer \(token.uppercased())", "Bearer \(token) x", "Bearer \(token), Bearer \(token)",
                "Bearer \"\(token)\"",
            ]
            for sent in values {
                let answer = try await server.send("GET", "/list_users", headers: [.authorization: sent])
                answer.expectProblem(401, "the access token is not valid")
                #expect(
                    answer.header("WWW-Authenticate")
                        == #"Bearer error="invalid_token", error_description="the access token is not valid""#
                )
            }
        }
    }

    @Test("another scheme is no credential, and its challenge names no error", arguments: Engine.available)
    func otherSchemes(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            for sent in [
                "", Self.token, "Bearer:\(Self.token)", "Basic \(Self.token)", "Basic", "Bearerx \(Self.token)",
            ] {
                let answer = try await server.send("GET", "/list_users", headers: [.authorization: sent])
                answer.expectProblem(401, "this request needs Authorization: Bearer <token>")
                #expect(answer.header("WWW-Authenticate") == "Bearer", "\(sent)")
            }
        }
    }

    @Test("a credential without a token, and more than one, are malformed requests", arguments: Engine.available)
    func malformed(_ engine: Engine) async throws {
        let good = "Bearer \(Self.token)"
        try await TestServer.run(engine, Self.options) { server in
            for (sent, detail) in [
                (["Bearer"], "Authorization: Bearer has no token"), (["bearer "], "Authorization: Bearer has no token"),
                ([good, good], "Authorization is given twice"), ([good, "Basic x"], "Authorization is given twice"),
            ] {
                var headers = HTTPFields()
                headers[values: .authorization] = sent
                let answer = try await server.send("GET", "/list_users", headers: headers)
                answer.expectProblem(400, detail)
                #expect(
                    answer.header("WWW-Authenticate")
                        == #"Bearer error="invalid_request", error_description="\#(detail)""#
                )
            }
        }
    }

    @Test("the right credential opens everything; the scheme's case does not matter", arguments: Engine.available)
    func right(_ engine: Engine) async throws {
        try await TestServer.run(engine, Self.options) { server in
            for scheme in ["Bearer", "bearer", "BEARER"] {
                let headers: HTTPFields = [.authorization: "\(scheme) \(Self.token)", .contentType: "application/json"]
                try await server.send("GET", "/list_users", headers: headers).expect(#"{"users":[]}"#)
                let ping = #"{"jsonrpc":"2.0","id":"a","method":"ping"}"#
                try await server.send("POST", "/mcp", ping, headers: headers).expect(
                    #"{"jsonrpc":"2.0","id":"a","result":{}}"#
                )
                #expect(try await server.send("PUT", "/list_users", headers: headers).status == 405)
                #expect(try await server.send("GET", "/nothing", headers: headers).status == 404)
            }
        }
    }

    @Test("changes are recorded under the caller's name", arguments: Engine.available)
    func audit(_ engine: Engine) async throws {
        let change = #"{"user_id":"u1"}"#
        let call =
            #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_role","arguments":{"role_name":"r1"}}}"#
        for (options, name) in [(Self.options, "admin"), (TestServer.Options(), "anonymous")] {
            try await TestServer.run(engine, options) { server in
                var headers: HTTPFields = [.contentType: "application/json"]
                if options.adminToken != nil { headers[.authorization] = "Bearer \(Self.token)" }
                #expect(try await server.send("POST", "/register_user", change, headers: headers).status == 200)
                #expect(try await server.send("POST", "/mcp", call, headers: headers).status == 200)
                let actors = try await server.database.read { session in
                    try session.rows("SELECT actor FROM audit_log").map { try $0.get("actor", as: String.self) }
                }
                #expect(actors == [name, name])
            }
        }
    }
}
