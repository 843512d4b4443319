import Registry
import TestSupport
import Testing

@testable import Server

@Suite("whoami")
struct WhoAmITests {
    private static func answer(_ name: String, _ may: String) -> String {
        let scopes = Scope.allCases.map { #""\#($0)""# }.joined(separator: ",")
        return #"{"name":"\#(name)","may":"everything: \#(may)","scopes":[\#(scopes)]}"#
    }

    @Test("tells the administrator by the name in the audit log")
    func administrator() async throws {
        try await TestServer.run(.sqlite, TestServer.Options(adminToken: Deployment.adminToken)) { server in
            let administrator = server.asAdministrator
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

    @Test("tells the holder of a key what it may do, and for whom")
    func key() async throws {
        try await TestServer.run(.sqlite, TestServer.Options(adminToken: Deployment.adminToken)) { server in
            for (user, scopes, may, listed) in [
                ("ann", [Scope.read], "registry:read, for user 'ann' only", #""registry:read""#),
                (nil, [.read], "registry:read, and act for no user", #""registry:read""#),
                (nil, [.actForUsers], "users:act, for any user", #""users:act""#),
            ] as [(String?, Set<Scope>, String, String)] {
                let name = "k\(user ?? "")\(scopes.text.count)"
                let caller = try await server.withKey(name, scopes, user: user)
                let asked = user.map { #","user_id":"\#($0)""# } ?? ""
                try await caller.expect(
                    "whoami",
                    lists: #"{"name":"key:\#(name)","may":"\#(may)"\#(asked),"scopes":[\#(listed)]}"#
                )
            }
        }
    }
}
