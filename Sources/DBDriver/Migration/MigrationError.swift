/// Everything that can go wrong with migrations. `description` says what, where, and what to do about it.
public enum MigrationError: Error, Sendable {
    // The files.

    /// A file that is not `NNNN_snake_name/{up,down}.{mysql,sqlite}.sql`, or `up.sql` and `down.sql` for both engines.
    case unexpectedFile(path: String)
    /// Versions count from 0001 without gaps, and this one is missing.
    case missingVersion(Int)
    /// Two folders have the same version, usually from two branches.
    case duplicateVersion(Int, folders: [String])
    /// A script that each version must have; `path` is where it is looked for.
    case missingScript(path: String)
    /// Both `up.sql` and `up.mysql.sql`, or a `down` script of a migration that calls itself irreversible.
    case surplusScript(path: String, reason: String)
    /// The text of a file breaks a rule of migration files.
    case badScript(path: String, line: Int, problem: String)
    /// The `up` scripts of one version have different headers for the two engines.
    case headersDiffer(version: Int)

    // The history in the database.

    /// The database has a migration that this program does not know.
    case unknownVersion(Int, name: String)
    /// The database knows the version under another name.
    case renamed(version: Int, applied: String, folder: String)
    /// A script was edited after it had been applied.
    case edited(version: Int, path: String)
    /// A version is missing in the database although a later one is applied.
    case skipped(version: Int, applied: Int)
    /// An earlier run stopped in the middle of a migration, and this run cannot or must not go on.
    case halfApplied(HalfAppliedMigration)

    /// Programs are running that a contract migration would break; `instances` names them.
    case olderInstances(version: Int, minApp: Int, instances: [String])

    // The request.

    /// There is no such version to go to.
    case noSuchVersion(Int, latest: Int)
    /// A migration that was applied after the plan to take some back had been shown.
    case notConfirmed(version: Int)
    /// The migration says that it cannot be taken back.
    case irreversible(version: Int, reason: String)
    /// ``Migrator/resolve(version:statement:isDone:)`` names a statement that is not the one in doubt.
    case nothingToResolve(version: Int, statement: Int)

    /// ``Migrator/repair(version:)`` names a version that is not applied, or one whose files are as they were.
    case nothingToRepair(version: Int)
    /// The database has a history already, or lacks tables that the version would have made.
    case cannotBaseline(version: Int, reason: String)
    /// ``Migrator/unlock(owner:)`` names an owner that does not have the lease; `holder` tells who has it.
    case notLockedBy(owner: String, holder: String?)

    // The run.

    /// A statement failed, and SQLite rolled the whole migration back.
    case rolledBack(HalfAppliedMigration)
    /// Somebody else was migrating for as long as this run was ready to wait.
    case locked(holder: String, heldFor: Duration, waited: Duration)
    /// Another program was writing to the SQLite file for as long as this run was ready to wait.
    case fileInUse(waited: Duration)
    /// Somebody else took the lease over, since this run could not renew it in time.
    case leaseLost(version: Int)
    /// The connection was lost during a statement which the server still runs.
    case stillRunning(HalfAppliedMigration, waited: Duration)
    /// The database could not be reached or answered with an error outside of a migration's own statements.
    case database(DatabaseError)
    /// The task was cancelled while it waited or between two migrations.
    case cancelled
}

/// Where a migration stopped.
public struct HalfAppliedMigration: Sendable {
    /// The migration's version.
    public var version: Int
    /// The migration's name.
    public var name: String
    /// Whether it was being applied or taken back.
    public var direction: MigrationDirection
    /// The script's path and the line on which the statement starts, e.g. `0002_roles/up.mysql.sql:14`.
    public var place: String
    /// The number of the statement, from 1.
    public var statement: Int
    /// How many statements the script has.
    public var statements: Int
    /// The statement's text.
    public var text: String
    /// The database's error, when it answered one.
    public var error: DatabaseError?
}
