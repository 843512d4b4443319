import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("Paths and methods")
struct RoutingTests {
    /// Every path and what it answers.
    private static let allowed = [
        ("/health", "GET, HEAD"), ("/ready", "GET, HEAD"), ("/list_services", "GET, HEAD"),
        ("/list_users", "GET, HEAD"),
        ("/token", "GET, HEAD, POST"), ("/role_for_user", "POST"), ("/tools_for_role", "POST"),
        ("/system_prompt_for_role", "POST"), ("/register_user", "POST"), ("/discovery_credential", "POST"),
    ]

    @Test("a wrong method is 405 with Allow", arguments: Engine.available)
    func wrongMethods(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (path, allowed) in Self.allowed {
                for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] + (allowed.hasPrefix("GET") ? [] : ["GET"]) {
                    let answer = try await server.send(method, path, "{}")
                    answer.expectProblem(405, "this path answers \(allowed) only")
                    #expect(answer.header("Allow") == allowed, "\(method) \(path)")
                    #expect(answer.header("Access-Control-Allow-Origin") == nil)
                }
            }
            #expect(try await server.send("POST", "/list_services", "{}").status == 405)
            #expect(try await server.send("POST", "/health").status == 405)
        }
    }

    @Test("an unknown path is 404, whatever the method", arguments: Engine.available)
    func unknownPaths(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let paths = [
                "/", "/nothing", "/Health", "/health/x", "/health//", "//health", "/docs", "/mcp/x",
            ]
            for path in paths {
                try await server.send("GET", path).expectProblem(404, "there is nothing at this path")
            }
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                try await server.send(method, "/nothing", "{}").expectProblem(404, "there is nothing at this path")
            }
        }
    }

    @Test("HEAD answers like GET, without the body", arguments: Engine.available)
    func head(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for path in ["/health", "/ready", "/list_services", "/list_users", "/health/"] {
                let (get, head) = (try await server.send("GET", path), try await server.send("HEAD", path))
                #expect(head.status == 200 && head.text.isEmpty)
                #expect(head.header("Content-Length") == get.header("Content-Length"))
                #expect(head.header("Content-Type") == "application/json")
            }
        }
    }

    @Test("HEAD on an error has no body either, so the next answer is read right", arguments: Engine.available)
    func headOnErrors(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (path, status) in [("/nothing", 404), ("/role_for_user", 405), ("/token", 400), ("/mcp", 405)] {
                let answer = try await server.send("HEAD", path)
                #expect(answer.status == status && answer.text.isEmpty, "\(path)")
                #expect(try await server.send("GET", "/list_users").text == #"{"users":[]}"#)
            }
        }
    }

    @Test("one trailing slash makes no difference, and nothing redirects", arguments: Engine.available)
    func trailingSlash(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.send("GET", "/health/").expect(#"{"status":"healthy","service":"mcp-server"}"#)
            try await server.send("GET", "/list_services/").expect(#"{"services":{}}"#)
            try await server.expect("/role_for_user/", #"{"user_id":"u"}"#, answers: #"{"role":""}"#)
            let ping = #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#
            let pong = #"{"jsonrpc":"2.0","id":1,"result":{}}"#
            for path in ["/mcp", "/mcp/"] {
                try await server.send("POST", path, ping, headers: [.contentType: "application/json"]).expect(pong)
            }
            #expect(try await server.send("GET", "/mcp/").header("Allow") == "POST")
        }
    }

    @Test("a query where none is read is ignored", arguments: Engine.available)
    func query(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.send("GET", "/list_users?a=b").expect(#"{"users":[]}"#)
            #expect(try await server.send("POST", "/role_for_user?user_id=u").status == 400)
        }
    }
}
