import Registry
import TestSupport
import Testing

@testable import Server

@Suite("What agents ask over HTTP")
struct AgentRoutesTests {
    @Test("/list_services names each service's transport and URL, oldest first", arguments: Engine.available)
    func services(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.send("GET", "/list_services").expect(#"{"services":{}}"#)
            try await server.addService("pizza")
            try await server.addService("bank", method: "Bearer")
            try await server.send("GET", "/list_services").expect(
                #"{"services":{"pizza":{"transport":"streamable_http","url":"http://pizza.example/mcp"},"#
                    + #""bank":{"transport":"streamable_http","url":"http://bank.example/mcp"}}}"#
            )
        }
    }

    @Test("/role_for_user makes an unknown user known, without a role", arguments: Engine.available)
    func roleForUser(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for _ in 1...2 {
                try await server.expect("/role_for_user", #"{"user_id":"u1"}"#, answers: #"{"role":""}"#)
                #expect(try await server.users() == #"{"users":[{"user":{"user_id":"u1","role":""}}]}"#)
            }
            try await server.done("create_role", #"{"role_name":"Köchin"}"#)
            try await server.done("assign_role_to_user", #"{"user_id":"u1","role_name":"Köchin"}"#)
            try await server.expect("/role_for_user", #"{"user_id":"u1"}"#, answers: #"{"role":"Köchin"}"#)
        }
    }

    @Test(
        "/system_prompt_for_role answers the prompt unescaped, and nothing for an unknown role",
        arguments: Engine.available
    )
    func systemPrompt(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.done("create_role", #"{"role_name":"r1","default_system_prompt":"Grüße 🍕\n\"x\""}"#)
            try await server.expect(
                "/system_prompt_for_role",
                #"{"role":"r1"}"#,
                answers: #"{"default_system_prompt":"Grüße 🍕\n\"x\""}"#
            )
            for role in ["r2", "R1"] {
                try await server.expect(
                    "/system_prompt_for_role",
                    #"{"role":"\#(role)"}"#,
                    answers: #"{"default_system_prompt":""}"#
                )
            }
        }
    }

    @Test("/tools_for_role lists the tools that the role is attached to", arguments: Engine.available)
    func toolsForRole(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("pizza")
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            for role in ["r1", "r2"] {
                try await server.expect("/tools_for_role", #"{"role":"\#(role)"}"#, answers: #"{"tools":[]}"#)
            }
            for id in ids.reversed() {
                try await server.done("attach_role_to_tool", #"{"tool_id":\#(id),"role_name":"r1"}"#)
            }
            try await server.expect(
                "/tools_for_role",
                #"{"role":"r1"}"#,
                answers: #"{"tools":[{"id":\#(ids[0]),"name":"add","description":"Adds.","service_name":"pizza"},"#
                    + #"{"id":\#(ids[1]),"name":"price","description":"","service_name":"pizza"}]}"#
            )
            try await server.expect("/tools_for_role", #"{"role":"r2"}"#, answers: #"{"tools":[]}"#)
            try await server.done("remove_service", #"{"service_name":"pizza"}"#)
            try await server.expect("/tools_for_role", #"{"role":"r1"}"#, answers: #"{"tools":[]}"#)
        }
    }

    @Test(
        "TOOLS_WITHOUT_ROLES=allowed opens tools without roles to every role that exists",
        arguments: Engine.available
    )
    func toolsWithoutRoles(_ engine: Engine) async throws {
        var options = TestServer.Options()
        options.policy.toolsWithoutRoles = .allowed
        try await TestServer.run(engine, options) { server in
            let ids = try await server.addService("pizza")
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            try await server.done("create_role", #"{"role_name":"r2"}"#)
            try await server.done("attach_role_to_tool", #"{"tool_id":\#(ids[0]),"role_name":"r1"}"#)
            let add = #"{"id":\#(ids[0]),"name":"add","description":"Adds.","service_name":"pizza"}"#
            let price = #"{"id":\#(ids[1]),"name":"price","description":"","service_name":"pizza"}"#
            try await server.expect("/tools_for_role", #"{"role":"r1"}"#, answers: #"{"tools":[\#(add),\#(price)]}"#)
            try await server.expect("/tools_for_role", #"{"role":"r2"}"#, answers: #"{"tools":[\#(price)]}"#)
            try await server.expect("/tools_for_role", #"{"role":"r3"}"#, answers: #"{"tools":[]}"#)
        }
    }
}
