internal import DBDriver
internal import Foundation
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import Registry
internal import ServiceLifecycle
internal import UnixSignals

/// The running server. The only place that knows every concrete type.
struct Application: Sendable {
    /// How long running requests have to end after the drain.
    static let shutdownMax = Duration.seconds(9)

    private let services: [any Service]
    private let end: Duration
    private let registry: MCPRegistry
    private let logger: Logger

    /// Joins all parts; opens nothing yet.
    ///
    /// - Parameters:
    ///   - configuration: the settings.
    ///   - schema: what the schema must be, for `/ready`, and what the program knows, for the other instances.
    ///   - certificate: what the server speaks TLS with; nil for plain HTTP.
    ///   - telemetry: what this process counts and measures.
    ///   - logger: what everything logs to.
    init(
        _ configuration: ServerConfiguration,
        _ schema: SchemaRequirement,
        certificate: ServerCertificate?,
        telemetry: Telemetry,
        logger: Logger
    ) {
        var settings = configuration.database
        settings.isTraced = configuration.traceCollector != nil
        let database = Database(settings, logger: logger)
        let drain = Drain(configuration.drain, logger: logger)
        let metrics = MetricsRoute(telemetry.metrics, database)
        let client = OutboundHTTPClient()
        let hook = configuration.rereadHook.map { url in
            AgentRereadHook(url: url.absoluteString, client: client.client, logger: logger)
        }
        let vault = configuration.keyRing.map { TokenVault(ring: $0) }
        let registry = MCPRegistry(
            database: database,
            vault: vault,
            discovery: HTTPToolDiscovery(
                version: Version.current,
                settings: configuration.discovery,
                logger: logger
            ),
            hook: hook ?? NoHook(),
            policy: configuration.catalog,
            releaseAudit: configuration.releaseAudit,
            logger: logger
        )
        let keyUses = APIKeyUses(registry, logger: logger)
        let limiter = RateLimiter(configuration.rateLimits)
        let authority = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let table = RouteTable(
            Self.routes(
                registry,
                Readiness(database, schema, vault, drain),
                configuration.identityProvider,
                limiter,
                metrics: configuration.metricsPort == nil ? metrics : nil,
                logger: logger
            ),
            access: AccessControl(
                adminToken: configuration.adminToken,
                registry: registry,
                keyUses: keyUses,
                provider: configuration.identityProvider.map {
                    IdentityProvider($0, client: client.client, logger: logger)
                },
                limiter: limiter
            ),
            origins: OriginPolicy(
                address: authority,
                isLocal: OriginPolicy.isLoopback(configuration.host),
                hosts: configuration.allowedHosts,
                origins: configuration.allowedOrigins
            ),
            crossOrigin: CrossOrigin(origins: configuration.allowedOrigins),
            limiter: limiter,
            edge: Edge(servesTLS: certificate != nil, proxies: configuration.trustedProxies),
            idempotency: Idempotency(registry),
            telemetry: RequestTelemetry(logger: logger, isTraced: configuration.traceCollector != nil),
            drain: drain,
            load: RequestLoad(max: configuration.requestsMax),
            metadataURL: configuration.identityProvider?.metadataURL
        )
        let http = HTTPChannel(answer: table.respond).server(
            at: .hostname(configuration.host, port: configuration.port),
            certificate: certificate,
            logger: logger
        ) { port in
            logger.notice("listening on \(certificate == nil ? "http" : "https")://\(authority):\(port)")
        }
        // Started in this order, shut down in the reverse one.
        let refresher = CatalogRefresher(registry, logger: logger)
        let heartbeat = InstanceHeartbeat(
            registry,
            AppInstance(
                name: Migrator.Options().holder,
                version: Version.current,
                schemaLevel: schema.folder.latest,
                ringIDs: vault?.ring.ids ?? []
            ),
            vault,
            logger: logger
        )
        let reload = vault.map {
            KeyRingReload(vault: $0, database: database, source: configuration.keyRingSource, logger: logger)
        }
        services =
            [database, RemainingAudit(registry: registry), client] + telemetry.services(client, logger: logger) + [
                heartbeat, keyUses,
            ]
            + (hook.map { [$0] } ?? []) + (reload.map { [$0] } ?? []) + [Cleaner(registry, logger: logger)]
            + (configuration.refreshes ? [refresher] : [])
            + (configuration.metricsPort.map { [Self.metricsServer(metrics, configuration.host, $0, logger)] } ?? [])
            + [http, drain]
        end = configuration.drain + Self.shutdownMax
        self.registry = registry
        self.logger = logger
    }

    /// Everything that can be asked for.
    static func routes(
        _ registry: MCPRegistry,
        _ readiness: Readiness,
        _ provider: IdentityProviderSettings?,
        _ limiter: RateLimiter,
        metrics: MetricsRoute? = nil,
        logger: Logger
    ) -> [Route] {
        let catalog = ToolCatalog(registry, limiter: limiter, logger: logger)
        return ProbeRoutes.routes(readiness) + (metrics.map { [$0.route] } ?? []) + AgentRoutes.routes(registry)
            + AdminRoutes.routes(registry)
            + [OpenAPIDocument.route] + ProtectedResourceRoutes.routes(provider)
            + [MCPRoute.route(catalog, CatalogResources(registry, logger: logger), Idempotency(registry))]
    }

    private static func metricsServer(
        _ metrics: MetricsRoute,
        _ host: String,
        _ port: Int,
        _ logger: Logger
    ) -> any Service {
        let responder = MetricsResponder(metrics: metrics)
        return HTTPChannel { request, _ in
            responder.respond(to: request)
        }.server(at: .hostname(host, port: port), logger: logger) { port in
            logger.notice("metrics at http://\(host):\(port)\(MetricsRoute.path)")
        }
    }

    /// Serves until SIGTERM or SIGINT, goes on while it drains, then lets running requests end.
    func run() async throws {
        try await registry.withdrawUnapproved()
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = end
        try await ServiceGroup(configuration: configuration).run()
    }
}

/// Lets the audit log be written to its end before the database is closed.
private struct RemainingAudit: Service {
    let registry: MCPRegistry

    func run() async throws {
        try? await gracefulShutdown()
        await registry.finishAudit()
    }
}
