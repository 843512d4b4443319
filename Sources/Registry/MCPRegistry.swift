public import DBDriver
public import Logging

/// The registry: one public method is one use case, for whichever edge asks.
///
/// Its methods throw ``RegistryError`` and nothing else. Everything is in the database: any number of instances may share
/// one, and each sees at once what another has acknowledged.
public struct MCPRegistry: Sendable {
    let database: Database
    let vault: TokenVault?
    let discovery: any ToolDiscovery
    let hook: any ChangeHook
    let policy: CatalogPolicy
    let releaseAudit: ReleaseAudit
    let auditTail = AuditTail()
    let clock: @Sendable () -> Timestamp
    let auditChains: AuditChains
    let apiKeyCache = APIKeyCache()
    private let revisions: Batcher<Void, Int64>
    let auditWriter: Batcher<AuditEntry, Void>
    let userReads: Batcher<UserID, User?>
    let toolReads: Batcher<ServiceName, [Tool]>
    let credentialReads: Batcher<CredentialTable.Question, CredentialTable.Found?>
    let logger: Logger

    /// Joins the registry with what it needs.
    ///
    /// - Parameters:
    ///   - database: where everything is.
    ///   - vault: seals and opens tokens; nil without a key ring, and then whatever needs a token is `unavailable`.
    ///   - discovery: reads what a service offers.
    ///   - hook: told after each committed change of the catalogue.
    ///   - policy: what the operator decides about the catalogue.
    ///   - releaseAudit: when it is written down that a token was told.
    ///   - clock: the time that rows are stamped with.
    ///   - logger: for the private details of errors.
    public init(
        database: Database,
        vault: TokenVault?,
        discovery: any ToolDiscovery,
        hook: any ChangeHook,
        policy: CatalogPolicy = CatalogPolicy(),
        releaseAudit: ReleaseAudit = .before,
        clock: @escaping @Sendable () -> Timestamp = Timestamp.now,
        logger: Logger
    ) {
        self.database = database
        self.vault = vault
        self.discovery = discovery
        self.hook = hook
        self.policy = policy
        self.releaseAudit = releaseAudit
        self.clock = clock
        auditChains = AuditChains(startedAt: clock())
        self.logger = logger
        auditWriter = Self.auditWriter(database, auditChains)
        userReads = Self.reads(database) { try UserTable.find($0, $1) }
        // A service may have a thousand tools.
        toolReads = Self.reads(database, sizeMax: 8) { try ToolTable.all(of: $0, $1) }
        credentialReads = Self.reads(database) { try CredentialTable.find($0, $1) }
        revisions = Batcher { () async throws(RegistryError) in
            try await Self.translating { try await database.read { try CatalogRevision.current($0) } }
        }
    }

    /// A number that every change of the catalogue makes another; also a sign that the database answers. Those who ask at the
    /// same time share one read, which begins after all of them have asked.
    ///
    /// - Throws: `unavailable`
    public func catalogRevision() async throws(RegistryError) -> Int64 {
        try await revisions.value(of: ())
    }

    /// Answers questions that are asked at the same time in one round trip.
    private static func reads<Question: Sendable, Answer: Sendable>(
        _ database: Database,
        sizeMax: Int = 32,
        _ find: @escaping @Sendable ([Question], Session) throws -> [Answer]
    ) -> Batcher<Question, Answer> {
        Batcher(sizeMax: sizeMax, concurrency: 2) { questions throws(RegistryError) in
            try await translating { try await database.read { try find(questions, $0) } }
        }
    }

    func read<T: Sendable>(
        _ body: @escaping @Sendable (Session) throws -> T
    ) async throws(RegistryError) -> T {
        try await Self.translating { try await database.read(body) }
    }

    /// Several queries that have to fit together.
    func snapshot<T: Sendable>(
        _ body: @escaping @Sendable (Session) throws -> T
    ) async throws(RegistryError) -> T {
        try await Self.translating { try await database.snapshot(body) }
    }

    /// Lets the registry's own errors through and turns the database's into them.
    static func translating<T>(_ body: () async throws -> T) async throws(RegistryError) -> T {
        do {
            return try await body()
        } catch let error as RegistryError {
            throw error
        } catch let error as DatabaseError {
            throw translated(error)
        } catch is CancellationError {
            throw RegistryError(.unavailable, "the request was cancelled")
        } catch {
            throw RegistryError(.internal, "internal error", detail: "\(type(of: error))")
        }
    }

    private static func translated(_ error: DatabaseError) -> RegistryError {
        switch error.kind {
        case .commitOutcomeUnknown:
            RegistryError(
                .unavailable,
                "the database was lost while the change was being made: look whether it was before you repeat it",
                detail: "\(error)"
            )
        case .conflict, .connectionLost, .unavailable, .interrupted, .storage, .accessDenied:
            RegistryError(
                .unavailable,
                "the database is not available at present, please try again",
                detail: "\(error)"
            )
        case .schemaMismatch:
            RegistryError(
                .unavailable,
                "the database schema does not fit this server: run mcp-registry migrate up",
                detail: "\(error)"
            )
        case .uniqueViolation, .foreignKeyViolation, .invalidValue, .decoding, .misuse, .other:
            RegistryError(.internal, "internal error", detail: "\(error)")
        }
    }
}
