import AsyncHTTPClient
import Logging
import MCP
import Registry

/// Discovers services over Streamable HTTP: the pure `DiscoverySession` on top of an HTTP client.
struct HTTPToolDiscovery: ToolDiscovery {
    /// How long discovery may take.
    struct Timeouts: Sendable {
        /// One exchange, its stream included.
        var exchange: Duration = .seconds(8)
        /// The whole discovery, retries included. Below what requests are given when the server shuts down.
        var overall: Duration = .seconds(8)
    }

    /// Our name towards services.
    private static let clientName = "mcp-registry"

    private let client: HTTPClient
    private let version: String
    private let policy: EndpointPolicy
    private let timeouts: Timeouts
    private let logger: Logger

    /// - Parameters:
    ///   - client: Must follow no redirects.
    ///   - version: Our version, told to services.
    ///   - policy: Which addresses may be contacted.
    ///   - timeouts: How long it may take.
    ///   - logger: Hears what was left out of a service and why a service could not be read.
    init(
        client: HTTPClient,
        version: String,
        policy: EndpointPolicy = EndpointPolicy(),
        timeouts: Timeouts = Timeouts(),
        logger: Logger
    ) {
        self.client = client
        self.version = version
        self.policy = policy
        self.timeouts = timeouts
        self.logger = logger
    }

    /// Reads a service's tools and, if wanted, its description.
    ///
    /// - Throws: ``DiscoveryError``
    func discover(
        _ endpoint: Endpoint,
        wantsDescription: Bool,
        credential: DiscoveryCredential?
    ) async throws(DiscoveryError) -> Discovery {
        do throws(DiscoveryFailure) {
            try policy.check(endpoint.rawValue)
            let run = DiscoveryRun(
                transport: DiscoveryTransport(
                    client: client,
                    url: endpoint.rawValue,
                    userAgent: "\(Self.clientName)/\(version)",
                    authorization: try authorization(for: credential),
                    logger: logger
                ),
                deadline: .now + timeouts.overall,
                timeouts: timeouts
            )
            let session = DiscoverySession(
                wantsDescription: wantsDescription,
                clientName: Self.clientName,
                clientVersion: version
            )
            return discovery(try await run.service(by: session), endpoint)
        } catch {
            logger.notice(
                "discovery failed",
                metadata: ["endpoint": "\(endpoint.rawValue.loggableURL)", "reason": "\(error.reason)"]
            )
            if error.kind == .authorizationRequired { throw .authorizationRequired }
            throw .failed(error.reason)
        }
    }

    private func authorization(for credential: DiscoveryCredential?) throws(DiscoveryFailure) -> String? {
        guard let credential else { return nil }
        guard let token = credential.token.revealText(), token.utf8.allSatisfy({ $0 > 0x1F && $0 != 0x7F }) else {
            throw DiscoveryFailure(.unusable, "the stored discovery credential can't be sent in a header")
        }
        return "\(credential.method.rawValue) \(token)"
    }

    private func discovery(_ service: DiscoveredService, _ endpoint: Endpoint) -> Discovery {
        for warning in service.warnings {
            logger.notice(
                "discovery left something out",
                metadata: ["endpoint": "\(endpoint.rawValue.loggableURL)", "reason": "\(warning)"]
            )
        }
        let tools = service.tools.map {
            OfferedTool(
                name: $0.name,
                title: $0.title,
                description: $0.description,
                inputSchema: $0.inputSchema,
                outputSchema: $0.outputSchema,
                annotations: $0.annotations
            )
        }
        return Discovery(tools: tools, serviceDescription: service.serviceDescription)
    }
}
