internal import DBDriver
internal import MCP
internal import Registry

/// The tools about users' tokens. None of them tells a token: what a tool answers passes through a model.
enum CredentialTools {
    private static let unknown = "list_services shows which services there are, list_user_tokens which tokens"
    private static let agent = ToolParameter("agent", "The caller that is meant, by the name that whoami tells it.")

    static func tools(_ registry: MCPRegistry) -> [RegistryTool] {
        [authorize(registry), list(registry), revoke(registry), grant(registry), withdraw(registry)]
    }

    private static func authorize(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "authorize_user_to_service",
            "Store a user's token",
            """
            Store or replace the token that a user gave for a service, after the service has refused a call for want of \
            authorization. Ask the user for the token, and repeat the original request afterwards. A program that can should \
            send it to POST /user_token instead, where no model reads it.
            """,
            [
                ServiceTools.service,
                UserTools.user,
                ToolParameter("token", "The token, without 'Bearer' or 'Basic' before it.", isSecret: true),
                ToolParameter(
                    "expires_at",
                    "When the token ends, such as 2027-01-31T00:00:00Z, if the user knows.",
                    isOptional: true
                ),
            ],
            scope: .writeTokens,
            hints: .overwrites(),
            advice: [.notFound: ServiceTools.unknownService]
        ) { arguments, principal in
            let service = try ServiceName(arguments.string("service_name"))
            let user = try UserID(arguments.string("user_id"))
            let token = try NewToken(arguments.string("token"))
            let end = try arguments.string(ifGiven: "expires_at").map { try Timestamp(expiry: $0) }
            try await registry.store(token, expiresAt: end, for: user, at: service, by: principal)
            return .string("Authorization token is set, please repeat your original request")
        }
    }

    private static func list(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "list_user_tokens",
            "List a user's tokens",
            """
            List the services for which a user has stored a token: when, until when it holds, and which callers may be given it \
            (granted_to). No token is told.
            """,
            [UserTools.user],
            result: ["title": "Result", "type": "array", "items": ["type": "object"]],
            scope: .writeTokens,
            hints: .reads
        ) { arguments, principal in
            let user = try UserID(arguments.string("user_id"))
            let tokens = try await registry.tokens(of: user, by: principal).map { token -> JSONValue in
                var entry: JSONObject = [
                    "service_name": .string(token.service.rawValue),
                    "created_at": .string(token.createdAt.iso8601),
                    "updated_at": .string(token.updatedAt.iso8601),
                ]
                if let end = token.expiresAt { entry["expires_at"] = .string(end.iso8601) }
                entry["granted_to"] = .array(token.grantedTo.map(JSONValue.string))
                return .object(entry)
            }
            return .array(tokens)
        }
    }

    private static func revoke(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "revoke_user_token",
            "Remove a user's token",
            "Remove the token that a user has stored for a service, for good: nobody is given it any more.",
            [ServiceTools.service, UserTools.user],
            scope: .writeTokens,
            hints: .removes,
            advice: [.notFound: unknown]
        ) { arguments, principal in
            let service = try ServiceName(arguments.string("service_name"))
            let user = try UserID(arguments.string("user_id"))
            try await registry.revokeToken(of: user, at: service, by: principal)
            return .string("Token of user with id='\(user)' for service with name='\(service)' removed")
        }
    }

    private static func grant(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "grant_user_token",
            "Let a caller have a user's token",
            """
            Let another caller, such as an agent, be given a user's token for a service. Only the user and administrators may \
            decide that. A caller through which the user has stored the token has it granted already.
            """,
            [ServiceTools.service, UserTools.user, agent],
            scope: .writeTokens,
            hints: .sets,
            advice: [.notFound: unknown]
        ) { arguments, principal in
            try await setGrant(true, arguments, registry, principal)
        }
    }

    private static func withdraw(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "withdraw_user_token",
            "Let a caller no longer have a user's token",
            "Take back what grant_user_token, or storing a token through a caller, has granted.",
            [ServiceTools.service, UserTools.user, agent],
            scope: .writeTokens,
            hints: .removes,
            advice: [.notFound: unknown]
        ) { arguments, principal in
            try await setGrant(false, arguments, registry, principal)
        }
    }

    private static func setGrant(
        _ isGranted: Bool,
        _ arguments: ToolArguments,
        _ registry: MCPRegistry,
        _ principal: Principal
    ) async throws -> JSONValue {
        let service = try ServiceName(arguments.string("service_name"))
        let user = try UserID(arguments.string("user_id"))
        let agent = try AgentName(arguments.string("agent"))
        try await registry.setGrant(isGranted, to: agent, of: user, at: service, by: principal)
        let may = isGranted ? "may be given" : "is no longer given"
        return .string("'\(agent)' \(may) the token of user with id='\(user)' for service with name='\(service)'")
    }
}
