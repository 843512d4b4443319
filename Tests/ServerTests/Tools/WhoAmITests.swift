import TestSupport
import Testing

@testable import Server

@Suite("whoami")
struct WhoAmITests {
    private static func answer(_ name: String, _ may: String) -> String {
        #"{"name":"\#(name)","may":"everything: \#(may)"}"#
    }

    @Test("tells the administrator by the name in the audit log")
    func administrator() async throws {
        try await TestServer.run(.sqlite, TestServer.Options(adminToken: Deployment.adminToken)) { server in
            let administrator = Administrator(caller: server)
            try await administrator.expect(
                "whoami",
                lists: Self.answer("admin", "this is the administrator's token")
            )
            let refused = try await server.call("whoami")
            #expect(refused.status == 401)
        }
    }

    @Test("tells that there is no access control")
    func anonymous() async throws {
        try await TestServer.run(.sqlite) { server in
            try await server.expect(
                "whoami",
                lists: Self.answer("anonymous", "this registry has no access control")
            )
            try await server.expect(
                "whoami",
                #"{"name":"admin"}"#,
                failsWithText: "Input validation error: Additional properties are not allowed ('name' was unexpected)"
            )
        }
    }
}
