import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("Bad bodies")
struct BadBodyTests {
    /// The endpoints that read a body: a field that each needs, how errors call it, what is said when it is missing, and what
    /// else it needs.
    private static let endpoints = [
        ("GET", "/token", "user_id", "user_id", "service_name and user_id are required", #""service_name":"s","#),
        ("POST", "/token", "service_name", "service_name", "service_name and user_id are required", #""user_id":"u","#),
        ("POST", "/role_for_user", "user_id", "user_id", "user_id is required", ""),
        ("POST", "/tools_for_role", "role", "role", "role is required and should be non-empty", ""),
        ("POST", "/system_prompt_for_role", "role", "role", "role is required and should be non-empty", ""),
        ("POST", "/register_user", "user_id", "user_id", "user_id is required", ""),
    ]

    @Test("what is no JSON object is 400, and the connection is kept", arguments: Engine.available)
    func bodies(_ engine: Engine) async throws {
        let invalid = "the request body is not valid JSON: "
        let noObject = "the request body must be a JSON object"
        let bodies: [([UInt8]?, String)] =
            [
                (nil, "the request has no body: send a JSON object"),
                ([], "the request has no body: send a JSON object"),
                ([0xff, 0xfe], invalid + "unexpected byte at byte 0"),
                (Array(#"{"user_id":""#.utf8) + [0xff, 0x22, 0x7d], invalid + "invalid UTF-8 at byte 11"),
            ]
            + [
                (" ", invalid + "unexpected end at byte 1"), ("{", invalid + "unexpected end at byte 1"),
                (#"{""#, invalid + "unexpected end at byte 2"), ("{'a':1}", invalid + "unexpected byte at byte 1"),
                ("{}{}", invalid + "bytes after the value at byte 2"),
                ("user_id=u", invalid + "unexpected byte at byte 0"),
                (#"{"user_id":"\ud800"}"#, invalid + "lone surrogate at byte 12"),
                (#"{"user_id":"u","user_id":"v"}"#, invalid + "duplicate key at byte 15"),
                (String(repeating: "[", count: 100_000), invalid + "nested too deeply at byte 64"),
                ("[]", noObject), (#""text""#, noObject), ("null", noObject), ("7", noObject), ("true", noObject),
            ].map { (Array($0.utf8), $1) }
        try await TestServer.run(engine) { server in
            for (method, path, _, _, _, _) in Self.endpoints {
                for (body, detail) in bodies {
                    try await server.send(method, path, bytes: body, headers: [:], host: "localhost").expectProblem(
                        400,
                        detail
                    )
                }
            }
            #expect(try await server.users() == #"{"users":[]}"#)
        }
    }

    @Test("a field that is no name is 400 on both engines, and nothing is stored", arguments: Engine.available)
    func values(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (method, path, field, name, missing, more) in Self.endpoints {
                try await server.send(method, path, "{\(more)\"x\":1}").expectProblem(400, missing)
                for (value, detail) in [
                    (#""""#, missing), ("null", "\(field) must be a string"), ("5", "\(field) must be a string"),
                    ("true", "\(field) must be a string"), ("1.5", "\(field) must be a string"),
                    ("[]", "\(field) must be a string"), (#"{"a":"b"}"#, "\(field) must be a string"),
                    (#""   ""#, "\(name) must not begin or end with white space"),
                    (#"" a""#, "\(name) must not begin or end with white space"),
                    (#""a\u00a0""#, "\(name) must not begin or end with white space"),
                    (#""a\n""#, "\(name) must not begin or end with white space"),
                    (#""\u0000""#, "\(name) must not contain control characters"),
                    (#""a\u0000b""#, "\(name) must not contain control characters"),
                    (#""a\u001bb""#, "\(name) must not contain control characters"),
                    ("\"" + String(repeating: "ä", count: 256) + "\"", "\(name) is longer than 255 characters"),
                ] {
                    let answer = try await server.send(method, path, "{\(more)\"\(field)\":\(value)}")
                    answer.expectProblem(400, detail)
                }
            }
            #expect(try await server.users() == #"{"users":[]}"#)
        }
    }

    @Test("the Content-Type and unknown fields do not matter", arguments: Engine.available)
    func lenience(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for type in [nil, "text/plain", "application/x-www-form-urlencoded"] {
                var headers = HTTPFields()
                headers[.contentType] = type
                let body = #" {"more":{"user_id":[1,2.5e3]},"user_id":"u1"} "#
                try await server.send("POST", "/role_for_user", body, headers: headers).expect(#"{"role":""}"#)
            }
        }
    }
}
