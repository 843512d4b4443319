internal import DBDriver
internal import Foundation
internal import Logging
internal import Registry

/// Everything that can be set, read strictly: a malformed value is an error that names its key, never the default.
///
/// Precedence: command line, environment, the file named by `--env-file` (`.env` by default, and only if it is there),
/// default. Each secret may also be given as `…_FILE`, the path of a file that holds it.
///
/// ## Configuration keys
/// - `DATABASE_URL` (secret, default `sqlite:///./dev.db`): see ``DatabaseConfiguration``.
/// - `MIGRATE_DATABASE_URL` (secret, default `DATABASE_URL`): the same for `migrate`, with a user that may change the schema.
/// - `MCP_HOST` (default `0.0.0.0`; with `--dev` `127.0.0.1`): the address to listen on.
/// - `MCP_PORT` (0…65535, default 8000): the port; 0 for any free one.
/// - `REGISTRY_ADMIN_TOKEN` (secret, at least 16 characters): what callers send as `Authorization: Bearer …`.
/// - `REGISTRY_KEYRING` (secret): the key ring as JSON; see ``KeyRingSource``.
/// - `REGISTRY_KEYRING_COMMAND`: a shell command that prints the key ring, instead; for secret stores.
/// - `REGISTRY_KEY` (secret): a single key in base64, instead of a ring.
/// - `AGENT_REREAD_HOOK` (secret, URL): fetched after each change of the catalogue.
/// - `ALLOWED_HOSTS` (names and addresses without ports, separated by commas; default: any, but on loopback only its own):
///   what `Host` may say.
/// - `ALLOWED_ORIGINS` (such as `https://admin.example`, separated by commas; default none): origins of web pages that may
///   call and read the answers (CORS), besides the server's own.
/// - `TOOLS_WITHOUT_ROLES` (`denied` or `allowed`, default `denied`): who may use a tool that no role is attached to.
/// - `TOOL_CHANGES` (`accept` or `quarantine`, default `accept`): whether roles keep a tool whose definition has changed.
/// - `REMOVED_TOOL_GRACE` (seconds, 0…31,536,000, default 604,800): how long a tool that its service no longer offers keeps
///   its id and roles, in case it comes back.
/// - `AUDIT_RELEASES` (`before`, `after` or `log`, default `before`): whether a token is told only once that is in the audit log.
/// - `REFRESH_INTERVAL` (seconds, 0…604,800, default 3,600): how often services are read again; 0 for never.
/// - `DISCOVERY_…`: see ``DiscoverySettings``.
/// - `OIDC_ISSUER`, `PUBLIC_URL`, `OIDC_AUDIENCES`, `OIDC_JWKS_URL`, `OIDC_USER_CLAIM`: see ``IdentityProviderSettings``.
/// - `RATE_LIMIT` (requests per second of one caller, 0…1,000,000, default 2,000; 0 for any number), `DISCOVERY_RATE_LIMIT`
///   (services that one caller has read per minute, 0…100,000, default 120), `FAILED_LOGIN_LIMIT` (wrong credentials per minute
///   from one address, 0…100,000, default 60): see ``RateLimits``.
/// - `TLS_CERT_FILE`, `TLS_KEY_FILE` (paths of PEM files, default none): the server speaks TLS itself, and reads them again when
///   they change.
/// - `TRUSTED_PROXIES` (addresses and networks, separated by commas; default none): whose `X-Forwarded-For` and
///   `X-Forwarded-Proto` count.
/// - `DRAIN_SECONDS` (0…3,600, default 5; with `--dev` 0): how long the server goes on answering after SIGTERM, while `/ready` says
///   that it is leaving.
/// - `REQUESTS_MAX` (1…100,000, default 1,000): how many requests are answered at once; one more is turned away with 503.
/// - `METRICS_PORT` (0…65535, default none): where `/metrics` is asked for without credentials; else it is on `MCP_PORT` and takes the
///   scope to read.
/// - `OTEL_EXPORTER_OTLP_ENDPOINT` (URL, default none): the collector that trace spans are sent to.
/// - `LOG_FORMAT` (`text` or `json`, default `text` on a terminal, else `json`): how log messages are written.
/// - `LOG_LEVEL` (`trace`, `debug`, `info`, `notice`, `warning`, `error`, `critical`; default `info`).
struct ServerConfiguration: Sendable {
    static let defaultDatabaseURL = "sqlite:///./dev.db"
    static let adminTokenCharactersMin = 16
    /// The settings that are secrets themselves.
    static let secretKeys = [
        "DATABASE_URL", "MIGRATE_DATABASE_URL", "REGISTRY_ADMIN_TOKEN", "REGISTRY_KEYRING", "REGISTRY_KEY",
        "AGENT_REREAD_HOOK",
    ]

    var database: DatabaseConfiguration
    var host: String
    var port: Int
    var adminToken: Secret?
    var keyRing: KeyRing?
    /// Where the ring is read from again while the server runs.
    var keyRingSource: KeyRingSource.Configured
    var rereadHook: URL?
    var allowedHosts: Set<String>
    var allowedOrigins: Set<String>
    var catalog: CatalogPolicy
    /// When it is written down that a token was told.
    var releaseAudit: ReleaseAudit
    /// Whether services are read again in the background.
    var refreshes: Bool
    var discovery: DiscoverySettings
    var identityProvider: IdentityProviderSettings?
    /// The files of the certificate that the server speaks TLS with.
    var tls: (certificate: String, key: String)?
    var trustedProxies: TrustedProxies
    var rateLimits: RateLimits
    var logLevel: Logger.Level
    var logFormat: LogFormat
    /// How long the server goes on answering after SIGTERM.
    var drain: Duration
    /// How many requests are answered at once.
    var requestsMax: Int
    /// Where `/metrics` is asked for, when that is another port.
    var metricsPort: Int?
    /// Where spans are sent.
    var traceCollector: URL?
}

extension ConfigurationSource {
    /// The database's address, for every command.
    func database(createIfMissing: Bool) throws -> DatabaseConfiguration {
        try database(try secret("DATABASE_URL"), createIfMissing: createIfMissing)
    }

    /// The database's address for migrations, whose user may do more: `MIGRATE_DATABASE_URL`, or `DATABASE_URL` where it is
    /// not set. An option of the command line comes before both.
    func migrationDatabase(createIfMissing: Bool) throws -> DatabaseConfiguration {
        try database(try firstSecret("MIGRATE_DATABASE_URL", "DATABASE_URL"), createIfMissing: createIfMissing)
    }

    private func database(_ found: (key: String, value: String)?, createIfMissing: Bool) throws -> DatabaseConfiguration
    {
        let (key, url) = found ?? ("DATABASE_URL", ServerConfiguration.defaultDatabaseURL)
        do {
            var configuration = try DatabaseConfiguration(url: url)
            if case .sqlite(var sqlite) = configuration.engine {
                guard sqlite.path != ":memory:" else {
                    throw ConfigurationError(
                        message: "\(key) names no file, and a database in memory ends with the command"
                    )
                }
                sqlite.createIfMissing = createIfMissing
                configuration.engine = .sqlite(sqlite)
            }
            return configuration
        } catch let error as DatabaseURLError {
            throw ConfigurationError(message: "\(key) \(error)")
        }
    }

    /// What `serve` needs.
    func server(isDevelopment: Bool) throws -> ServerConfiguration {
        ServerConfiguration(
            database: try database(createIfMissing: isDevelopment),
            host: text("MCP_HOST") ?? (isDevelopment ? "127.0.0.1" : "0.0.0.0"),
            port: try number("MCP_PORT", default: 8_000, 0...65_535),
            adminToken: try adminToken(),
            keyRing: try KeyRingSource.configured(self),
            keyRingSource: KeyRingSource.Configured(self),
            rereadHook: try httpURL("AGENT_REREAD_HOOK", try secret("AGENT_REREAD_HOOK")?.value),
            allowedHosts: try hosts(),
            allowedOrigins: try origins(),
            catalog: try catalogPolicy(),
            releaseAudit: try releaseAudit(),
            refreshes: try refreshInterval() > 0,
            discovery: try discovery(isDevelopment: isDevelopment),
            identityProvider: try identityProvider(),
            tls: try tlsFiles(),
            trustedProxies: try trustedProxies(),
            rateLimits: RateLimits(
                requests: try number("RATE_LIMIT", default: 2_000, 0...1_000_000),
                discoveries: try number("DISCOVERY_RATE_LIMIT", default: 120, 0...100_000),
                failures: try number("FAILED_LOGIN_LIMIT", default: 60, 0...100_000)
            ),
            logLevel: try choice("LOG_LEVEL", default: .info),
            logFormat: try choice("LOG_FORMAT", default: .standard),
            drain: .seconds(try number("DRAIN_SECONDS", default: isDevelopment ? 0 : 5, 0...3_600)),
            requestsMax: try number("REQUESTS_MAX", default: RequestLoad.standardMax, 1...100_000),
            metricsPort: text("METRICS_PORT") == nil ? nil : try number("METRICS_PORT", default: 0, 0...65_535),
            traceCollector: try httpURL("OTEL_EXPORTER_OTLP_ENDPOINT", text("OTEL_EXPORTER_OTLP_ENDPOINT"))
        )
    }

    private func releaseAudit() throws -> ReleaseAudit {
        let audit = try choice("AUDIT_RELEASES", default: ReleaseAudit.before)
        let level = try choice("LOG_LEVEL", default: Logger.Level.info)
        guard audit != .log || level <= ReleaseAudit.logLevel else {
            throw ConfigurationError(
                message: "AUDIT_RELEASES=log writes lines of level \(ReleaseAudit.logLevel), which LOG_LEVEL leaves out"
            )
        }
        return audit
    }

    private func catalogPolicy() throws -> CatalogPolicy {
        var policy = CatalogPolicy()
        policy.toolsWithoutRoles = try choice("TOOLS_WITHOUT_ROLES", default: policy.toolsWithoutRoles)
        policy.toolChanges = try choice("TOOL_CHANGES", default: policy.toolChanges)
        policy.removedToolGrace = .seconds(try number("REMOVED_TOOL_GRACE", default: 604_800, 0...31_536_000))
        let interval = try refreshInterval()
        if interval > 0 { policy.schedule.interval = .seconds(interval) }
        return policy
    }

    private func refreshInterval() throws -> Int {
        try number("REFRESH_INTERVAL", default: 3_600, 0...604_800)
    }

    private func hosts() throws -> Set<String> {
        let hosts = list("ALLOWED_HOSTS").map { $0.lowercased() }
        guard !hosts.isEmpty || text("ALLOWED_HOSTS") == nil else {
            throw ConfigurationError(message: "ALLOWED_HOSTS holds no host: leave it out to allow any")
        }
        for host in hosts where !OriginPolicy.isHost(host) {
            throw ConfigurationError(
                message: "ALLOWED_HOSTS: '\(host)' is no host: write names and addresses without scheme and port, "
                    + "IPv6 addresses in brackets"
            )
        }
        return Set(hosts)
    }

    private func origins() throws -> Set<String> {
        let origins = list("ALLOWED_ORIGINS").map { $0.lowercased() }
        for origin in origins where !OriginPolicy.isOrigin(origin) {
            throw ConfigurationError(
                message: "ALLOWED_ORIGINS: '\(origin)' is no origin: write them like https://admin.example or "
                    + "http://localhost:3000, without a path"
            )
        }
        return Set(origins)
    }

    private func tlsFiles() throws -> (certificate: String, key: String)? {
        switch (text("TLS_CERT_FILE"), text("TLS_KEY_FILE")) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return (certificate, key)
        default: throw ConfigurationError(message: "TLS_CERT_FILE and TLS_KEY_FILE belong together: set both or none")
        }
    }

    private func trustedProxies() throws -> TrustedProxies {
        TrustedProxies(
            networks: try list("TRUSTED_PROXIES").map { text in
                guard let network = IPNetwork(text) else {
                    throw ConfigurationError(
                        message: "TRUSTED_PROXIES: '\(text)' is no address or network such as 10.0.0.7 or 10.0.0.0/8"
                    )
                }
                return network
            }
        )
    }

    private func adminToken() throws -> Secret? {
        guard let token = try secret("REGISTRY_ADMIN_TOKEN")?.value else { return nil }
        let isSendable = token.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard isSendable, token.utf8.count >= ServerConfiguration.adminTokenCharactersMin else {
            throw ConfigurationError(
                message: "REGISTRY_ADMIN_TOKEN must be at least \(ServerConfiguration.adminTokenCharactersMin) "
                    + "printable ASCII characters without blanks; make one with: openssl rand -base64 32"
            )
        }
        return Secret(token)
    }

    private func httpURL(_ key: String, _ text: String?) throws -> URL? {
        guard let text else { return nil }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme?.lowercased()), url.host() != nil
        else {
            throw ConfigurationError(message: "\(key) is no http or https URL")
        }
        return url
    }
}
