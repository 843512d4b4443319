public import Logging

/// Applies migrations and takes them back, one run at a time on a database, however many are started.
///
/// On SQLite a migration is one transaction. MySQL-protocol servers commit at every DDL statement, so there the database
/// records after each statement how far a migration is, and a later run goes on where an earlier one stopped.
public struct Migrator: Sendable {
    /// How a run behaves.
    public struct Options: Sendable {
        /// The version of the program, noted with each migration. At most 64 bytes are kept.
        public var appVersion = "unknown"
        /// Which process this is, shown to others that wait for it; by default host name and process id.
        public var holder = defaultHolder()
        /// How long a lease holds without being renewed: default 60 s. A dead run blocks others for this long.
        public var leaseDuration = Duration.seconds(60)
        /// How long to wait for another run's lease: default 5 min.
        public var lockWait = Duration.seconds(300)
        /// About how often to ask for the lease meanwhile: default 0.5 s.
        public var lockPoll = Duration.milliseconds(500)
        /// How long to wait for a statement that the server still runs after its connection was lost: default 10 min.
        public var ddlWait = Duration.seconds(600)
        /// The time that is noted with each migration.
        public var now: @Sendable () -> Timestamp = { .now() }

        /// The defaults.
        public init() {}
    }

    let configuration: DatabaseConfiguration
    let folder: MigrationFolder
    let options: Options
    let logger: Logger

    /// Opens nothing yet.
    ///
    /// - Parameters:
    ///   - configuration: the database. The user needs the right to create, alter and drop tables.
    ///   - folder: the migrations for the same engine.
    ///   - options: how a run behaves.
    ///   - logger: for what goes on beside the migrations themselves.
    public init(
        _ configuration: DatabaseConfiguration,
        folder: MigrationFolder,
        options: Options = Options(),
        logger: Logger
    ) {
        precondition(folder.dialect == configuration.dialect, "the scripts of one engine for the database of another")
        self.configuration = configuration
        self.folder = folder
        self.options = options
        self.logger = logger
    }

    /// Applies what is not applied yet, and finishes what an earlier run left half applied.
    ///
    /// - Parameters:
    ///   - target: the last version to apply; nil for all.
    ///   - progress: called as things happen, from any thread.
    /// - Returns: what was applied, in order; empty when there was nothing to do.
    /// - Throws: ``MigrationError``, when the history does not fit the files, a statement fails, the lease cannot be had or is
    ///   lost, or the database cannot be reached. What was finished before stays applied.
    public func up(
        to target: Int? = nil,
        progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) async throws(MigrationError) -> [FinishedMigration] {
        let folder = folder
        return try await run(progress) { rows throws(MigrationError) in try MigrationPlan.up(folder, rows, to: target) }
    }

    /// Takes back every migration above a version, the latest first. This destroys data; asking is the caller's task.
    ///
    /// - Parameters:
    ///   - target: the version to go back to; 0 takes all back.
    ///   - progress: called as things happen, from any thread.
    /// - Returns: what was taken back, in order; empty when there was nothing to do.
    /// - Throws: ``MigrationError`` as ``up(to:progress:)`` does, and when a migration is irreversible; then nothing was done.
    public func down(
        to target: Int,
        progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) async throws(MigrationError) -> [FinishedMigration] {
        let folder = folder
        return try await run(progress) { rows throws(MigrationError) in try MigrationPlan.down(folder, rows, to: target)
        }
    }

    /// What the database knows and what the files say. Changes nothing and waits for nobody.
    ///
    /// - Throws: ``MigrationError/database(_:)``.
    public func status() async throws(MigrationError) -> MigrationStatus {
        let connection = try await MigrationConnection.open(configuration)
        let result: Result<MigrationStatus, MigrationError>
        do throws(MigrationError) {
            let folder = folder
            result = .success(try await connection.run { try MigrationStatus(folder, in: $0) })
        } catch {
            result = .failure(error)
        }
        await connection.close()
        return try result.get()
    }

    /// Says whether the statement at which a half-applied migration stopped has taken effect, which nobody but an operator
    /// who looked can know. The next run goes on behind it, or with it.
    ///
    /// - Throws: ``MigrationError/nothingToResolve(version:statement:)`` when it is not the statement in question.
    public func resolve(version: Int, statement: Int, isDone: Bool) async throws(MigrationError) {
        let run = try await MigrationRun.start(self) { _ in }
        let result: Result<Void, MigrationError>
        do throws(MigrationError) {
            result = .success(try await run.resolve(version: version, statement: statement, isDone: isDone))
        } catch {
            result = .failure(error)
        }
        await run.finish()
        try result.get()
    }

    private func run(
        _ progress: @escaping @Sendable (MigrationProgress) -> Void,
        _ plan: @escaping ([LedgerRow]) throws(MigrationError) -> [MigrationStep]
    ) async throws(MigrationError) -> [FinishedMigration] {
        let run = try await MigrationRun.start(self, progress)
        let result: Result<[FinishedMigration], MigrationError>
        do throws(MigrationError) {
            result = .success(try await run.carryOut(plan))
        } catch {
            result = .failure(error)
        }
        await run.finish()
        return try result.get()
    }
}
