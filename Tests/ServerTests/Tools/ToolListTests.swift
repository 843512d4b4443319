import HTTPTypes
import MCP
import TestSupport
import Testing

@testable import Server

@Suite("tools/list")
struct ToolListTests {
    private static let strings =
        #"{"title":"Result","type":"array","items":{"type":"object","additionalProperties":{"type":"string"}}}"#
    private static let objects = #"{"title":"Result","type":"array","items":{"type":"object"}}"#
    private static let text = #"{"title":"Result","type":"string"}"#

    /// Each tool in order: its properties, which of them are required, its result, and its hints.
    private static let tools: [(name: String, properties: String, required: String, result: String, hints: String)] = [
        (
            "list_users", "", "",
            #"{"title":"Result","type":"array","items":{"type":"array","prefixItems":[{"type":"string"},{"type":"string"}],"minItems":2,"maxItems":2}}"#,
            "reads"
        ),
        (
            "create_role",
            string("role_name", "Role Name") + "," + string("default_system_prompt", "Default System Prompt", #""""#),
            #""role_name""#, text, "creates"
        ),
        ("list_roles", "", "", strings, "reads"),
        ("remove_role", string("role_name", "Role Name"), #""role_name""#, text, "removes"),
        (
            "set_role_system_prompt",
            string("role_name", "Role Name") + "," + string("default_system_prompt", "Default System Prompt"),
            #""role_name","default_system_prompt""#, text, "overwrites"
        ),
        (
            "assign_role_to_user", string("user_id", "User Id") + "," + string("role_name", "Role Name"),
            #""user_id","role_name""#, text, "overwrites"
        ),
        (
            "remove_role_from_user", string("user_id", "User Id") + "," + string("role_name", "Role Name"),
            #""user_id","role_name""#, text, "removes"
        ),
        (
            "attach_role_to_tool",
            #""tool_id":{"title":"Tool Id","type":"integer"},"# + string("role_name", "Role Name"),
            #""tool_id","role_name""#, text, "sets"
        ),
        (
            "detach_role_from_tool",
            #""tool_id":{"title":"Tool Id","type":"integer"},"# + string("role_name", "Role Name"),
            #""tool_id","role_name""#, text, "removes"
        ),
        (
            "add_service",
            [
                string("service_name", "Service Name"), string("endpoint", "Endpoint"),
                string("description", "Description"),
                #""requires_authorization":{"title":"Requires Authorization","type":"boolean"}"#,
                string("method_authorization", "Method Authorization", #""""#),
            ].joined(separator: ","),
            #""service_name","endpoint","description","requires_authorization""#, text, "creates, open world"
        ),
        ("list_services", "", "", strings, "reads"),
        ("remove_service", string("service_name", "Service Name"), #""service_name""#, text, "removes"),
        (
            "get_tools", string("service_name", "Service Name"), #""service_name""#,
            objects, "reads"
        ),
        ("refresh_service", string("service_name", "Service Name"), #""service_name""#, text, "overwrites, open world"),
        (
            "update_service",
            [
                string("service_name", "Service Name"), string("endpoint", "Endpoint"),
                string("description", "Description"),
                #""requires_authorization":{"title":"Requires Authorization","type":"boolean"}"#,
                string("method_authorization", "Method Authorization"),
            ].joined(separator: ","),
            #""service_name""#, text, "overwrites, open world"
        ),
        ("find_tools", string("query", "Query") + "," + string("role", "Role"), #""query""#, objects, "reads"),
        (
            "authorize_user_to_service",
            [
                string("service_name", "Service Name"), string("user_id", "User Id"), string("token", "Token"),
                string("expires_at", "Expires At"),
            ].joined(separator: ","),
            #""service_name","user_id","token""#, text, "overwrites"
        ),
        ("list_user_tokens", string("user_id", "User Id"), #""user_id""#, objects, "reads"),
        ("revoke_user_token", tokenOf, #""service_name","user_id""#, text, "removes"),
        (
            "grant_user_token", tokenOf + "," + string("agent", "Agent"), #""service_name","user_id","agent""#, text,
            "sets"
        ),
        (
            "withdraw_user_token", tokenOf + "," + string("agent", "Agent"), #""service_name","user_id","agent""#, text,
            "removes"
        ),
        (
            "list_tool_changes", string("service_name", "Service Name") + "," + string("tool_name", "Tool Name"), "",
            objects, "reads"
        ),
        (
            "approve_tool_changes",
            [string("service_name", "Service Name"), string("tool_name", "Tool Name"), string("sha256", "Sha256")]
                .joined(separator: ","),
            #""service_name""#, text, "overwrites"
        ),
        (
            "whoami", "", "",
            #"{"title":"Result","type":"object","properties":{"name":{"type":"string"},"may":{"type":"string"},"user_id":{"type":"string"},"scopes":{"type":"array","items":{"type":"string"}}},"required":["name","may","scopes"]}"#,
            "reads"
        ),
    ]

    private static let tokenOf = string("service_name", "Service Name") + "," + string("user_id", "User Id")
    private static let hints = [
        "reads": "true,false,true,false", "creates": "false,false,false,false",
        "creates, open world": "false,false,false,true",
        "sets": "false,false,true,false", "removes": "false,true,true,false",
        "overwrites": "false,true,true,false", "overwrites, open world": "false,true,true,true",
    ]

    private static func string(_ name: String, _ title: String, _ standard: String? = nil) -> String {
        let standard = standard.map { #","default":\#($0)"# } ?? ""
        return #""\#(name)":{"title":"\#(title)","type":"string"\#(standard)}"#
    }

    /// The tool without its texts for people, which may change.
    private static func shape(_ tool: JSONValue) throws -> (name: String, shape: String) {
        var tool = try #require(tool.object)
        var input = try #require(tool["inputSchema"]?.object)
        if let properties = input["properties"]?.object {
            let bare = try properties.members.map { member in
                var schema = try #require(member.value.object)
                #expect(schema["description"]?.string?.isEmpty == false)
                schema["description"] = nil
                return (member.key, JSONValue.object(schema))
            }
            input["properties"] = .object(JSONObject(bare))
        }
        tool["inputSchema"] = .object(input)
        let title = try #require(tool["title"]?.string)
        #expect(!title.isEmpty && tool["description"]?.string?.isEmpty == false)
        #expect(tool["annotations"]?["title"]?.string == title)
        var annotations = try #require(tool["annotations"]?.object)
        annotations["title"] = nil
        tool["annotations"] = .object(annotations)
        tool["title"] = nil
        tool["description"] = nil
        return (try #require(tool["name"]?.string), JSONValue.object(tool).text)
    }

    @Test("the tools come in their order with their schemas, result forms and hints")
    func list() async throws {
        try await TestServer.run(.sqlite) { server in
            let body = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#
            let answer = try await server.send("POST", "/mcp", body, headers: [.contentType: "application/json"])
            let listed = try (try #require(try answer.json["result"]?["tools"]?.array)).map(Self.shape)
            #expect(listed.map(\.name) == Self.tools.map(\.name))
            for (listed, tool) in zip(listed, Self.tools) {
                let properties = tool.properties.isEmpty ? "" : #","properties":{\#(tool.properties)}"#
                let required = tool.required.isEmpty ? "" : #","required":[\#(tool.required)]"#
                let hints = try #require(Self.hints[tool.hints]).split(separator: ",")
                let expected =
                    #"{"name":"\#(tool.name)","inputSchema":{"type":"object"\#(properties)\#(required),"additionalProperties":false},"#
                    + #""outputSchema":{"type":"object","properties":{"result":\#(tool.result)},"required":["result"],"x-fastmcp-wrap-result":true},"#
                    + #""annotations":{"readOnlyHint":\#(hints[0]),"destructiveHint":\#(hints[1]),"idempotentHint":\#(hints[2]),"#
                    + #""openWorldHint":\#(hints[3])}}"#
                #expect(listed.shape == expected)
            }
        }
    }
}
