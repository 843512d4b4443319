import DBDriver
import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("Idempotency-Key over HTTP and MCP")
struct IdempotencyRouteTests {
    private static let key = HTTPField.Name("Idempotency-Key")
    private static let json: HTTPFields = [.contentType: "application/json"]

    private static func headers(_ key: String) throws -> HTTPFields {
        var headers = json
        headers[try #require(self.key)] = key
        return headers
    }

    private static func call(_ tool: String, _ arguments: String, id: Int = 1) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":\#(arguments)}}"#
    }

    @Test("a tool is called once, and its result is told again, whatever the message's id", arguments: Engine.available)
    func tool(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let headers = try Self.headers("k")
            let create = #"{"role_name":"r"}"#
            let first = try await server.send("POST", "/mcp", Self.call("create_role", create), headers: headers)
            #expect(first.text.contains("created"))
            #expect(first.header("Idempotency-Replayed") == nil)
            let again = try await server.send("POST", "/mcp", Self.call("create_role", create), headers: headers)
            #expect(again.text == first.text)
            #expect(again.header("Idempotency-Replayed") == "true")
            let other = try await server.send("POST", "/mcp", Self.call("create_role", create, id: 2), headers: headers)
            #expect(other.text == first.text.replacing(#""id":1"#, with: #""id":2"#))
            let without = try await server.send("POST", "/mcp", Self.call("create_role", create), headers: Self.json)
            #expect(without.text.contains("already exists"))
        }
    }

    @Test("another call under the same key is 409 and changes nothing", arguments: Engine.available)
    func anotherCall(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let headers = try Self.headers("k")
            for (tool, arguments, status) in [
                ("create_role", #"{"role_name":"r"}"#, 200), ("create_role", #"{"role_name":"s"}"#, 409),
                ("remove_role", #"{"role_name":"r"}"#, 409), ("create_role", #"{"role_name":"r"}"#, 200),
            ] {
                let answer = try await server.send("POST", "/mcp", Self.call(tool, arguments), headers: headers)
                #expect(answer.status == status)
                #expect((status == 409) == answer.text.contains("this Idempotency-Key was used for another request"))
            }
            let roles = try await server.call("list_roles")
            #expect(roles.text.contains(#"\"r\""#) && !roles.text.contains(#"\"s\""#))
        }
    }

    @Test("a failure is told again, although the call would succeed now", arguments: Engine.available)
    func failure(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let call = Self.call("remove_role", #"{"role_name":"r"}"#)
            let first = try await server.send("POST", "/mcp", call, headers: try Self.headers("k"))
            #expect(first.text.contains(#""isError":true"#))
            try await server.done("create_role", #"{"role_name":"r"}"#)
            let again = try await server.send("POST", "/mcp", call, headers: try Self.headers("k"))
            #expect(again.text == first.text)
            #expect(again.header("Idempotency-Replayed") == "true")
        }
    }

    @Test("what is written over plain HTTP is written once", arguments: Engine.available)
    func routes(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.addService("bank", method: "Bearer")
            let requests = [
                ("/register_user", #"{"user_id":"u1"}"#, #"{"user_id":"u2"}"#),
                (
                    "/user_token", #"{"service_name":"bank","user_id":"u1","token":"t1"}"#,
                    #"{"service_name":"bank","user_id":"u1","token":"t2"}"#
                ),
                (
                    "/discovery_credential",
                    #"{"service_name":"bank","method_authorization":"Bearer","token":"t1"}"#,
                    #"{"service_name":"bank","method_authorization":"Bearer","token":"t2"}"#
                ),
            ]
            for (path, body, other) in requests {
                let headers = try Self.headers("key of \(path)".replacing(" ", with: "-"))
                let before = try await server.auditRows()
                let first = try await server.send("POST", path, body, headers: headers)
                let again = try await server.send("POST", path, body, headers: headers)
                #expect(first.status == 200)
                #expect(again.text == first.text)
                #expect(again.header("Idempotency-Replayed") == "true")
                #expect(try await server.auditRows() == before + 1)
                let refused = try await server.send("POST", path, other, headers: headers)
                refused.expectProblem(
                    409,
                    "this Idempotency-Key was used for another request: give each request a key of its own"
                )
                #expect(try await server.auditRows() == before + 1)
            }
        }
    }

    @Test("an invalid key is refused, and one with a batch too; reads ignore it", arguments: Engine.available)
    func keys(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for key in ["a b", "ä", String(repeating: "k", count: 256)] {
                let body = #"{"user_id":"u1"}"#
                let answer = try await server.send("POST", "/register_user", body, headers: try Self.headers(key))
                #expect(answer.status == 400, "\(key)")
            }
            #expect(try await server.users() == #"{"users":[]}"#)
            let batch = "[\(Self.call("create_role", #"{"role_name":"r"}"#))]"
            let refused = try await server.send("POST", "/mcp", batch, headers: try Self.headers("k"))
            #expect(refused.status == 400)
            let list = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#
            for _ in 0..<2 {
                let answer = try await server.send("POST", "/mcp", list, headers: try Self.headers("k"))
                #expect(answer.status == 200)
                #expect(answer.header("Idempotency-Replayed") == nil)
            }
        }
    }
}

extension TestServer {
    /// How many changes the audit log knows.
    fileprivate func auditRows() async throws -> Int {
        try await database.read { session in
            try session.row("SELECT COUNT(*) AS n FROM audit_log")?.get("n", as: Int.self) ?? -1
        }
    }
}
