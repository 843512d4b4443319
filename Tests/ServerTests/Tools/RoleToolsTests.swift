import TestSupport
import Testing

@testable import Server

@Suite("Tools about roles")
struct RoleToolsTests {
    /// What a model is told when a role or a tool is unknown.
    private static let advice = ": list_roles shows which roles there are, get_tools which tools a service has"

    private static let prompt8192 = String(repeating: "ü", count: 8_191) + "🍕"

    @Test("create_role, list_roles and remove_role", arguments: Engine.available)
    func lifecycle(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.expect("list_roles", lists: "[]")
            try await server.expect("create_role", #"{"role_name":"r2"}"#, says: "Role with name='r2' created")
            try await server.expect(
                "create_role",
                #"{"role_name":"r1","default_system_prompt":"Grüße\n🍕"}"#,
                says: "Role with name='r1' created"
            )
            try await server.expect(
                "create_role",
                #"{"role_name":"r1","default_system_prompt":"other"}"#,
                fails:
                    "Role with name 'r1' already exists: choose another name, or change that role with set_role_system_prompt"
            )
            try await server.expect(
                "list_roles",
                lists: #"[{"name":"r2","default_system_prompt":""},{"name":"r1","default_system_prompt":"Grüße\n🍕"}]"#
            )
            try await server.expect("remove_role", #"{"role_name":"r2"}"#, says: "Role with name='r2' deleted")
            for role in ["r2", "R1"] {
                try await server.expect(
                    "remove_role",
                    #"{"role_name":"\#(role)"}"#,
                    fails: "Role \(role) does not exist: list_roles shows which roles there are"
                )
            }
            try await server.expect("list_roles", lists: #"[{"name":"r1","default_system_prompt":"Grüße\n🍕"}]"#)
            #expect(server.hook.count == 3, "one for each change and none for what failed")
        }
    }

    @Test("removing a role takes it from its users and tools", arguments: Engine.available)
    func removal(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("pizza")
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            #expect(
                try await server.send("POST", "/register_user", #"{"user_id":"u1","role_name":"r1"}"#).status == 200
            )
            try await server.done("attach_role_to_tool", #"{"tool_id":\#(ids[0]),"role_name":"r1"}"#)
            try await server.done("remove_role", #"{"role_name":"r1"}"#)
            try await server.expect("list_users", lists: #"[["u1","(no role)"]]"#)
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            try await server.expect("/tools_for_role", #"{"role":"r1"}"#, answers: #"{"tools":[]}"#)
        }
    }

    @Test("set_role_system_prompt replaces the prompt, also by nothing", arguments: Engine.available)
    func setPrompt(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.done("create_role", #"{"role_name":"r1","default_system_prompt":"old"}"#)
            for prompt in ["new", "new", "", "  "] {
                try await server.expect(
                    "set_role_system_prompt",
                    #"{"role_name":"r1","default_system_prompt":"\#(prompt)"}"#,
                    says: "Default system prompt is set for role 'r1'"
                )
                try await server.expect(
                    "/system_prompt_for_role",
                    #"{"role":"r1"}"#,
                    answers: #"{"default_system_prompt":"\#(prompt)"}"#
                )
            }
            try await server.expect(
                "set_role_system_prompt",
                #"{"role_name":"r9","default_system_prompt":"x"}"#,
                fails: "Role with name 'r9' not found: list_roles shows which roles there are"
            )
        }
    }

    @Test(
        "a prompt has at most 8192 characters; a longer one changes nothing and is an error",
        arguments: Engine.available
    )
    func promptLength(_ engine: Engine) async throws {
        let tooLong = "Provided default_system_prompt length=8193 exceeds maximum 8192 characters"
        try await TestServer.run(engine) { server in
            try await server.expect(
                "create_role",
                #"{"role_name":"r1","default_system_prompt":"\#(Self.prompt8192)"}"#,
                says: "Role with name='r1' created"
            )
            try await server.expect(
                "create_role",
                #"{"role_name":"r2","default_system_prompt":"\#(Self.prompt8192)x"}"#,
                fails: tooLong
            )
            try await server.expect(
                "set_role_system_prompt",
                #"{"role_name":"r1","default_system_prompt":"\#(Self.prompt8192)x"}"#,
                fails: tooLong
            )
            try await server.expect(
                "set_role_system_prompt",
                #"{"role_name":"r9","default_system_prompt":"\#(Self.prompt8192)x"}"#,
                fails: tooLong
            )
            try await server.expect(
                "list_roles",
                lists: #"[{"name":"r1","default_system_prompt":"\#(Self.prompt8192)"}]"#
            )
            try await server.expect(
                "set_role_system_prompt",
                #"{"role_name":"r1","default_system_prompt":"\#(Self.prompt8192)"}"#,
                says: "Default system prompt is set for role 'r1'"
            )
        }
    }

    @Test("attach and detach are idempotent, and check the role before the tool", arguments: Engine.available)
    func links(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let id = try await server.addService("pizza")[0]
            for role in ["r2", "r1"] { try await server.done("create_role", #"{"role_name":"\#(role)"}"#) }
            func roles(_ list: String) async throws {
                let tools = try await server.call("get_tools", #"{"service_name":"pizza"}"#)
                #expect(
                    tools.text.contains(
                        #""structuredContent":{"result":[{"id":\#(id),"name":"add","description":"Adds.","roles":\#(list)}"#
                    )
                )
            }
            for role in ["r2", "r1", "r2"] {
                try await server.expect(
                    "attach_role_to_tool",
                    #"{"tool_id":\#(id),"role_name":"\#(role)"}"#,
                    says: "Role with name='\(role)' attached to tool with id='\(id)'"
                )
            }
            try await roles(#"["r2","r1"]"#)
            for _ in 1...2 {
                try await server.expect(
                    "detach_role_from_tool",
                    #"{"tool_id":\#(id),"role_name":"r2"}"#,
                    says: "Role with name='r2' detached from tool with id='\(id)'"
                )
                try await roles(#"["r1"]"#)
            }
            for tool in ["attach_role_to_tool", "detach_role_from_tool"] {
                try await server.expect(
                    tool,
                    #"{"tool_id":999,"role_name":"r9"}"#,
                    fails: "Role with name 'r9' not found\(Self.advice)"
                )
                for number in ["999", "0", "-1", "9223372036854775807", "-9223372036854775808"] {
                    try await server.expect(
                        tool,
                        #"{"tool_id":\#(number),"role_name":"r1"}"#,
                        fails: "Tool with id '\(number)' not found\(Self.advice)"
                    )
                }
            }
        }
    }

    @Test("no tool has an id beyond 64 bits", arguments: Engine.available)
    func hugeNumbers(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            for tool in ["attach_role_to_tool", "detach_role_from_tool"] {
                for (number, shown) in [
                    ("9223372036854775808", "9.223372036854776e+18"), ("1e300", "1e+300"),
                    ("-9223372036854775809000", "-9.223372036854776e+21"),
                ] {
                    try await server.expect(
                        tool,
                        #"{"tool_id":\#(number),"role_name":"r1"}"#,
                        fails: "Tool with id '\(shown)' not found\(Self.advice)"
                    )
                }
            }
        }
    }
}
