/// How the schema of a database fits a program, for a server that has to decide whether it can work with it.
public enum SchemaState: Sendable, Equatable {
    /// All of the program's migrations are applied, and nothing else.
    case current
    /// No migration was ever applied.
    case empty
    /// Some are not applied yet. The program works from level `usable` on.
    case behind(applied: Int, wanted: Int, usable: Int)
    /// A newer program has migrated the database, and this one works all the same.
    case ahead(unknown: [Int])
    /// A newer program has removed what this one uses: migration `version` wants programs of level `minApp`.
    case tooNew(version: Int, minApp: Int)
    /// A migration is under way or stopped in the middle.
    case halfApplied(version: Int)

    /// Reads the state through a session, for example one lent by ``Database/read(_:)``.
    ///
    /// - Parameters:
    ///   - folder: the program's migrations; the latest is the highest level that it knows.
    ///   - usable: the lowest level that the program can work with; nil for the highest.
    ///   - session: where to look.
    /// - Returns: the state.
    /// - Throws: ``DatabaseError``.
    public static func read(
        _ folder: MigrationFolder,
        usableFrom usable: Int? = nil,
        in session: Session
    ) throws(DatabaseError) -> SchemaState {
        SchemaState(folder, usableFrom: usable, try MigrationLedger.rows(in: session))
    }

    init(_ folder: MigrationFolder, usableFrom usable: Int? = nil, _ rows: [LedgerRow]) {
        let applied = rows.filter(\.isApplied)
        let unknown = applied.filter { folder.migration($0.version) == nil }
        let known = applied.count - unknown.count
        if let breaking = unknown.first(where: { $0.phase == .contract && $0.minApp ?? .max > folder.latest }) {
            self = .tooNew(version: breaking.version, minApp: breaking.minApp ?? breaking.version)
        } else if let half = rows.first(where: \.isHalfApplied) {
            self = .halfApplied(version: half.version)
        } else if applied.isEmpty {
            self = .empty
        } else if known < folder.latest {
            let level = Set(applied.map(\.version))
            let reached = (1...folder.latest).first { !level.contains($0) }.map { $0 - 1 } ?? folder.latest
            self = .behind(applied: reached, wanted: folder.latest, usable: usable ?? folder.latest)
        } else {
            self = unknown.isEmpty ? .current : .ahead(unknown: unknown.map(\.version))
        }
    }

    /// Whether a program that starts may begin to work. One that works already may go on while a migration is under way.
    public var isUsable: Bool {
        switch self {
        case .current, .ahead: true
        case .behind(let applied, _, let usable): applied >= usable
        case .empty, .tooNew, .halfApplied: false
        }
    }

    /// Tells an operator what to do; nil when there is nothing.
    ///
    /// - Parameter command: the program and subcommand that migrate, e.g. `mcp-registry migrate`.
    /// - Returns: what is the matter and what to run.
    public func advice(command: String) -> String? {
        switch self {
        case .current:
            nil
        case .empty:
            "the database has no schema yet; run: \(command) up"
        case .behind(let applied, let wanted, let usable):
            applied >= usable
                ? "the schema is at version \(applied) of \(wanted), which is enough; to bring it up to date, run: \(command) up"
                : "the schema is at version \(applied), this program needs \(usable); run: \(command) up"
        case .ahead(let unknown):
            "a newer program has migrated the database (\(Self.list(unknown))); this one works with it all the same"
        case .tooNew(let version, let minApp):
            "the schema is too new: migration \(version) wants programs of schema level \(minApp) or later; run the newer program"
        case .halfApplied(let version):
            "migration \(version) is under way or stopped in the middle; see: \(command) status"
        }
    }

    private static func list(_ versions: [Int]) -> String {
        versions.map(String.init).joined(separator: ", ")
    }
}
