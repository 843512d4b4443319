internal import Foundation
internal import Logging
internal import MCP
internal import Registry

/// The resources of the registry's own MCP endpoint: its description, and the catalogue.
struct CatalogResources: Sendable {
    private static let descriptionURI = "resource://service_description"
    private static let servicesURI = "registry://services"
    private static let json = "application/json"

    static let definitions = [
        ResourceDefinition(
            uri: descriptionURI,
            name: "service_description",
            title: "Service description",
            description: "What this service is for.",
            mimeType: "text/plain"
        ),
        ResourceDefinition(
            uri: servicesURI,
            name: "services",
            title: "All services",
            description: "The catalogue: every registered MCP service with its endpoint, description and state.",
            mimeType: json
        ),
    ]
    static let templates = [
        ResourceTemplate(
            uriTemplate: servicesURI + "/{name}",
            name: "service",
            title: "A service",
            description: "One service with its tools and their schemas. The name is percent-encoded.",
            mimeType: json
        )
    ]

    private let registry: MCPRegistry
    private let logger: Logger

    init(_ registry: MCPRegistry, logger: Logger) {
        self.registry = registry
        self.logger = logger
    }

    /// What the resource with a URI says; nil when there is none.
    ///
    /// - Throws: whatever is no caller's fault; it is logged here.
    func read(_ uri: String) async throws -> ResourceText? {
        do {
            switch uri {
            case Self.descriptionURI: return ResourceText(mimeType: "text/plain", text: MCPRoute.instructions)
            case Self.servicesURI: return Self.text(["services": .array(try await registry.services().map(describe))])
            default: return try await service(at: uri)
            }
        } catch {
            // A client that has gone is nobody's fault.
            guard !Task.isCancelled else { throw error }
            logger.error("\(error.message)", metadata: ["resource": "\(uri)", "detail": "\(error.detail ?? "")"])
            throw error
        }
    }

    private func service(at uri: String) async throws(RegistryError) -> ResourceText? {
        let start = Self.servicesURI + "/"
        guard uri.hasPrefix(start), let name = uri.dropFirst(start.count).removingPercentEncoding,
            let service = ServiceName(rawValue: name), let (found, tools) = try await registry.find(service),
            case .object(var entry) = describe(found)
        else { return nil }
        entry["tools"] = .array(tools.map(describe))
        return Self.text(.object(entry))
    }

    private func describe(_ service: RegisteredService) -> JSONValue {
        var entry: JSONObject = [
            "name": .string(service.name.rawValue),
            "endpoint": .string(service.endpoint.rawValue),
            "transport": .string(service.transport.rawValue),
            "description": .string(service.description),
            "requires_authorization": .bool(service.requiresAuthorization),
        ]
        if service.requiresAuthorization { entry["method_authorization"] = .string(service.method.rawValue) }
        entry.note(stateOf: service)
        return .object(entry)
    }

    private func describe(_ tool: Tool) -> JSONValue {
        var entry: JSONObject = [
            "id": .integer(tool.id.rawValue),
            "definition": tool.definition.json,
            "sha256": .string(tool.definition.sha256.hexadecimal),
            "roles": .array(tool.roles.map { .string($0.rawValue) }),
        ]
        entry.note(changeOf: tool)
        return .object(entry)
    }

    private static func text(_ value: JSONValue) -> ResourceText {
        ResourceText(mimeType: json, text: value.text)
    }
}
