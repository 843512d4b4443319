import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("The size of bodies")
struct BodySizeTests {
    /// A body of so many bytes that is otherwise right.
    private static func body(_ count: Int) -> String {
        let (head, tail) = (#"{"user_id":"u1","padding":""#, #""}"#)
        return head + String(repeating: "x", count: count - head.utf8.count - tail.utf8.count) + tail
    }

    @Test("1 MiB is read", arguments: Engine.available)
    func largest(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.expect("/role_for_user", Self.body(1 << 20), answers: #"{"role":""}"#)
        }
    }

    @Test("one byte more is 413 everywhere, and the connection is kept", arguments: Engine.available)
    func tooLarge(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for path in ["/role_for_user", "/register_user", "/token", "/mcp"] {
                for count in [(1 << 20) + 1, 3 << 20] {
                    let headers: HTTPFields = [.contentType: "application/json"]
                    let answer = try await server.send("POST", path, Self.body(count), headers: headers)
                    answer.expectRefusal(at: path, 413, "the request body is longer than 1048576 bytes")
                    #expect(try await server.users() == #"{"users":[]}"#)
                }
            }
        }
    }

    @Test("a large body where none is read does no harm", arguments: Engine.available)
    func unread(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (path, status) in [("/nothing", 404), ("/list_services", 405), ("/health", 405)] {
                let refused = try await server.send("POST", path, Self.body(3 << 20))
                #expect(refused.status == status, "\(path)")
                let ignored = try await server.send("GET", "/list_services", Self.body(2 << 20))
                #expect(ignored.status == 200)
            }
        }
    }
}
