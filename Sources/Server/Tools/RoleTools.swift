internal import MCP
internal import Registry

/// The tools about roles and what they may use.
enum RoleTools {
    private static let toolID = ToolParameter("tool_id", .integer, "The tool's id, as get_tools lists it.")
    private static let unknownLink = UserTools.unknownRole + ", get_tools which tools a service has"

    static func tools(_ registry: MCPRegistry) -> [RegistryTool] {
        [
            RegistryTool(
                "create_role",
                "Create a role",
                "Create a role that users can have and tools can be attached to. Fails when the name is taken.",
                [
                    UserTools.role,
                    ToolParameter(
                        "default_system_prompt",
                        "What agents add to their system prompt for users with this role; at most 8192 characters.",
                        standard: ""
                    ),
                ],
                scope: .administer,
                hints: .creates(),
                advice: [.conflict: "choose another name, or change that role with set_role_system_prompt"]
            ) { arguments, principal in
                // The length of the prompt is checked before anything about the role.
                let prompt = try SystemPrompt(arguments.string("default_system_prompt"))
                let role = try RoleName(arguments.string("role_name"))
                try await registry.createRole(role, prompt, by: principal)
                return .string("Role with name='\(role)' created")
            },
            RegistryTool(
                "list_roles",
                "List roles",
                "List all roles with their default system prompts.",
                result: [
                    "title": "Result", "type": "array",
                    "items": ["type": "object", "additionalProperties": ["type": "string"]],
                ],
                scope: .read,
                hints: .reads
            ) { _, _ in
                let roles = try await registry.roles().map { role -> JSONValue in
                    ["name": .string(role.name.rawValue), "default_system_prompt": .string(role.defaultSystemPrompt)]
                }
                return .array(roles)
            },
            RegistryTool(
                "remove_role",
                "Remove a role",
                "Remove a role for good. Its users are left without a role, and its tools lose it.",
                [UserTools.role],
                scope: .administer,
                hints: .removes,
                advice: [.notFound: UserTools.unknownRole]
            ) { arguments, principal in
                let role = try RoleName(arguments.string("role_name"))
                try await registry.removeRole(role, by: principal)
                return .string("Role with name='\(role)' deleted")
            },
            RegistryTool(
                "set_role_system_prompt",
                "Set a role's system prompt",
                "Replace what agents add to their system prompt for users with this role.",
                [
                    UserTools.role,
                    ToolParameter("default_system_prompt", "The new text, at most 8192 characters; empty for none."),
                ],
                scope: .administer,
                hints: .overwrites(),
                advice: [.notFound: UserTools.unknownRole]
            ) { arguments, principal in
                let prompt = try SystemPrompt(arguments.string("default_system_prompt"))
                let role = try RoleName(arguments.string("role_name"))
                try await registry.setSystemPrompt(of: role, to: prompt, by: principal)
                return .string("Default system prompt is set for role '\(role)'")
            },
        ]
    }

    static func links(_ registry: MCPRegistry) -> [RegistryTool] {
        [
            RegistryTool(
                "attach_role_to_tool",
                "Let a role use a tool",
                "Let the users with a role use a tool. No change when they may already.",
                [toolID, UserTools.role],
                scope: .administer,
                hints: .sets,
                advice: [.notFound: unknownLink]
            ) { arguments, principal in
                let role = try RoleName(arguments.string("role_name"))
                let tool = try tool(arguments)
                try await registry.attach(role, to: tool, by: principal)
                return .string("Role with name='\(role)' attached to tool with id='\(tool)'")
            },
            RegistryTool(
                "detach_role_from_tool",
                "Take a tool away from a role",
                "Keep the users with a role from using a tool. No change when they could not use it.",
                [toolID, UserTools.role],
                scope: .administer,
                hints: .removes,
                advice: [.notFound: unknownLink]
            ) { arguments, principal in
                let role = try RoleName(arguments.string("role_name"))
                let tool = try tool(arguments)
                try await registry.detach(role, from: tool, by: principal)
                return .string("Role with name='\(role)' detached from tool with id='\(tool)'")
            },
        ]
    }

    /// No tool has a number beyond 64 bits.
    private static func tool(_ arguments: ToolArguments) throws -> ToolID {
        guard let number = arguments.integer("tool_id") else {
            throw RegistryError(.notFound, "Tool with id '\(arguments.text("tool_id"))' not found")
        }
        return ToolID(rawValue: number)
    }
}
