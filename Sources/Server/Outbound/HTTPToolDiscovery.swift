import Logging
import MCP
import Metrics
import Registry

/// Discovers services over Streamable HTTP and HTTP+SSE: the pure `DiscoverySession` on top of an HTTP client.
struct HTTPToolDiscovery: ToolDiscovery {
    /// How long discovery may take.
    struct Timeouts: Sendable {
        /// One request with its answer, a stream included.
        var exchange: Duration = .seconds(15)
        /// The whole discovery, with waiting for its turn and retries.
        var overall: Duration = .seconds(60)

        /// One connection: short enough that within a request there is time to say that it could not be made.
        var connect: Duration { max(.milliseconds(500), min(.seconds(5), min(exchange, overall) / 2)) }
    }

    /// Our name towards services.
    private static let clientName = "mcp-registry"

    private let version: String
    private let settings: DiscoverySettings
    private let resolver: any AddressResolver
    private let gate: DiscoveryGate
    private let logger: Logger

    /// - Parameters:
    ///   - version: Our version, told to services.
    ///   - settings: Which addresses may be contacted, and how long it may take.
    ///   - resolver: Finds the addresses of hosts.
    ///   - gate: Whose turn it is; the process's own.
    ///   - logger: Hears what was left out of a service and why a service could not be read.
    init(
        version: String,
        settings: DiscoverySettings,
        resolver: any AddressResolver = SystemResolver(),
        gate: DiscoveryGate = DiscoveryGate(),
        logger: Logger
    ) {
        self.version = version
        self.settings = settings
        self.resolver = resolver
        self.gate = gate
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
        let start = ContinuousClock.now
        do throws(DiscoveryFailure) {
            // What a service answers may be long to read: not on an event loop, where requests are answered.
            let service = try await withTaskExecutorPreference(globalConcurrentExecutor) {
                () async throws(DiscoveryFailure) -> DiscoveredService in
                try await self.service(
                    at: endpoint.rawValue,
                    wantsDescription: wantsDescription,
                    credential: credential
                )
            }
            Self.count("done", since: start)
            return Discovery(service)
        } catch {
            Self.count(error.kind.name, since: start)
            switch error.kind {
            case .authorizationRequired: throw .authorizationRequired(scheme: error.scheme)
            case .interrupted: throw .interrupted(error.reason)
            case .unavailable, .unusable: throw .failed(error.reason)
            }
        }
    }

    private static func count(_ outcome: String, since start: ContinuousClock.Instant) {
        Counter(label: "discoveries", dimensions: [("outcome", outcome)]).increment()
        Timer(label: "discovery_duration").record(duration: ContinuousClock.now - start)
    }

    /// Reads a service, and logs why it can't be and what was left out.
    func service(
        at endpoint: String,
        wantsDescription: Bool,
        credential: DiscoveryCredential?
    ) async throws(DiscoveryFailure) -> DiscoveredService {
        do throws(DiscoveryFailure) {
            let url = try checked(endpoint)
            let run = DiscoveryRun(
                url: url,
                identity: DiscoveryTransport.Identity(
                    userAgent: "\(Self.clientName)/\(version)",
                    authorization: try authorization(for: credential)
                ),
                policy: settings.policy,
                resolver: resolver,
                gate: gate,
                timeouts: settings.timeouts,
                logger: logger
            )
            let session = DiscoverySession(
                wantsDescription: wantsDescription,
                startsWithStream: url.looksLikeStream,
                clientName: Self.clientName,
                clientVersion: version
            )
            let service = try await run.service(by: session)
            for warning in service.warnings { note("discovery left something out", endpoint, warning) }
            return service
        } catch {
            note("discovery failed", endpoint, error.reason)
            throw error
        }
    }

    private func checked(_ endpoint: String) throws(DiscoveryFailure) -> ServiceURL {
        do throws(EndpointPolicy.Refusal) {
            return try settings.policy.check(endpoint)
        } catch {
            if error.detail != error.failure.reason {
                note("discovery does not contact a host", endpoint, error.detail)
            }
            throw error.failure
        }
    }

    private func note(_ message: Logger.Message, _ endpoint: String, _ reason: String) {
        logger.notice(message, metadata: ["endpoint": "\(endpoint.loggableURL)", "reason": "\(reason)"])
    }

    private func authorization(for credential: DiscoveryCredential?) throws(DiscoveryFailure) -> String? {
        guard let credential else { return nil }
        guard let token = credential.token.revealText(), token.utf8.allSatisfy({ $0 > 0x1F && $0 != 0x7F }) else {
            throw DiscoveryFailure(.unusable, "the stored discovery credential can't be sent in a header")
        }
        return "\(credential.method.rawValue) \(token)"
    }
}

extension Discovery {
    /// What a service offers, in the registry's terms.
    fileprivate init(_ service: DiscoveredService) {
        let tools = service.tools.map {
            OfferedTool(
                name: $0.name,
                title: $0.title,
                description: $0.description,
                inputSchema: $0.inputSchema,
                outputSchema: $0.outputSchema,
                annotations: $0.annotations,
                icons: $0.icons
            )
        }
        self.init(
            tools: tools,
            serviceDescription: service.serviceDescription,
            timeToLive: service.timeToLive,
            transport: service.usesMessageStream ? .serverSentEvents : .streamableHTTP
        )
    }
}

extension DiscoveryFailure.Kind {
    /// Its name in metrics.
    fileprivate var name: String {
        switch self {
        case .authorizationRequired: "authorization_required"
        case .interrupted: "interrupted"
        case .unavailable: "unavailable"
        case .unusable: "unusable"
        }
    }
}
