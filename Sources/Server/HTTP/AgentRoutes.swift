internal import DBDriver
internal import HTTPTypes
internal import HummingbirdCore
internal import MCP
internal import Registry

/// What agents ask over plain HTTP.
enum AgentRoutes {
    static func routes(_ registry: MCPRegistry) -> [Route] {
        let documents = CatalogCache<CatalogDocument>(registry)
        let token = { @Sendable (request: Request, principal: Principal) in
            // Nobody on the way may keep it (RFC 9111 §5.2.2.5); nor an error, see Problem.
            var answer = try await self.token(try await RequestFields(bodyOrQuery: request), registry, principal)
            answer.headers[.cacheControl] = "no-store"
            return answer
        }
        return [
            Route(.get, "/list_services", .scope(.read)) { request, _ in
                if let page = try RequestFields(query: request, only: RequestFields.pageNames).page() {
                    return try await services(page, registry)
                }
                let document = try await documents.answer(to: .init(.services)) { () async throws(RegistryError) in
                    try await listServices(registry)
                }
                return document.response(to: request, isConditional: true)
            },
            Route(.get, "/token", .scope(.readTokens), handle: token),
            Route(.post, "/token", .scope(.readTokens), handle: token),
            Route(.post, "/user_token", .scope(.writeTokens), isChange: true) { request, principal in
                try await storeToken(try await RequestFields(body: request), registry, principal)
            },
            Route(.post, "/role_for_user", .scope(.read)) { request, principal in
                try await roleForUser(try await RequestFields(body: request), registry, principal)
            },
            Route(.post, "/tools_for_role", .scope(.read)) { request, _ in
                let fields = try await RequestFields(body: request)
                let role = try role(fields)
                if let page = try fields.page() { return try await tools(of: role, page, registry) }
                return try await documents.answer(to: .init(.toolsOfRole, of: role.rawValue)) {
                    () async throws(RegistryError) in try await toolsForRole(role, registry)
                }.response(to: request)
            },
            Route(.post, "/system_prompt_for_role", .scope(.read)) { request, _ in
                let role = try role(try await RequestFields(body: request))
                return try await documents.answer(to: .init(.promptOfRole, of: role.rawValue)) {
                    () async throws(RegistryError) in
                    CatalogDocument(["default_system_prompt": .string(try await registry.systemPrompt(of: role))])
                }.response(to: request)
            },
        ]
    }

    private static func listServices(_ registry: MCPRegistry) async throws(RegistryError) -> CatalogDocument {
        CatalogDocument(["services": entries(try await registry.services())])
    }

    private static func services(_ page: PageRequest, _ registry: MCPRegistry) async throws(RegistryError) -> Response {
        let found = try await registry.services(page)
        return .json(["services": entries(found.elements)], next: found.next)
    }

    private static func entries(_ services: [RegisteredService]) -> JSONValue {
        .object(
            JSONObject(
                services.map { service in
                    let entry: JSONValue = [
                        "transport": .string(service.transport.rawValue), "url": .string(service.endpoint.rawValue),
                    ]
                    return (service.name.rawValue, entry)
                }
            )
        )
    }

    /// The only answer with a secret in it.
    private static func token(
        _ fields: RequestFields,
        _ registry: MCPRegistry,
        _ principal: Principal
    ) async throws -> Response {
        let missing = "service_name and user_id are required"
        let service = try fields.required("service_name", orElse: missing)
        let user = try fields.required("user_id", orElse: missing)
        switch try await registry.access(to: ServiceName(service), for: UserID(user), by: principal) {
        case .open: return .json(["status": "Ok"])
        case .token(let secret, let method):
            guard let text = secret.revealText() else {
                throw RegistryError(.internal, "internal error", detail: "a stored token is not UTF-8")
            }
            return .json(["token": .string(text), "method_authorization": .string(method.rawValue)])
        }
    }

    /// The same as the tool `authorize_user_to_service`, where no model reads the token.
    private static func storeToken(
        _ fields: RequestFields,
        _ registry: MCPRegistry,
        _ principal: Principal
    ) async throws -> Response {
        let missing = "service_name, user_id and token are required"
        let service = try ServiceName(try fields.required("service_name", orElse: missing))
        let user = try UserID(try fields.required("user_id", orElse: missing))
        let token = try NewToken(try fields.required("token", orElse: missing))
        let end = try fields.optional("expires_at", nullAllowed: true).map { try Timestamp(expiry: $0) }
        try await registry.store(token, expiresAt: end, for: user, at: service, by: principal)
        return .json(["status": "token stored"])
    }

    private static func roleForUser(
        _ fields: RequestFields,
        _ registry: MCPRegistry,
        _ principal: Principal
    ) async throws -> Response {
        let user = try UserID(try fields.required("user_id", orElse: "user_id is required"))
        let role = try await registry.role(of: user, by: principal)
        return .json(["role": .string(role?.rawValue ?? "")])
    }

    private static func toolsForRole(
        _ role: RoleName,
        _ registry: MCPRegistry
    ) async throws(RegistryError) -> CatalogDocument {
        CatalogDocument(["tools": entries(try await registry.tools(usableBy: role))])
    }

    private static func tools(
        of role: RoleName,
        _ page: PageRequest,
        _ registry: MCPRegistry
    ) async throws(RegistryError) -> Response {
        let found = try await registry.tools(usableBy: role, page)
        return .json(["tools": entries(found.elements)], next: found.next)
    }

    private static func entries(_ tools: [Tool]) -> JSONValue {
        .array(
            tools.map { tool in
                [
                    "id": .integer(tool.id.rawValue),
                    "name": .string(tool.definition.name),
                    "description": .string(tool.definition.description),
                    "service_name": .string(tool.serviceName.rawValue),
                ]
            }
        )
    }

    private static func role(_ fields: RequestFields) throws -> RoleName {
        try RoleName(try fields.required("role", orElse: "role is required and should be non-empty"), field: "role")
    }
}
