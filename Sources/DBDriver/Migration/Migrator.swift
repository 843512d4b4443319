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
        /// The running programs that know no schema level from the given one on: a contract migration waits until there are
        /// none. By default nobody is asked.
        public var instances: @Sendable (_ below: Int, Session) throws(DatabaseError) -> [String] = { _, _ in [] }
        /// The time that is noted with each migration.
        public var now: @Sendable () -> Timestamp = { .now() }

        /// The defaults.
        public init() {}
    }

    let configuration: DatabaseConfiguration
    private(set) var folder: MigrationFolder
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
    ///   - leniency: what may be overlooked in the history.
    ///   - progress: called as things happen, from any thread.
    /// - Returns: what was applied, in order; empty when there was nothing to do.
    /// - Throws: ``MigrationError``, when the history does not fit the files, a statement fails, the lease cannot be had or is
    ///   lost, or the database cannot be reached. What was finished before stays applied.
    public func up(
        to target: Int? = nil,
        leniency: MigrationLeniency = MigrationLeniency(),
        progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) async throws(MigrationError) -> [FinishedMigration] {
        try await withLease(progress) { run async throws(MigrationError) in
            let folder = run.migrator.folder
            return try await run.carryOut { rows throws(MigrationError) in
                try MigrationPlan.up(folder, rows, to: target, leniency: leniency)
            }
        }
    }

    /// Takes back every migration above a version, the latest first. This destroys data; asking is the caller's task.
    ///
    /// - Parameters:
    ///   - target: the version to go back to; 0 takes all back.
    ///   - confirmed: the versions that may be taken back; nil for any.
    ///   - progress: called as things happen, from any thread.
    /// - Returns: what was taken back, in order; empty when there was nothing to do.
    /// - Throws: ``MigrationError`` as ``up(to:leniency:progress:)`` does, and when a migration is irreversible or not
    ///   confirmed; then nothing was done.
    public func down(
        to target: Int,
        confirmed: Set<Int>? = nil,
        progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) async throws(MigrationError) -> [FinishedMigration] {
        try await withLease(progress) { run async throws(MigrationError) in
            let folder = run.migrator.folder
            return try await run.carryOut { rows throws(MigrationError) in
                try MigrationPlan.down(folder, rows, to: target).confirmed(by: confirmed)
            }
        }
    }

    /// Takes the latest applied migration back and applies it again, under one lease, whether or not its files have changed
    /// since. This destroys its data. Cut off while it takes back, it goes on when it is called again; cut off while it
    /// applies, ``up(to:leniency:progress:)`` does the rest.
    ///
    /// - Parameters:
    ///   - confirmed: the version that may be taken back; nil for any.
    ///   - progress: called as things happen, from any thread.
    /// - Returns: what was taken back and applied, in order; empty when nothing is applied.
    /// - Throws: ``MigrationError`` as ``down(to:confirmed:progress:)`` and ``up(to:leniency:progress:)`` do.
    public func redo(
        confirmed: Int? = nil,
        progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) async throws(MigrationError) -> [FinishedMigration] {
        try await withLease(progress) { run async throws(MigrationError) in
            let folder = run.migrator.folder
            guard let latest = try await run.rows().last(where: \.isBegun)?.version else { return [] }
            let back = try await run.carryOut { rows throws(MigrationError) in
                try MigrationPlan.down(folder, rows, to: latest - 1, edited: latest)
                    .confirmed(by: confirmed.map { [$0] })
            }
            return try await back
                + run.carryOut { rows throws(MigrationError) in
                    try MigrationPlan.up(folder, rows, to: latest)
                }
        }
    }

    /// What ``redo(confirmed:progress:)`` would take back, and what it would destroy. Changes nothing and waits for nobody.
    ///
    /// - Throws: ``MigrationError`` when it would refuse.
    public func planRedo() async throws(MigrationError) -> [PlannedMigration] {
        try await reading { session, folder in
            let rows = try MigrationLedger.rows(in: session)
            guard let latest = rows.last(where: \.isBegun)?.version else { return [] }
            return try MigrationPlan.down(folder, rows, to: latest - 1, edited: latest).map {
                try PlannedMigration(destroyingWith: $0, session)
            }
        }
    }

    /// Says whether the statement at which a half-applied migration stopped has taken effect, which nobody but an operator
    /// who looked can know. The next run goes on behind it, or with it.
    ///
    /// - Throws: ``MigrationError/nothingToResolve(version:statement:)`` when it is not the statement in question.
    public func resolve(version: Int, statement: Int, isDone: Bool) async throws(MigrationError) {
        try await withLease { run async throws(MigrationError) in
            try await run.resolve(version: version, statement: statement, isDone: isDone)
        }
    }

    /// Accepts the files of a version as they are now, although they were different when it was applied. Old and new
    /// checksums are logged. In a half-applied migration the statements that are done are taken to be those of the new file.
    ///
    /// - Throws: ``MigrationError/nothingToRepair(version:)``.
    public func repair(version: Int) async throws(MigrationError) {
        try await withLease { run async throws(MigrationError) in try await run.repair(version: version) }
    }

    /// Takes a database that has a version's schema from elsewhere, such as a dump, for migrated to that version.
    ///
    /// - Returns: the versions that now count as applied.
    /// - Throws: ``MigrationError/cannotBaseline(version:reason:)`` when the database has a history, or lacks a table.
    public func baseline(at version: Int) async throws(MigrationError) -> [Int] {
        try await withLease { run async throws(MigrationError) in try await run.baseline(at: version) }
    }

    /// Takes the lease away from an owner that is known to be dead. A run that still lives stops before its next statement.
    ///
    /// - Parameter owner: as ``MigrationStatus/lockOwner`` shows it.
    /// - Throws: ``MigrationError/notLockedBy(owner:holder:)``.
    public func unlock(owner: String) async throws(MigrationError) {
        try await withConnection { connection async throws(MigrationError) in
            try await connection.transaction { session in
                guard try MigrationTables.areComplete(in: session) else {
                    throw MigrationError.notLockedBy(owner: owner, holder: nil)
                }
                guard try MigrationLease.release(from: owner, in: session) else {
                    let holder = try MigrationLease.current(in: session)
                    throw MigrationError.notLockedBy(
                        owner: owner,
                        holder: holder.map { "'\($0.owner)', that is \($0.description)" }
                    )
                }
            }
        }
    }

    /// What the database knows and what the files say. Changes nothing and waits for nobody.
    ///
    /// - Throws: ``MigrationError/database(_:)``.
    public func status() async throws(MigrationError) -> MigrationStatus {
        try await reading { try MigrationStatus($1, in: $0) }
    }

    /// Everything in which the history of the database differs from the files, by version; empty when all is well.
    ///
    /// - Throws: ``MigrationError/database(_:)``.
    public func verify() async throws(MigrationError) -> [MigrationError] {
        try await reading { MigrationPlan.differences($1, try MigrationLedger.rows(in: $0)) }
    }

    /// What ``up(to:leniency:progress:)`` would run now. Changes nothing and waits for nobody.
    ///
    /// - Throws: ``MigrationError`` when it would refuse.
    public func planUp(
        to target: Int? = nil,
        leniency: MigrationLeniency = MigrationLeniency()
    ) async throws(MigrationError) -> [PlannedMigration] {
        try await reading { session, folder in
            try MigrationPlan.up(folder, try MigrationLedger.rows(in: session), to: target, leniency: leniency)
                .map(PlannedMigration.init)
        }
    }

    /// What ``down(to:confirmed:progress:)`` would run now, and what it would destroy. Changes nothing and waits for nobody.
    ///
    /// - Parameters:
    ///   - target: the version to go back to; nil to count `steps` instead.
    ///   - steps: how many migrations to take back.
    /// - Returns: the plan; empty when there is nothing to take back.
    /// - Throws: ``MigrationError`` when it would refuse.
    public func planDown(to target: Int?, steps: Int = 1) async throws(MigrationError) -> [PlannedMigration] {
        try await reading { session, folder in
            let rows = try MigrationLedger.rows(in: session)
            let plan =
                if let target { try MigrationPlan.down(folder, rows, to: target) } else {
                    try MigrationPlan.down(folder, rows, steps: steps)
                }
            return try plan.map { try PlannedMigration(destroyingWith: $0, session) }
        }
    }

    /// How often something is read when its connection is lost.
    private static let readingsMax = 3

    /// Lends a session that can't change anything, and the folder with the scripts for its server; another one when it is lost. (A
    /// Galera node that ends a reader for the sake of somebody's DDL was seen to leave it without any answer.)
    func reading<T: Sendable>(
        _ body: @Sendable (Session, MigrationFolder) throws -> T
    ) async throws(MigrationError) -> T {
        for _ in 1..<Self.readingsMax {
            do throws(MigrationError) {
                return try await readingOnce(body)
            } catch  where error.isLostConnection {
                logger.notice("the connection was lost while the schema was read; it is read again")
            }
        }
        return try await readingOnce(body)
    }

    private func readingOnce<T: Sendable>(
        _ body: @Sendable (Session, MigrationFolder) throws -> T
    ) async throws(MigrationError) -> T {
        let folder = folder
        return try await withConnection(isReadOnly: true) { connection async throws(MigrationError) in
            try await connection.run { try body($0, folder.on(try $0.serverProduct())) }
        }
    }

    /// The same migrator with the scripts for the server at the other end of a connection.
    func onServer(of connection: MigrationConnection) async throws(MigrationError) -> Migrator {
        var migrator = self
        migrator.folder = folder.on(try await connection.run { try $0.serverProduct() })
        return migrator
    }

    func withConnection<T>(
        isReadOnly: Bool = false,
        _ body: (MigrationConnection) async throws(MigrationError) -> T
    ) async throws(MigrationError) -> T {
        var configuration = configuration
        // A missing file that may be made is made; nothing else about a database changes by looking at it.
        configuration.isReadOnly = isReadOnly && !configuration.mayCreateFile
        let connection = try await MigrationConnection.open(configuration)
        let result: Result<T, MigrationError>
        do throws(MigrationError) {
            result = .success(try await body(connection))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        return try result.get()
    }

    func withLease<T>(
        _ progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in },
        _ body: (MigrationRun) async throws(MigrationError) -> T
    ) async throws(MigrationError) -> T {
        let run = try await MigrationRun.start(self, progress)
        let result: Result<T, MigrationError>
        do throws(MigrationError) {
            result = .success(try await body(run))
        } catch {
            result = .failure(error)
        }
        await run.finish()
        return try result.get()
    }
}
