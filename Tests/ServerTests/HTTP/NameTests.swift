import TestSupport
import Testing

@testable import Server

@Suite("Names")
struct NameTests {
    private static let registered = #"{"status":"user registered"}"#

    @Test("255 characters of any plane are a name; 256 are not", arguments: Engine.available)
    func lengths(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for character in ["a", "é", "漢", "🍕"] {
                let name = String(repeating: character, count: 255)
                try await server.expect("/register_user", #"{"user_id":"\#(name)"}"#, answers: Self.registered)
                try await server.expect(
                    "/register_user",
                    #"{"user_id":"\#(name + character)"}"#,
                    refuses: 400,
                    "user_id is longer than 255 characters"
                )
                try await server.expect(
                    "create_role",
                    #"{"role_name":"\#(name)"}"#,
                    says: "Role with name='\(name)' created"
                )
                try await server.expect(
                    "create_role",
                    #"{"role_name":"\#(name + character)"}"#,
                    fails: "role_name is longer than 255 characters"
                )
                try await server.expect(
                    "assign_role_to_user",
                    #"{"user_id":"\#(name)","role_name":"\#(name)"}"#,
                    says: "Role with name='\(name)' assigned to user with id='\(name)'"
                )
                try await server.expect("/role_for_user", #"{"user_id":"\#(name)"}"#, answers: #"{"role":"\#(name)"}"#)
            }
        }
    }

    /// Texts that a careless comparison takes for the first: by case, accent, width, decomposition, or as a number.
    private static let lookAlikes = [
        "7abc", "7ABC", "7àbc", "7a\u{300}bc", "７abc", "7abc7", "7", "07", "7.0", "7abc\u{200b}", "ß", "ss", "ẞ",
    ]

    @Test("names that look alike are different users", arguments: Engine.available)
    func users(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            for name in Self.lookAlikes {
                try await server.expect("/register_user", #"{"user_id":"\#(name)"}"#, answers: Self.registered)
            }
            try await server.done("assign_role_to_user", #"{"user_id":"7abc","role_name":"r1"}"#)
            let users = Self.lookAlikes.map { #"{"user":{"user_id":"\#($0)","role":"\#($0 == "7abc" ? "r1" : "")"}}"# }
            try await server.send("GET", "/list_users").expect(#"{"users":[\#(users.joined(separator: ","))]}"#)
        }
    }

    @Test("names that look alike are different roles", arguments: Engine.available)
    func roles(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (number, name) in Self.lookAlikes.enumerated() {
                let arguments = #"{"role_name":"\#(name)","default_system_prompt":"\#(number)"}"#
                try await server.expect("create_role", arguments, says: "Role with name='\(name)' created")
            }
            for (number, name) in Self.lookAlikes.enumerated() {
                try await server.expect(
                    "/system_prompt_for_role",
                    #"{"role":"\#(name)"}"#,
                    answers: #"{"default_system_prompt":"\#(number)"}"#
                )
            }
        }
    }

    @Test("names that look alike are different services with different tokens", arguments: Engine.available)
    func services(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (number, name) in Self.lookAlikes.enumerated() {
                try await server.done(
                    "add_service",
                    """
                    {"service_name":"\(name)","endpoint":"http://h\(number)/mcp","description":"d",\
                    "requires_authorization":true,"method_authorization":"Bearer"}
                    """
                )
                try await server.authorize("alice", name, "t\(number)")
                try await server.authorize("ALICE", name, "T\(number)")
            }
            let entries = Self.lookAlikes.enumerated().map { number, name in
                #""\#(name)":{"transport":"streamable_http","url":"http://h\#(number)/mcp"}"#
            }
            try await server.send("GET", "/list_services").expect(#"{"services":{\#(entries.joined(separator: ","))}}"#)
            for (number, name) in Self.lookAlikes.enumerated() {
                try await server.expect(
                    "/token",
                    #"{"service_name":"\#(name)","user_id":"alice"}"#,
                    answers: #"{"token":"t\#(number)","method_authorization":"Bearer"}"#
                )
                try await server.expect(
                    "/token",
                    #"{"service_name":"\#(name)","user_id":"álice"}"#,
                    refuses: 401,
                    "User is not authorized to use this service. Authorize please."
                )
            }
        }
    }
}
