internal import HTTPTypes
internal import HummingbirdCore
internal import MCP
internal import Registry

/// What administrators' programs ask over plain HTTP.
enum AdminRoutes {
    static func routes(_ registry: MCPRegistry) -> [Route] {
        [
            Route(.get, "/list_users", .scope(.administer)) { request, _ in
                guard let page = try RequestFields(query: request, only: RequestFields.pageNames).page() else {
                    return .json(["users": entries(try await registry.users())])
                }
                let found = try await registry.users(page)
                return .json(["users": entries(found.elements)], next: found.next)
            },
            Route(.post, "/register_user", .scope(.administer), isChange: true) { request, principal in
                let fields = try await RequestFields(body: request)
                let user = try UserID(try fields.required("user_id", orElse: "user_id is required"))
                let role = try fields.optional("role_name", nullAllowed: true) ?? ""
                try await registry.register(user, role: role.isEmpty ? nil : RoleName(role), by: principal)
                return .json(["status": "user registered"])
            },
            Route(.post, "/discovery_credential", .scope(.write), isChange: true) { request, principal in
                try await storeDiscoveryCredential(try await RequestFields(body: request), registry, principal)
            },
        ]
    }

    private static func entries(_ users: [User]) -> JSONValue {
        .array(
            users.map { user in
                ["user": ["user_id": .string(user.id.rawValue), "role": .string(user.role?.rawValue ?? "")]]
            }
        )
    }

    /// Only here and not as a tool: what a tool is called with passes through a model.
    private static func storeDiscoveryCredential(
        _ fields: RequestFields,
        _ registry: MCPRegistry,
        _ principal: Principal
    ) async throws -> Response {
        let missing = "service_name, method_authorization and token are required"
        let service = try ServiceName(try fields.required("service_name", orElse: missing))
        let method = try AuthorizationMethod(required: try fields.required("method_authorization", orElse: missing))
        let token = try NewToken(try fields.required("token", orElse: missing))
        try await registry.storeDiscoveryCredential(token, method, for: service, by: principal)
        return .json(["status": "discovery credential stored"])
    }
}
