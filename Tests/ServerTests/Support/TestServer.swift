import AsyncHTTPClient
import DBDriver
import HTTPTypes
import Logging
import Migrations
import Registry
import TestSupport
import Testing

@testable import Server

/// A registry on a throw-away database behind real HTTP, asked over one connection.
struct TestServer: HTTPCaller {
    /// How the server differs from the usual one.
    struct Options: Sendable {
        var adminToken: String?
        var hasKeyRing = true
        var policy = CatalogPolicy()
        var origins = OriginPolicy(hosts: nil)
        var crossOrigin = CrossOrigin(origins: [])
        var edge = Edge()
        var rateLimits = RateLimits()
        var logger = quietLogger
        var identityProvider: IdentityProviderSettings?
        /// To fetch the provider's keys with.
        var client: HTTPClient?

        fileprivate var provider: IdentityProvider? {
            guard let identityProvider, let client else { return nil }
            return IdentityProvider(identityProvider, client: client, logger: quietLogger)
        }
    }

    let database: Database
    let discovery: StubDiscovery
    let hook: CountingHook
    /// What the server serves.
    let registry: MCPRegistry
    /// Of the server's database.
    let migrator: Migrator
    private let connection: HTTPConnection

    /// Runs `body` beside a server on a migrated database.
    static func run(
        _ engine: Engine,
        _ options: Options = Options(),
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await engine.withDatabase { database in
            let folder = try MigrationFolder(files: BundledMigrations.files, dialect: database.dialect)
            let migrator = Migrator(database.configuration, folder: folder, logger: quietLogger)
            _ = try await migrator.up()
            try await serve(database, migrator, folder, options, body)
        }
    }

    private static func serve(
        _ database: Database,
        _ migrator: Migrator,
        _ folder: MigrationFolder,
        _ options: Options,
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let (discovery, hook) = (StubDiscovery(), CountingHook())
        let registry = MCPRegistry(
            database: database,
            vault: options.hasKeyRing ? TokenVault(ring: try .single(KeyRing.generateKey())) : nil,
            discovery: discovery,
            hook: hook,
            policy: options.policy,
            logger: quietLogger
        )
        let limiter = RateLimiter(options.rateLimits)
        let table = RouteTable(
            Application.routes(
                registry,
                Readiness(database, SchemaRequirement(folder: folder, usableFrom: folder.latest), nil),
                options.identityProvider,
                limiter,
                logger: quietLogger
            ),
            access: AccessControl(
                adminToken: options.adminToken.map { Secret($0) },
                registry: registry,
                keyUses: APIKeyUses(registry, logger: quietLogger),
                provider: options.provider,
                limiter: limiter
            ),
            origins: options.origins,
            crossOrigin: options.crossOrigin,
            limiter: limiter,
            edge: options.edge,
            idempotency: Idempotency(registry),
            telemetry: RequestTelemetry(logger: options.logger),
            metadataURL: options.identityProvider?.metadataURL
        )
        try await HTTPChannel(answer: table.respond).serving { port in
            try await HTTPConnection.with("127.0.0.1", port) { connection in
                try await body(
                    TestServer(
                        database: database,
                        discovery: discovery,
                        hook: hook,
                        registry: registry,
                        migrator: migrator,
                        connection: connection
                    )
                )
            }
        }
    }

    func send(
        _ method: String,
        _ path: String,
        bytes: [UInt8]?,
        headers: HTTPFields,
        host: String?
    ) async throws -> Answer {
        try await connection.send(method, path, bytes: bytes, headers: headers, host: host)
    }
}
