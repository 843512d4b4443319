internal import Foundation
internal import Logging
internal import MCP
internal import Registry

/// The resources of the registry's own MCP endpoint: its description, and the catalogue.
struct CatalogResources: Sendable {
    private static let descriptionURI = "resource://service_description"
    private static let servicesURI = "registry://services"
    private static let json = "application/json"
    /// Bytes of definitions that the resource of one service tells: 1 MiB. Further tools are told without theirs.
    private static let definitionBytesMax = 1_048_576

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
            case Self.servicesURI: return try await services()
            default: return try await service(at: uri)
            }
        } catch {
            // A client that has gone is nobody's fault.
            guard !Task.isCancelled else { throw error }
            logger.error("\(error.message)", metadata: ["resource": "\(uri)", "detail": "\(error.detail ?? "")"])
            throw error
        }
    }

    /// Where the resource about a service is.
    static func uri(of service: ServiceName) -> String {
        servicesURI + "/"
            + (service.rawValue.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? service.rawValue)
    }

    private func services() async throws(RegistryError) -> ResourceText {
        var room = JSONObject.descriptionBytesMax
        let services = try await registry.services().map { JSONValue.object(describe($0, &room)) }
        return ResourceText(mimeType: Self.json, text: JSONValue.object(["services": .array(services)]).text)
    }

    private func service(at uri: String) async throws(RegistryError) -> ResourceText? {
        let start = Self.servicesURI + "/"
        guard uri.hasPrefix(start), let name = uri.dropFirst(start.count).removingPercentEncoding,
            let service = ServiceName(rawValue: name), let (found, tools) = try await registry.find(service)
        else { return nil }
        var (descriptionRoom, definitionRoom) = (JSONObject.descriptionBytesMax, Self.definitionBytesMax)
        let entry = describe(found, &descriptionRoom)
        let entries = tools.map { text(of: $0, &definitionRoom) }
        let list = #""tools":["# + entries.joined(separator: ",") + "]"
        return ResourceText(mimeType: Self.json, text: entry.text(before: list))
    }

    private func describe(_ service: RegisteredService, _ room: inout Int) -> JSONObject {
        var entry: JSONObject = [
            "name": .string(service.name.rawValue),
            "endpoint": .string(service.endpoint.rawValue),
            "transport": .string(service.transport.rawValue),
        ]
        entry.tell(service.description, &room, rest: Self.uri(of: service.name))
        entry["requires_authorization"] = .bool(service.requiresAuthorization)
        if service.requiresAuthorization { entry["method_authorization"] = .string(service.method.rawValue) }
        entry.note(stateOf: service)
        return entry
    }

    /// A tool as JSON. Its definition goes in as the text that it is: all of them can be as long as a discovery may be.
    private func text(of tool: Tool, _ room: inout Int) -> String {
        let definition = tool.definition.canonicalJSON
        var entry: JSONObject = ["id": .integer(tool.id.rawValue)]
        let fits = definition.utf8.count <= room
        if fits {
            room -= definition.utf8.count
        } else {
            entry["name"] = .string(tool.definition.name)
            entry["left_out"] = .string(Self.leftOut)
        }
        entry["sha256"] = .string(OfferedTool.sha256(of: definition).hexadecimal)
        entry["roles"] = .array(tool.roles.map { .string($0.rawValue) })
        entry.note(changeOf: tool)
        return fits ? entry.text(before: #""definition":"# + definition) : JSONValue.object(entry).text
    }

    private static let leftOut =
        "the definition, which is too long to tell with the others: get_tools tells the description, "
        + "the service itself all of it"
}

extension JSONObject {
    /// The object, which is not empty, with a further member that is written already.
    fileprivate func text(before member: String) -> String {
        JSONValue.object(self).text.dropLast() + "," + member + "}"
    }
}
