import TestSupport
import Testing

@testable import Server

@Suite("Tools about users")
struct UserToolsTests {
    /// What a model is told when a user or a role is unknown.
    private static let advice = ": list_roles shows which roles there are, list_users which users are known"

    @Test("list_users pairs users with roles, oldest first", arguments: Engine.available)
    func list(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.expect("list_users", lists: "[]")
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            for user in ["z", #"ä\""#] {
                #expect(try await server.send("POST", "/register_user", #"{"user_id":"\#(user)"}"#).status == 200)
            }
            try await server.done("assign_role_to_user", #"{"user_id":"z","role_name":"r1"}"#)
            try await server.expect("list_users", lists: #"[["z","r1"],["ä\"","(no role)"]]"#)
        }
    }

    @Test("assign_role_to_user replaces the role; the user is looked for before the role", arguments: Engine.available)
    func assign(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.expect(
                "assign_role_to_user",
                #"{"user_id":"u1","role_name":"r9"}"#,
                fails: "User u1 does not exist\(Self.advice)"
            )
            #expect(try await server.send("POST", "/register_user", #"{"user_id":"u1"}"#).status == 200)
            try await server.expect(
                "assign_role_to_user",
                #"{"user_id":"u1","role_name":"r9"}"#,
                fails: "Role r9 does not exist\(Self.advice)"
            )
            for role in ["r1", "r2"] { try await server.done("create_role", #"{"role_name":"\#(role)"}"#) }
            for role in ["r1", "r1", "r2"] {
                try await server.expect(
                    "assign_role_to_user",
                    #"{"user_id":"u1","role_name":"\#(role)"}"#,
                    says: "Role with name='\(role)' assigned to user with id='u1'"
                )
                try await server.expect("/role_for_user", #"{"user_id":"u1"}"#, answers: #"{"role":"\#(role)"}"#)
            }
        }
    }

    @Test("remove_role_from_user takes the named role away and no other", arguments: Engine.available)
    func remove(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.expect(
                "remove_role_from_user",
                #"{"user_id":"u1","role_name":"r1"}"#,
                fails: "User u1 does not exist\(Self.advice)"
            )
            for role in ["r1", "r2"] { try await server.done("create_role", #"{"role_name":"\#(role)"}"#) }
            let body = #"{"user_id":"u1","role_name":"r1"}"#
            #expect(try await server.send("POST", "/register_user", body).status == 200)
            try await server.expect(
                "remove_role_from_user",
                #"{"user_id":"u1","role_name":"r2"}"#,
                fails: "User u1 does not have the role 'r2': list_users shows which role each user has"
            )
            try await server.expect(
                "remove_role_from_user",
                #"{"user_id":"u1","role_name":"r9"}"#,
                fails: "Role r9 does not exist\(Self.advice)"
            )
            try await server.expect("list_users", lists: #"[["u1","r1"]]"#)
            try await server.expect(
                "remove_role_from_user",
                body,
                says: "Role with name='r1' removed from user with id='u1'"
            )
            try await server.expect("list_users", lists: #"[["u1","(no role)"]]"#)
            try await server.expect(
                "remove_role_from_user",
                body,
                fails: "User u1 does not have the role 'r1': list_users shows which role each user has"
            )
        }
    }

    @Test("names are refused by the same rules as over HTTP", arguments: Engine.available)
    func names(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (value, reason) in [
                ("", "must not be empty"), ("  ", "must not begin or end with white space"),
                (#"a\u0000"#, "must not contain control characters"),
                (#"a\u2003"#, "must not begin or end with white space"),
            ] {
                for (tool, arguments, field) in [
                    ("create_role", #"{"role_name":"\#(value)"}"#, "role_name"),
                    ("remove_role", #"{"role_name":"\#(value)"}"#, "role_name"),
                    ("assign_role_to_user", #"{"user_id":"\#(value)","role_name":"r"}"#, "user_id"),
                    ("assign_role_to_user", #"{"user_id":"u","role_name":"\#(value)"}"#, "role_name"),
                    ("get_tools", #"{"service_name":"\#(value)"}"#, "service_name"),
                    ("remove_service", #"{"service_name":"\#(value)"}"#, "service_name"),
                    ("refresh_service", #"{"service_name":"\#(value)"}"#, "service_name"),
                    (
                        "add_service",
                        #"{"service_name":"\#(value)","endpoint":"http://h/mcp","description":"","requires_authorization":false}"#,
                        "service_name"
                    ),
                    (
                        "authorize_user_to_service", #"{"service_name":"s","user_id":"\#(value)","token":"t"}"#,
                        "user_id"
                    ),
                ] {
                    try await server.expect(tool, arguments, fails: "\(field) \(reason)")
                }
            }
        }
    }
}
