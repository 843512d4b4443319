internal import ArgumentParser
internal import DBDriver
internal import Foundation
internal import Logging
internal import Migrations
internal import Registry

/// `mcp-registry serve`
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Answer agents over HTTP and MCP.",
        discussion: """
            Settings come from the command line, the environment, and a .env file, in this order. Needs REGISTRY_ADMIN_TOKEN, \
            a key ring (REGISTRY_KEY or REGISTRY_KEYRING), and a migrated database (mcp-registry migrate up); or --dev.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    @Option(help: "The address to listen on. (default: 0.0.0.0; with --dev 127.0.0.1)")
    var host: String?

    @Option(help: "The port to listen on; 0 for any free one. (default: 8000)")
    var port: String?

    @Flag(
        help: ArgumentHelp(
            "Serve this machine only, on SQLite, without access control.",
            discussion: "Creates and migrates ./dev.db and keeps a key ring in ./.dev-keyring.json."
        )
    )
    var dev = false

    @Flag(help: "Start without a key ring: tokens can then be neither stored nor read.")
    var allowNoTokens = false

    @Flag(help: "Migrate the database before serving, as MIGRATE_DATABASE_URL where it is set. --dev always does.")
    var migrateOnStart = false

    @Option(help: "Seconds to wait at the start for the database, and for a schema that this program can work with.")
    var schemaWait = 0

    @Option(help: .hidden)
    var unsafeForTests: [TestWeakness] = []

    func validate() throws {
        try MigrateOptions.check(schemaWait, "--schema-wait")
    }

    func run() async throws {
        let source = try configured { try options.source(["MCP_HOST": host, "MCP_PORT": port]) }
        var configuration = try configured { try source.server(isDevelopment: dev) }
        ProcessHygiene.forgetSecrets(ServerConfiguration.secretKeys)
        configuration.database.weaken(unsafeForTests)
        let logger = configuration.logFormat.logger(configuration.logLevel)
        for weakness in unsafeForTests {
            logger.warning("a promise is broken on purpose, for tests", metadata: ["promise": "\(weakness.rawValue)"])
        }
        let telemetry = Telemetry(traceCollector: configuration.traceCollector)
        var migrations: DatabaseConfiguration?
        if dev {
            try prepareDevelopment(&configuration)
            migrations = configuration.database
        } else {
            try checkProduction(configuration)
            if migrateOnStart {
                migrations = try configured { try source.migrationDatabase(createIfMissing: true) }
            }
        }
        let schema = try SchemaRequirement.ofThisProgram(configuration.database.dialect)
        let certificate = try configured {
            try configuration.tls.map { files in
                try ServerCertificate(certificateFile: files.certificate, keyFile: files.key, logger: logger)
            }
        }
        try await waitForDatabase(configuration, schema, migratingAs: migrations, logger)
        do {
            try await Application(configuration, schema, certificate: certificate, telemetry: telemetry, logger: logger)
                .run()
        } catch {
            throw CommandFailure(message: "the server ended: \(error)")
        }
    }

    /// Says what development mode does, and does it.
    private func prepareDevelopment(_ configuration: inout ServerConfiguration) throws {
        guard OriginPolicy.isLoopback(configuration.host) else {
            throw CommandFailure(
                message: "--dev has no access control and listens on loopback only, not on \(configuration.host)",
                exitCode: 2
            )
        }
        guard configuration.database.dialect == .sqlite else {
            throw CommandFailure(
                message: "--dev migrates its database by itself, and so works on SQLite only: "
                    + "unset DATABASE_URL, or serve without --dev",
                exitCode: 2
            )
        }
        configuration.adminToken = nil
        standardError("DEVELOPMENT MODE: access control is off; only this machine can connect.")
        if configuration.keyRing == nil {
            configuration.keyRing = try configured { try KeyRingSource.development(in: ".") }
            standardError(
                "Tokens are encrypted with the key ring in ./\(KeyRingSource.developmentFile): keep it with the database."
            )
        }
    }

    /// Brings the schema up to this program's version. What a newer program added is left alone.
    private func migrate(_ database: DatabaseConfiguration, _ logger: Logger) async throws {
        do throws(MigrationError) {
            let migrator = Migrator(
                database,
                folder: try MigrationFolder(files: BundledMigrations.files, dialect: database.dialect),
                options: .ofThisProgram,
                logger: logger
            )
            var leniency = MigrationLeniency()
            leniency.ignoresNewer = true
            let done = try await MigrationReport.telling { tell async throws(MigrationError) in
                try await migrator.up(leniency: leniency) { progress in if case .waiting = progress { tell(progress) } }
            }
            standardError("The database \(database.place) is up to date (\(done.count) migrations applied now).")
        } catch {
            throw CommandFailure(message: "\(error)", exitCode: error.exitCode)
        }
    }

    /// Without `--dev` nothing is made up: no key, no access for everybody.
    private func checkProduction(_ configuration: ServerConfiguration) throws {
        guard configuration.adminToken != nil else {
            throw CommandFailure(
                message: "REGISTRY_ADMIN_TOKEN is not set: callers send it as 'Authorization: Bearer …'. "
                    + "Set it (or REGISTRY_ADMIN_TOKEN_FILE), or use --dev on your own machine",
                exitCode: 2
            )
        }
        guard let ring = configuration.keyRing else {
            let reason =
                "no key ring is configured: set REGISTRY_KEY (make one with: mcp-registry keys generate), REGISTRY_KEYRING, "
                + "or one of them with _FILE"
            guard allowNoTokens else {
                throw CommandFailure(message: reason + "; --allow-no-tokens starts without", exitCode: 2)
            }
            standardError("mcp-registry: \(reason). Until then tokens can be neither stored nor read (503).")
            return
        }
        guard !ring.hasDevelopmentKeys else {
            throw CommandFailure(message: "the key ring holds a development key: make one for production", exitCode: 2)
        }
    }

    /// Waits, for as long as `--schema-wait` says, until the database can be used. A server does not migrate unless it is
    /// told to, and as whom: it says what to run. Nor does it work with a key ring that is not the database's.
    private func waitForDatabase(
        _ configuration: ServerConfiguration,
        _ schema: SchemaRequirement,
        migratingAs migrations: DatabaseConfiguration?,
        _ logger: Logger
    ) async throws {
        var migrations = migrations
        let deadline = ContinuousClock.now + .seconds(schemaWait)
        var told: String?
        while true {
            do {
                if let database = migrations {
                    try await migrate(database, logger)
                    migrations = nil
                }
                return try await configuration.database.check(schema, configuration.keyRing, logger)
            } catch let failure as CommandFailure {
                guard [6, 8].contains(failure.exitCode), ContinuousClock.now < deadline else { throw failure }
                if told != failure.message { standardError("mcp-registry: waiting: \(failure.message)") }
                told = failure.message
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    /// How often to look whether the database can be used.
    private static let pause = Duration.milliseconds(500)
}

/// A promise that a server breaks, to prove that a test would notice.
enum TestWeakness: String, ExpressibleByArgument {
    /// Reads may miss what another node of a cluster has acknowledged.
    case causalReadsOff = "causal-reads-off"
    /// A change that was cut off at COMMIT is made again without looking whether it has happened, and `Idempotency-Key` does not
    /// count.
    case exactlyOnceOff = "exactly-once-off"
}

extension DatabaseConfiguration {
    fileprivate mutating func weaken(_ weaknesses: [TestWeakness]) {
        if weaknesses.contains(.exactlyOnceOff) { isExactlyOnce = false }
        if weaknesses.contains(.causalReadsOff), case .mysql(var mysql) = engine {
            mysql.isCausal = false
            engine = .mysql(mysql)
        }
    }
}
