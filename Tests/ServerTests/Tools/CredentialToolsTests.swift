import DBDriver
import TestSupport
import Testing

@testable import Server

@Suite("The tool that stores tokens")
struct CredentialToolsTests {
    private static func token(_ token: String, service: String = "bank", user: String = "u1") -> String {
        #"{"service_name":"\#(service)","user_id":"\#(user)","token":"\#(token)"}"#
    }

    @Test("a token for an unknown service stores nothing, not even the user", arguments: Engine.available)
    func unknownService(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.expect(
                "authorize_user_to_service",
                Self.token("t"),
                fails: "Service with name 'bank' not found: list_services shows which services there are"
            )
            #expect(try await server.users() == #"{"users":[]}"#)
        }
    }

    @Test("a token makes its user known", arguments: Engine.available)
    func newUser(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            for _ in 1...2 {
                try await server.authorize("u1", "bank", "t")
                #expect(try await server.users() == #"{"users":[{"user":{"user_id":"u1","role":""}}]}"#)
            }
            #expect(server.hook.count == 1, "a token is no change of the catalogue")
        }
    }

    @Test("a token has 1 to 16384 bytes and can stand in a header", arguments: Engine.available)
    func limits(_ engine: Engine) async throws {
        let longest = String(repeating: "ü", count: 8_192)
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            for (token, reason) in [
                ("", "must not be empty or blank"), ("  ", "must not be empty or blank"),
                (#"a\u0000b"#, "must not contain control characters"),
                (#"a\r\nb: c"#, "must not contain control characters"),
                (longest + "x", "is longer than 16384 bytes"),
            ] {
                try await server.expect("authorize_user_to_service", Self.token(token), fails: "token \(reason)")
            }
            #expect(try await server.users() == #"{"users":[]}"#)
            for token in [longest, "x"] {
                try await server.authorize("u1", "bank", token)
                try await server.expect(
                    "/token",
                    #"{"service_name":"bank","user_id":"u1"}"#,
                    answers: #"{"token":"\#(token)","method_authorization":"Bearer"}"#
                )
            }
        }
    }

    @Test("a token is nowhere in the database as it was sent", arguments: Engine.available)
    func sealed(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            try await server.authorize("u1", "bank", "canary-token-4711")
            let envelopes = try await server.database.read { session in
                try session.rows("SELECT envelope FROM user_tokens").map { try $0.get("envelope", as: [UInt8].self) }
            }
            #expect(envelopes.count == 1)
            #expect(!envelopes.contains { String(decoding: $0, as: UTF8.self).contains("canary") })
            let audited = try await server.database.read { session in
                try session.rows("SELECT target FROM audit_log").map { try $0.get("target", as: String.self) }
            }
            #expect(audited == ["service 'bank'", "service 'bank', user 'u1'"])
        }
    }
}
