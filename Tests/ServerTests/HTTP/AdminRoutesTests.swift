import Registry
import TestSupport
import Testing

@testable import Server

@Suite("What administrators' programs ask over HTTP")
struct AdminRoutesTests {
    private static let registered = #"{"status":"user registered"}"#

    @Test("/list_users lists users with their roles, oldest first", arguments: Engine.available)
    func users(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.send("GET", "/list_users").expect(#"{"users":[]}"#)
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            try await server.expect("/register_user", #"{"user_id":"z"}"#, answers: Self.registered)
            try await server.expect("/register_user", #"{"user_id":"ä","role_name":"r1"}"#, answers: Self.registered)
            try await server.send("GET", "/list_users").expect(
                #"{"users":[{"user":{"user_id":"z","role":""}},{"user":{"user_id":"ä","role":"r1"}}]}"#
            )
        }
    }

    @Test("/register_user is idempotent; a role replaces, and none leaves the role alone", arguments: Engine.available)
    func registerUser(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for role in ["r1", "r2"] { try await server.done("create_role", #"{"role_name":"\#(role)"}"#) }
            let steps = [
                ("", ""), (#","role_name":"r1""#, "r1"), ("", "r1"), (#","role_name":"""#, "r1"),
                (#","role_name":null"#, "r1"), (#","role_name":"r2","more":[1]"#, "r2"),
            ]
            for (more, role) in steps {
                try await server.expect("/register_user", #"{"user_id":"u1"\#(more)}"#, answers: Self.registered)
                try await server.expect("/role_for_user", #"{"user_id":"u1"}"#, answers: #"{"role":"\#(role)"}"#)
            }
        }
    }

    @Test("/register_user with an unknown role stores nothing", arguments: Engine.available)
    func unknownRole(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.expect(
                "/register_user",
                #"{"user_id":"u1","role_name":"r9"}"#,
                refuses: 404,
                "Role with name 'r9' not found"
            )
            #expect(try await server.users() == #"{"users":[]}"#)
            for (role, detail) in [
                ("5", "role_name must be a string"), (#"" r""#, "role_name must not begin or end with white space"),
            ] {
                try await server.expect(
                    "/register_user",
                    #"{"user_id":"u1","role_name":\#(role)}"#,
                    refuses: 400,
                    detail
                )
            }
            #expect(try await server.users() == #"{"users":[]}"#)
        }
    }

    @Test("a discovery credential makes a service's tools readable", arguments: Engine.available)
    func discoveryCredential(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            server.discovery.offer(.failure(.authorizationRequired(scheme: nil)), at: "http://bank.example/mcp")
            #expect(try await server.addService("bank", method: "Bearer") == [])
            let body = #"{"service_name":"bank","method_authorization":"Basic","token":"dTpw"}"#
            try await server.expect(
                "/discovery_credential",
                body,
                answers: #"{"status":"discovery credential stored"}"#
            )
            server.discovery.offer(.success(StubDiscovery.standard), at: "http://bank.example/mcp")
            try await server.expect(
                "refresh_service",
                #"{"service_name":"bank"}"#,
                says: "Service with name='bank' has 2 tools now"
            )
            #expect(server.discovery.credentials == [nil, "Basic dTpw"])
        }
    }

    @Test("a discovery credential needs a service, a method and a token", arguments: Engine.available)
    func badDiscoveryCredentials(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let missing = "service_name, method_authorization and token are required"
            for body in [
                "{}", #"{"service_name":"s","token":"t"}"#, #"{"service_name":"s","method_authorization":"Basic"}"#,
                #"{"method_authorization":"Basic","token":"t"}"#,
            ] {
                try await server.expect("/discovery_credential", body, refuses: 400, missing)
            }
            try await server.expect(
                "/discovery_credential",
                #"{"service_name":"s","method_authorization":"bearer","token":"t"}"#,
                refuses: 400,
                "method_authorization must be 'Basic' or 'Bearer' when authorization is required"
            )
            try await server.expect(
                "/discovery_credential",
                #"{"service_name":"s","method_authorization":"Bearer","token":"t"}"#,
                refuses: 404,
                "Service with name 's' not found"
            )
        }
    }
}
