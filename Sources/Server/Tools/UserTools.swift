internal import MCP
internal import Registry

/// The tools about users.
enum UserTools {
    static let user = ToolParameter("user_id", "The user, by the id that agents use for them.")
    static let role = ToolParameter("role_name", "The role's unique name.")
    static let unknownRole = "list_roles shows which roles there are"
    private static let unknown = unknownRole + ", list_users which users are known"

    static func list(_ registry: MCPRegistry) -> [RegistryTool] {
        [
            RegistryTool(
                "list_users",
                "List users",
                "List all users with their roles, as pairs of user id and role name; '(no role)' stands for none.",
                result: [
                    "title": "Result", "type": "array",
                    "items": [
                        "type": "array", "prefixItems": [["type": "string"], ["type": "string"]],
                        "minItems": 2, "maxItems": 2,
                    ],
                ],
                scope: .administer,
                hints: .reads
            ) { _, _ in
                let users = try await registry.users().map { user -> JSONValue in
                    [.string(user.id.rawValue), .string(user.role?.rawValue ?? "(no role)")]
                }
                return .array(users)
            }
        ]
    }

    static func tools(_ registry: MCPRegistry) -> [RegistryTool] {
        [
            RegistryTool(
                "assign_role_to_user",
                "Assign a role to a user",
                "Give a known user a role in place of any other. A user becomes known by its first request.",
                [user, role],
                scope: .administer,
                hints: .overwrites(),
                advice: [.notFound: unknown]
            ) { arguments, principal in
                let user = try UserID(arguments.string("user_id"))
                let role = try RoleName(arguments.string("role_name"))
                try await registry.assign(role, to: user, by: principal)
                return .string("Role with name='\(role)' assigned to user with id='\(user)'")
            },
            RegistryTool(
                "remove_role_from_user",
                "Remove a role from a user",
                "Take a role away from a user who has it. Fails when the user has another role or none.",
                [user, role],
                scope: .administer,
                hints: .removes,
                advice: [.notFound: unknown, .conflict: "list_users shows which role each user has"]
            ) { arguments, principal in
                let user = try UserID(arguments.string("user_id"))
                let role = try RoleName(arguments.string("role_name"))
                try await registry.unassign(role, from: user, by: principal)
                return .string("Role with name='\(role)' removed from user with id='\(user)'")
            },
        ]
    }

    static func whoAmI() -> [RegistryTool] {
        [
            RegistryTool(
                "whoami",
                "Who am I",
                """
                Tell as whom the registry knows the caller, and what the caller may do. Ask when a call was refused, or \
                before you promise a change to somebody.
                """,
                result: [
                    "title": "Result", "type": "object",
                    "properties": [
                        "name": ["type": "string"], "may": ["type": "string"], "user_id": ["type": "string"],
                        "scopes": ["type": "array", "items": ["type": "string"]],
                    ],
                    "required": ["name", "may", "scopes"],
                ],
                scope: nil,
                hints: .reads
            ) { _, principal in
                var answer: JSONObject = ["name": .string(principal.name), "may": .string(may(principal))]
                if let user = principal.user { answer["user_id"] = .string(user.rawValue) }
                answer["scopes"] = .array(principal.scopes.sorted().map { .string($0.rawValue) })
                return .object(answer)
            }
        ]
    }

    private static func may(_ principal: Principal) -> String {
        switch principal {
        case .anonymous: return "everything: this registry has no access control"
        case .administrator: return "everything: this is the administrator's token"
        default:
            let scopes = principal.scopes.isEmpty ? "nothing" : principal.scopes.text
            guard !principal.may(.actForUsers) else { return "\(scopes), for any user" }
            return scopes + (principal.user.map { ", for user '\($0)' only" } ?? ", and act for no user")
        }
    }
}
