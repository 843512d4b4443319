internal import MCP
internal import Registry

/// The tool that stores a user's token.
enum CredentialTools {
    static func tools(_ registry: MCPRegistry) -> [RegistryTool] {
        [
            RegistryTool(
                "authorize_user_to_service",
                "Store a user's token",
                """
                Store or replace the token that a user gave for a service, after the service has refused a call for want of \
                authorization. Ask the user for the token, and repeat the original request afterwards.
                """,
                [
                    ServiceTools.service,
                    UserTools.user,
                    ToolParameter("token", "The token, without 'Bearer' or 'Basic' before it.", isSecret: true),
                ],
                scope: .writeTokens,
                hints: .overwrites(),
                advice: [.notFound: ServiceTools.unknownService]
            ) { arguments, principal in
                let service = try ServiceName(arguments.string("service_name"))
                let user = try UserID(arguments.string("user_id"))
                let token = try NewToken(arguments.string("token"))
                try await registry.store(token, for: user, at: service, by: principal)
                return .string("Authorization token is set, please repeat your original request")
            }
        ]
    }
}
