/// How the schema of a database fits a program, for a server that has to decide whether it can work with it.
public enum SchemaState: Sendable, Equatable {
    /// All of the program's migrations are applied, and nothing else.
    case current
    /// No migration was ever applied.
    case empty
    /// Some are not applied yet.
    case behind(applied: Int, wanted: Int)
    /// The database has migrations that the program does not know.
    case ahead(unknown: [Int])
    /// A migration is under way or stopped in the middle.
    case halfApplied(version: Int)

    /// Reads the state through a session, for example one lent by ``Database/read(_:)``.
    public static func read(_ folder: MigrationFolder, in session: Session) throws(DatabaseError) -> SchemaState {
        SchemaState(folder, try MigrationLedger.rows(in: session))
    }

    init(_ folder: MigrationFolder, _ rows: [LedgerRow]) {
        let applied = rows.filter(\.isApplied).map(\.version)
        let unknown = applied.filter { folder.migration($0) == nil }
        if let half = rows.first(where: \.isHalfApplied) {
            self = .halfApplied(version: half.version)
        } else if !unknown.isEmpty {
            self = .ahead(unknown: unknown)
        } else if applied.count == folder.latest {
            self = .current
        } else if let last = applied.last {
            self = .behind(applied: last, wanted: folder.latest)
        } else {
            self = .empty
        }
    }

    /// Tells an operator what to do; nil when all is well.
    ///
    /// - Parameter command: the program and subcommand that migrate, e.g. `mcp-registry migrate`.
    /// - Returns: what is the matter and what to run.
    public func advice(command: String) -> String? {
        switch self {
        case .current:
            nil
        case .empty:
            "the database has no schema yet; run: \(command) up"
        case .behind(let applied, let wanted):
            "the schema is at version \(applied), this program needs \(wanted); run: \(command) up"
        case .ahead(let unknown):
            "the database has migrations that this program does not know (\(unknown.map(String.init).joined(separator: ", "))); run the newer program"
        case .halfApplied(let version):
            "migration \(version) is under way or stopped in the middle; see: \(command) status"
        }
    }
}
