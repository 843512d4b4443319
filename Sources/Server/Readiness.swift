internal import DBDriver
internal import Migrations
internal import Registry
internal import Synchronization

/// Whether this server can answer requests: the database answers, and its schema is one that the program can work with.
final class Readiness: Sendable {
    /// How long a verdict about the schema holds: 5 s. That the database answers is asked each time.
    private static let schemaHolds = Duration.seconds(5)
    /// How often in a row the database may not answer before a server that was ready is not: 3.
    private static let missesMax = 3
    /// How long the database may take: 1 s.
    private static let answerMax = Duration.seconds(1)

    private let database: Database
    private let schema: SchemaRequirement
    private let vault: TokenVault?
    private let drain: Drain?
    private let known = Mutex<(verdict: Verdict, at: ContinuousClock.Instant)?>(nil)

    private let misses = Atomic(0)

    private struct Verdict {
        let state: SchemaState
        /// What the key ring lacks that this server needs.
        let lack: String?
    }

    init(_ database: Database, _ schema: SchemaRequirement, _ vault: TokenVault?, _ drain: Drain? = nil) {
        self.database = database
        self.drain = drain
        self.schema = schema
        self.vault = vault
    }

    /// Why this server can't answer requests now; nil when it can.
    func obstacle() async -> String? {
        if drain?.hasBegun == true { return "the server is leaving" }
        let verdict: Verdict
        do {
            verdict = try await Self.within(Self.answerMax) { try await self.verdict() }
            misses.store(0, ordering: .relaxed)
        } catch {
            // A short fail-over of the database, which all servers see, must not take all of them out at once.
            let missed = misses.wrappingAdd(1, ordering: .relaxed).newValue
            let wasReady = known.withLock { $0 }.map { $0.verdict.state.isUsable && $0.verdict.lack == nil } ?? false
            return wasReady && missed < Self.missesMax ? nil : "the database does not answer"
        }
        // What is under way when a server works already is a step that it can live with.
        if case .halfApplied = verdict.state { return nil }
        guard verdict.state.isUsable else { return verdict.state.advice(command: "mcp-registry migrate") }
        return verdict.lack
    }

    private func verdict() async throws -> Verdict {
        if let known = known.withLock({ $0 }), ContinuousClock.now - known.at < Self.schemaHolds {
            try await database.ping()
            return known.verdict
        }
        let state = try await schema.state(of: database)
        let lack = state.isUsable ? try await database.read { [vault] in try vault?.ring.obstacle(in: $0) } : nil
        let verdict = Verdict(state: state, lack: lack)
        known.withLock { $0 = (verdict, .now) }
        return verdict
    }

    /// Runs the body, and cancels it after a time.
    private static func within<T: Sendable>(
        _ limit: Duration,
        _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}

/// The schemas that this program can work with.
struct SchemaRequirement: Sendable {
    /// The program's migrations; the latest is the highest level that it knows.
    let folder: MigrationFolder
    /// The lowest level that it can work with.
    let usableFrom: Int

    /// What this program needs, for an engine.
    static func ofThisProgram(_ dialect: Dialect) throws -> SchemaRequirement {
        do throws(MigrationError) {
            return SchemaRequirement(
                folder: try MigrationFolder(files: BundledMigrations.files, dialect: dialect),
                usableFrom: BundledMigrations.usableFrom
            )
        } catch {
            throw CommandFailure(message: "\(error)", exitCode: error.exitCode)
        }
    }

    /// How the schema of a database fits.
    func state(of database: Database) async throws -> SchemaState {
        try await database.read { [self] in try SchemaState.read(folder, usableFrom: usableFrom, in: $0) }
    }
}
