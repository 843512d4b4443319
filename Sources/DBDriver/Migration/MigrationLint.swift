/// What is dangerous about migrations, found by reading them: no database is asked.
///
/// The rules serve rolling deploys, where the program before and the one after a migration run on the same schema, and
/// clusters, where a statement that copies a table holds up every node for its length.
public struct MigrationLint {
    /// How bad it is.
    public enum Severity: String, Sendable {
        /// Breaks a running program, a cluster or a later repair: must be mended.
        case error
        /// Worth a second look.
        case warning
    }

    /// One thing that was found.
    public struct Finding: Sendable, Equatable, CustomStringConvertible {
        /// How bad it is.
        public let severity: Severity
        /// The script, e.g. `0002_roles/up.mysql.sql`.
        public let path: String
        /// The line on which its statement starts, from 1.
        public let line: Int
        /// The rule's name, e.g. `expand-drops`.
        public let rule: String
        /// What is wrong, and what to do instead.
        public let message: String

        /// In the form that compilers use, which editors and pipelines know.
        public var description: String { "\(place): \(severity.rawValue): \(message) [\(rule)]" }

        /// Script and line, e.g. `0002_roles/up.mysql.sql:14`.
        public var place: String { "\(path):\(line)" }
    }

    /// The script at hand.
    let script: MigrationScript
    let header: MigrationHeader
    /// The tables that it has made so far: nobody uses them yet.
    var made: Set<String> = []
    /// The line of the statement at hand.
    var line = 1
    private(set) var findings: [Finding] = []

    private init(_ migration: Migration) {
        script = migration.up
        header = migration.header
    }

    /// Checks the `up` scripts of all migrations, for every server.
    ///
    /// - Parameters:
    ///   - files: as for ``MigrationFolder``.
    ///   - version: the first version that counts.
    /// - Returns: what was found, by place.
    /// - Throws: ``MigrationError`` when the files are no folder of migrations at all.
    public static func findings(
        in files: [(path: String, text: String)],
        from version: Int = 1
    ) throws(MigrationError) -> [Finding] {
        var findings: [Finding] = []
        var folders: [Dialect: MigrationFolder] = [:]
        for dialect in Dialect.allCases { folders[dialect] = try MigrationFolder(files: files, dialect: dialect) }
        for server in ServerProduct.allCases {
            guard let folder = folders[server.dialect] else { continue }
            for migration in folder.on(server).migrations where migration.version >= version {
                var lint = MigrationLint(migration)
                lint.check()
                // A script for several servers is read several times.
                for finding in lint.findings where !findings.contains(finding) { findings.append(finding) }
            }
        }
        return findings.sorted { ($0.path, $0.line) < ($1.path, $1.line) }
    }

    private mutating func check() {
        var touched: Set<String> = []
        for statement in script.statements {
            guard let words = StatementWords(statement.text, script.dialect) else { continue }
            line = statement.line
            let shape = StatementShape(words)
            checkPhase(shape)
            if shape.isDDL { checkLock(words) }
            switch shape {
            case .createTable(let table, let words):
                checkNewTable(words)
                made.insert(table)
            case .alterTable(let table, let changes) where !made.contains(table):
                for change in changes { checkChange(change) }
                checkCopying(words)
            case .createIndex(let table, isUnique: true) where !made.contains(table): checkUnique()
            default: break
            }
            if shape.isDDL, let table = shape.table { touched.insert(table) }
        }
        line = 1
        if touched.count > 1 {
            report(
                .warning,
                "one-table",
                "\(touched.count) tables: one each leaves less to look at if it stops half-way"
            )
        }
    }

    mutating func report(_ severity: Severity, _ rule: String, _ message: String) {
        findings.append(Finding(severity: severity, path: script.path, line: line, rule: rule, message: message))
    }
}
