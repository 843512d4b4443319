internal import MCP
internal import Registry

/// The tools about services.
enum ServiceTools {
    private static let service = ToolParameter("service_name", "The service's unique name.")

    static func tools(_ registry: MCPRegistry) -> [RegistryTool] {
        [add(registry), list(registry), remove(registry), getTools(registry), refresh(registry)]
    }

    private static func add(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "add_service",
            "Register a service",
            """
            Register an MCP service by the full URL of its MCP endpoint, such as https://pizza.example/mcp. Its tools are \
            discovered at once. With an empty description the service is asked for its own. Fails when the name or the \
            endpoint is taken, or when the service does not answer.
            """,
            [
                service,
                ToolParameter("endpoint", "The http or https URL of the service's MCP endpoint."),
                ToolParameter("description", "What the service is for; empty to ask the service itself."),
                ToolParameter(
                    "requires_authorization",
                    .boolean,
                    "Whether calls to the service need the user's own token."
                ),
                ToolParameter(
                    "method_authorization",
                    "How that token is sent: 'Basic' or 'Bearer'. Ignored when none is needed.",
                    standard: ""
                ),
            ],
            hints: .creates(openWorld: true)
        ) { arguments, principal in
            let new = try NewService(
                name: arguments.string("service_name"),
                endpoint: arguments.string("endpoint"),
                description: arguments.string("description"),
                requiresAuthorization: arguments.boolean("requires_authorization"),
                method: arguments.string("method_authorization")
            )
            let added = try await registry.add(new, by: principal)
            return .string("Create service with name='\(added.name)'")
        }
    }

    private static func list(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "list_services",
            "List services",
            """
            List the registered services with endpoint and description. A service whose tools could not be read without a \
            credential also has the status 'authorization_required'.
            """,
            result: [
                "title": "Result", "type": "array",
                "items": ["type": "object", "additionalProperties": ["type": "string"]],
            ],
            hints: .reads
        ) { _, _ in
            let services = try await registry.services().map { service -> JSONValue in
                var entry: JSONObject = [
                    "service_name": .string(service.name.rawValue),
                    "endpoint": .string(service.endpoint.rawValue),
                    "description": .string(service.description),
                ]
                if service.status != .active { entry["status"] = .string(service.status.rawValue) }
                return .object(entry)
            }
            return .array(services)
        }
    }

    private static func remove(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "remove_service",
            "Remove a service",
            "Remove a service for good, with its tools, the roles attached to them, and every token stored for it.",
            [service],
            hints: .removes
        ) { arguments, principal in
            let name = try ServiceName(arguments.string("service_name"))
            try await registry.removeService(name, by: principal)
            return .string("Service with name='\(name)' removed")
        }
    }

    private static func getTools(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "get_tools",
            "List a service's tools",
            "List the tools of a service: id, name, description, and the roles that may use each.",
            [service],
            result: ["title": "Result", "type": "array", "items": ["type": "object"]],
            hints: .reads
        ) { arguments, _ in
            let name = try ServiceName(arguments.string("service_name"))
            return .array(try await registry.tools(of: name).map(describe))
        }
    }

    private static func describe(_ tool: Tool) -> JSONValue {
        [
            "id": .integer(tool.id.rawValue),
            "name": .string(tool.definition.name),
            "description": .string(tool.definition.description),
            "roles": .array(tool.roles.map { .string($0.rawValue) }),
        ]
    }

    private static func refresh(_ registry: MCPRegistry) -> RegistryTool {
        RegistryTool(
            "refresh_service",
            "Read a service's tools again",
            """
            Ask a registered service again which tools it has, after it has changed. Tools that it still has keep their ids \
            and roles.
            """,
            [service],
            hints: .creates(openWorld: true)
        ) { arguments, principal in
            let name = try ServiceName(arguments.string("service_name"))
            let count = try await registry.refresh(name, by: principal)
            return .string("Service with name='\(name)' has \(count) tools now")
        }
    }
}
