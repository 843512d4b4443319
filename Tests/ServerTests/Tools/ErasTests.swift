import HTTPTypes
import MCP
import TestSupport
import Testing

@testable import Server

@Suite("Tools in both eras")
struct ErasTests {
    /// Calls of all tools in an order in which each succeeds, and what it says or lists.
    private static let calls = [
        (
            "add_service",
            #"{"service_name":"s1","endpoint":"http://h/mcp","description":"","requires_authorization":true,"method_authorization":"Bearer"}"#,
            #""Create service with name='s1'""#
        ),
        ("list_services", "{}", #"[{"service_name":"s1","endpoint":"http://h/mcp","description":"Reckons."}]"#),
        (
            "get_tools", #"{"service_name":"s1"}"#,
            #"[{"id":1,"name":"add","description":"Adds.","roles":[]},{"id":2,"name":"price","description":"","roles":[]}]"#
        ),
        ("refresh_service", #"{"service_name":"s1"}"#, #""Service with name='s1' has 2 tools now""#),
        (
            "authorize_user_to_service", #"{"service_name":"s1","user_id":"u1","token":"t"}"#,
            #""Authorization token is set, please repeat your original request""#
        ),
        ("create_role", #"{"role_name":"r1"}"#, #""Role with name='r1' created""#),
        (
            "set_role_system_prompt", #"{"role_name":"r1","default_system_prompt":"p"}"#,
            #""Default system prompt is set for role 'r1'""#
        ),
        ("list_roles", "{}", #"[{"name":"r1","default_system_prompt":"p"}]"#),
        (
            "attach_role_to_tool", #"{"tool_id":1,"role_name":"r1"}"#,
            #""Role with name='r1' attached to tool with id='1'""#
        ),
        (
            "detach_role_from_tool", #"{"tool_id":1,"role_name":"r1"}"#,
            #""Role with name='r1' detached from tool with id='1'""#
        ),
        (
            "assign_role_to_user", #"{"user_id":"u1","role_name":"r1"}"#,
            #""Role with name='r1' assigned to user with id='u1'""#
        ),
        ("list_users", "{}", #"[["u1","r1"]]"#),
        (
            "remove_role_from_user", #"{"user_id":"u1","role_name":"r1"}"#,
            #""Role with name='r1' removed from user with id='u1'""#
        ),
        ("remove_role", #"{"role_name":"r1"}"#, #""Role with name='r1' deleted""#),
        ("remove_service", #"{"service_name":"s1"}"#, #""Service with name='s1' removed""#),
    ]

    /// `structuredContent` and `content` of a success.
    private static func result(_ value: String) throws -> String {
        let text = try JSONValue.parse(value).string ?? value
        return
            #""content":[{"type":"text","text":\#(JSONValue.string(text).text)}],"structuredContent":{"result":\#(value)},"isError":false"#
    }

    @Test("a legacy client needs no handshake, no session and no version", arguments: Engine.available)
    func legacy(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (tool, arguments, value) in Self.calls {
                let answer = try await server.call(tool, arguments)
                answer.expect(#"{"jsonrpc":"2.0","id":1,"result":{\#(try Self.result(value))}}"#)
                #expect(answer.header("Cache-Control") == "no-store")
                #expect(answer.header("Mcp-Session-Id") == nil)
            }
        }
    }

    @Test("a client of 2026-07-28 says everything in each request", arguments: Engine.available)
    func modern(_ engine: Engine) async throws {
        let info =
            #""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"mcp-registry","title":"MCP Registry","version":"\#(Version.current)"}}"#
        try await TestServer.run(engine) { server in
            for (tool, arguments, value) in Self.calls {
                let answer = try await Self.modernCall(server, tool, arguments)
                answer.expect(
                    #"{"jsonrpc":"2.0","id":"x","result":{\#(try Self.result(value)),"resultType":"complete",\#(info)}}"#
                )
            }
            let failure = try await Self.modernCall(server, "remove_role", #"{"role_name":"r9"}"#)
            failure.expect(
                #"{"jsonrpc":"2.0","id":"x","result":{"content":[{"type":"text","text":"Error calling tool 'remove_role': Role r9 does not exist: list_roles shows which roles there are"}],"#
                    + #""isError":true,"resultType":"complete",\#(info)}}"#
            )
            let unknown = try await Self.modernCall(server, "nope", "{}")
            #expect(unknown.status == 400)
            #expect(
                unknown.text == #"{"jsonrpc":"2.0","id":"x","error":{"code":-32602,"message":"Unknown tool: nope"}}"#
            )
        }
    }

    private static func modernCall(_ server: TestServer, _ tool: String, _ arguments: String) async throws -> Answer {
        var headers: HTTPFields = [.contentType: "application/json", .accept: "application/json, text/event-stream"]
        for (name, value) in [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", tool)]
        {
            headers[try #require(HTTPField.Name(name))] = value
        }
        let meta =
            #"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#
        let body = """
            {"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"\(tool)","arguments":\(arguments),"_meta":\(meta)}}
            """
        return try await server.send("POST", "/mcp", body, headers: headers)
    }

    @Test("a handshake agrees on a version and gives no session", arguments: Engine.available)
    func handshake(_ engine: Engine) async throws {
        try await TestServer.run(engine) { server in
            for (wish, version) in [
                ("2024-11-05", "2024-11-05"), ("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25"),
            ] {
                let body = """
                    {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"\(wish)","capabilities":{},\
                    "clientInfo":{"name":"c","version":"1"}}}
                    """
                let answer = try await server.send("POST", "/mcp", body, headers: [.contentType: "application/json"])
                let result = try #require(try answer.json["result"])
                #expect(result["protocolVersion"]?.string == version)
                #expect(
                    result["instructions"]?.string
                        == "The MCP registry that stores other MCP service endpoints, descriptions, and their available tools. "
                        + "Allows to manage them"
                )
                #expect(answer.header("Mcp-Session-Id") == nil)
            }
            let body = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
            let answer = try await server.send("POST", "/mcp", body, headers: [.contentType: "application/json"])
            #expect(answer.status == 202 && answer.text.isEmpty)
        }
    }
}
