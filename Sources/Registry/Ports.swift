public import DBDriver

/// What the edges must supply to the registry, so that it knows neither HTTP nor MCP.

/// Reads what a service offers.
///
/// An implementation keeps an overall deadline of its own, follows no redirects, and sends no credential but the given one.
public protocol ToolDiscovery: Sendable {
    /// Asks the service for its tools, and for its description if wanted.
    ///
    /// - Parameters:
    ///   - endpoint: where the service is.
    ///   - wantsDescription: whether to read the resource `service_description`.
    ///   - credential: what to send as `Authorization`; nil for nothing.
    /// - Returns: what the service offers.
    /// - Throws: ``DiscoveryError``
    func discover(
        _ endpoint: Endpoint,
        wantsDescription: Bool,
        credential: DiscoveryCredential?
    ) async throws(DiscoveryError) -> Discovery
}

/// What the registry sends to one service to be allowed to list its tools.
public struct DiscoveryCredential: Sendable {
    /// `Basic` or `Bearer`.
    public var method: AuthorizationMethod
    /// What follows it in the header.
    public var token: Secret

    /// A credential for the `Authorization` header.
    public init(method: AuthorizationMethod, token: Secret) {
        self.method = method
        self.token = token
    }
}

/// How a service is spoken with; agents have to know.
public enum Transport: String, SQLConvertible, Sendable, Codable {
    /// One endpoint, since 2025-03-26.
    case streamableHTTP = "streamable_http"
    /// HTTP+SSE of 2024-11-05.
    case serverSentEvents = "sse"
}

/// What a service offers.
public struct Discovery: Sendable, Equatable {
    /// Its tools, in its own order, without duplicates by name.
    public var tools: [OfferedTool]
    /// The text of its resource `service_description`, if it has one.
    public var serviceDescription: String?
    /// How long the service says that its list of tools holds; nil when it says nothing.
    public var timeToLive: Duration?
    /// How the service was spoken with.
    public var transport: Transport

    /// What was found.
    public init(
        tools: [OfferedTool],
        serviceDescription: String? = nil,
        timeToLive: Duration? = nil,
        transport: Transport = .streamableHTTP
    ) {
        self.tools = tools
        self.serviceDescription = serviceDescription
        self.timeToLive = timeToLive
        self.transport = transport
    }
}

/// A tool as its service describes it. Schemas, annotations and icons are untrusted JSON texts, in canonical form.
public struct OfferedTool: Sendable, Equatable {
    /// The name, unique within the service.
    public var name: String
    /// A title for people.
    public var title: String?
    /// What it does; empty when the service says nothing.
    public var description: String
    /// JSON Schema of the arguments.
    public var inputSchema: String
    /// JSON Schema of the result.
    public var outputSchema: String?
    /// Hints such as `readOnlyHint`, as a JSON object.
    public var annotations: String?
    /// Pictures for people, as a JSON array of `{src, mimeType, sizes, theme}`; never fetched.
    public var icons: String?

    /// A tool of a service.
    public init(
        name: String,
        title: String? = nil,
        description: String,
        inputSchema: String,
        outputSchema: String? = nil,
        annotations: String? = nil,
        icons: String? = nil
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.inputSchema = inputSchema
        self.outputSchema = outputSchema
        self.annotations = annotations
        self.icons = icons
    }
}

/// Why a service could not be read.
public enum DiscoveryError: Error, Sendable, Equatable {
    /// The service wants a credential even for listing its tools, or another one (401 or 403). The scheme is what it asks
    /// for, such as `Basic` or `Bearer`, at most 32 bytes of ASCII; nil when it does not say.
    case authorizationRequired(scheme: String?)
    /// The service was not asked to the end for reasons of our own, such as a shutdown: a clause as below.
    case interrupted(String)
    /// Anything else: a clause for the caller that says what failed, without full stop, response bodies or internal
    /// addresses.
    case failed(String)
}

/// Told after each committed change of the catalogue.
public protocol ChangeHook: Sendable {
    /// Returns at once; delivery happens later and never fails the change.
    func catalogChanged()
}
