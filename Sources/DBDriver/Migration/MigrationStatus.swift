/// What the files say and what the database knows, version by version.
public struct MigrationStatus: Sendable {
    /// One version.
    public struct Entry: Sendable {
        /// How the version stands.
        public enum State: String, Sendable {
            /// Not applied, or taken back.
            case pending
            /// Applied, and the files are as they were then.
            case applied
            /// Applied, but the files have changed since or have another name.
            case edited
            /// Under way, or interrupted: the outcome of one statement is unknown.
            case running
            /// Stopped at a statement that the database refused.
            case failed
            /// Applied, and not among the files.
            case unknown
        }

        /// The version.
        public let version: Int
        /// Its name.
        public let name: String
        /// The version as folders are named: four digits or more.
        public var paddedVersion: String { padded(version) }
        /// How it stands.
        public let state: State
        /// How many statements are done, and of how many; nil when it was never begun.
        public let statementDone: Int?
        /// How many statements its script has; nil when it was never begun.
        public let statements: Int?
        /// When it was applied or taken back.
        public let finishedAt: Timestamp?
        /// How long that took.
        public let milliseconds: Int64?
        /// The version of the program that did it.
        public let appVersion: String?
        /// What the database said when it refused a statement.
        public let error: String?
    }

    /// All versions among the files or in the database, in order.
    public let entries: [Entry]
    /// How the schema fits the program.
    public let schema: SchemaState
    /// Who migrates at the moment: the process.
    public let lockedBy: String?
    /// The same as ``Migrator/unlock(owner:)`` wants it.
    public let lockOwner: String?
    /// For how long already.
    public let lockedFor: Duration?

    init(_ folder: MigrationFolder, in session: Session) throws(DatabaseError) {
        let rows = try MigrationLedger.rows(in: session)
        let isSetUp = try MigrationTables.areComplete(in: session)
        let holder = isSetUp ? try MigrationLease.current(in: session) : nil
        (lockedBy, lockOwner, lockedFor) = (holder?.description, holder?.owner, holder?.heldFor)
        schema = SchemaState(folder, rows)
        entries = Self.entries(folder, rows)
    }

    static func entries(_ folder: MigrationFolder, _ rows: [LedgerRow]) -> [Entry] {
        let states = Dictionary(uniqueKeysWithValues: rows.map { ($0.version, $0) })
        let known = folder.migrations.map { Entry($0.version, $0.name, states[$0.version], folder) }
        let unknown = rows.filter { folder.migration($0.version) == nil && $0.state != .reverted }
        return known + unknown.map { Entry($0.version, $0.name, $0, folder) }
    }
}

extension MigrationStatus.Entry {
    fileprivate init(_ version: Int, _ name: String, _ row: LedgerRow?, _ folder: MigrationFolder) {
        self.version = version
        self.name = name
        statementDone = row?.statementDone
        statements = row?.statements
        finishedAt = row?.finishedAt
        milliseconds = row?.milliseconds
        appVersion = row?.appVersion
        error = row?.errorText
        state = Self.state(row, folder)
    }

    private static func state(_ row: LedgerRow?, _ folder: MigrationFolder) -> State {
        guard let row, row.state != .reverted else { return .pending }
        guard folder.migration(row.version) != nil else { return .unknown }
        switch row.state {
        case .running: return .running
        case .failed: return .failed
        case .done, .reverted:
            do throws(MigrationError) {
                try MigrationPlan.check(folder, [row])
                return .applied
            } catch {
                return .edited
            }
        }
    }
}
