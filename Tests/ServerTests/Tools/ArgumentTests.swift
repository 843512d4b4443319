import HTTPTypes
import TestSupport
import Testing

@testable import Server

@Suite("Arguments of tools")
struct ArgumentTests {
    private static func error(_ text: String) -> String { "Input validation error: \(text)" }

    @Test("a missing argument is named", arguments: Engine.available)
    func missing(_ engine: Engine) async throws {
        let calls = [
            ("create_role", "{}", "role_name"), ("remove_role", "{}", "role_name"),
            ("set_role_system_prompt", #"{"role_name":"r"}"#, "default_system_prompt"),
            ("assign_role_to_user", #"{"role_name":"r"}"#, "user_id"),
            ("remove_role_from_user", #"{"user_id":"u"}"#, "role_name"),
            ("attach_role_to_tool", #"{"role_name":"r"}"#, "tool_id"),
            ("detach_role_from_tool", #"{"tool_id":1}"#, "role_name"),
            ("add_service", "{}", "service_name"), ("add_service", #"{"service_name":"s"}"#, "endpoint"),
            ("add_service", #"{"service_name":"s","endpoint":"http://h/mcp"}"#, "description"),
            (
                "add_service", #"{"service_name":"s","endpoint":"http://h/mcp","description":"d"}"#,
                "requires_authorization"
            ),
            ("remove_service", "{}", "service_name"), ("get_tools", "{}", "service_name"),
            ("refresh_service", "{}", "service_name"),
            ("authorize_user_to_service", #"{"service_name":"s","user_id":"u"}"#, "token"),
        ]
        try await TestServer.run(engine) { server in
            for (tool, arguments, name) in calls {
                try await server.expect(
                    tool,
                    arguments,
                    failsWithText: Self.error("'\(name)' is a required property")
                )
            }
        }
    }

    @Test("a value of the wrong type is shown with the type that is wanted", arguments: Engine.available)
    func types(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for value in ["5", "1.5", "true", "null", "[1]", #"{"a":"b"}"#] {
                try await server.expect(
                    "create_role",
                    #"{"role_name":\#(value)}"#,
                    failsWithText: Self.error("\(value) is not of type 'string'")
                )
            }
            for (value, shown) in [(#""1""#, "'1'"), ("1.5", "1.5"), ("true", "true"), ("null", "null"), ("[]", "[]")] {
                try await server.expect(
                    "attach_role_to_tool",
                    #"{"tool_id":\#(value),"role_name":"r"}"#,
                    failsWithText: Self.error("\(shown) is not of type 'integer'")
                )
            }
            for (value, shown) in [(#""true""#, "'true'"), ("1", "1"), ("null", "null")] {
                try await server.expect(
                    "add_service",
                    #"{"service_name":"s","endpoint":"http://h/mcp","description":"d","requires_authorization":\#(value)}"#,
                    failsWithText: Self.error("\(shown) is not of type 'boolean'")
                )
            }
        }
    }

    @Test("whole numbers may be written with a fraction or an exponent", arguments: Engine.available)
    func wholeNumbers(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let ids = try await server.addService("pizza")
            try await server.done("create_role", #"{"role_name":"r1"}"#)
            for number in ["\(ids[0])", "\(ids[0]).0", "\(ids[0])e0"] {
                try await server.expect(
                    "attach_role_to_tool",
                    #"{"tool_id":\#(number),"role_name":"r1"}"#,
                    says: "Role with name='r1' attached to tool with id='\(ids[0])'"
                )
            }
        }
    }

    @Test("an argument that is not declared is refused", arguments: Engine.available)
    func unknown(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (tool, arguments) in [
                ("list_roles", #"{"more":1}"#), ("create_role", #"{"role_name":"r","more":null}"#),
            ] {
                try await server.expect(
                    tool,
                    arguments,
                    failsWithText: Self.error("Additional properties are not allowed ('more' was unexpected)")
                )
            }
            try await server.expect("list_roles", lists: "[]")
        }
    }

    @Test("an error repeats a hundred characters at most, however many accents they carry", arguments: Engine.available)
    func longInput(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            let long = "e" + String(repeating: "\u{301}", count: 100_000)
            for arguments in [#"{"role_name":{"\#(long)":1}}"#, #"{"role_name":"r","\#(long)":1}"#] {
                let answer = try await server.call("create_role", arguments)
                #expect(answer.text.contains("Input validation error") && answer.text.utf8.count < 1_000)
            }
            let tool = try await server.call("approve_tool_changes", #"{"service_name":"s","tool_name":"\#(long)"}"#)
            #expect(tool.text.utf8.count < 1_000)
            server.discovery.offer([StubDiscovery.tool("add", long)])
            try await server.addService("pizza")
            let approval = #"{"service_name":"pizza","tool_name":"\#(long)"}"#
            #expect(try await server.call("approve_tool_changes", approval).text.utf8.count < 1_000)
            #expect(try await server.call("find_tools", #"{"query":"add"}"#).text.utf8.count < 3_000)
        }
    }

    @Test("an error never repeats a token", arguments: Engine.available)
    func secrets(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for value in ["12345678", #"["12345678"]"#, #""12345678\n""#, #""" "12345678""#] {
                let answer = try await server.call(
                    "authorize_user_to_service",
                    #"{"service_name":"s","user_id":"u","token":\#(value)}"#
                )
                #expect(!answer.text.contains("12345678"), "\(answer.text)")
            }
            try await server.expect(
                "authorize_user_to_service",
                #"{"service_name":"s","user_id":"u","token":12345678}"#,
                failsWithText: Self.error("'token' is not of type 'string'")
            )
        }
    }

    @Test("a call that is no call is a JSON-RPC error with status 200", arguments: Engine.available)
    func malformedCalls(_ engine: Engine) async throws {
        let calls = [
            (#"{"name":"nope","arguments":{}}"#, "Unknown tool: nope"), (#"{"arguments":{}}"#, "name must be a string"),
            (#"{"name":7}"#, "name must be a string"),
            (#"{"name":"list_roles","arguments":[]}"#, "arguments must be an object"),
            (#"{"name":"list_roles","arguments":null}"#, "arguments must be an object"),
        ]
        try await TestServer.run(engine) { server in
            for (params, message) in calls {
                let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":\#(params)}"#
                try await server.send("POST", "/mcp", body, headers: [.contentType: "application/json"]).expect(
                    #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"\#(message)"}}"#
                )
            }
            let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_roles"}}"#
            let answer = try await server.send("POST", "/mcp", body, headers: [.contentType: "application/json"])
            #expect(answer.text.contains(#""structuredContent":{"result":[]}"#), "no arguments are none")
        }
    }
}
