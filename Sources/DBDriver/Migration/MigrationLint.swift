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
    let direction: MigrationDirection
    /// The tables that it has made so far: nobody uses them yet.
    var made: Set<String> = []
    /// The line of the statement at hand.
    var line = 1
    private(set) var findings: [Finding] = []

    private init(_ script: MigrationScript, _ direction: MigrationDirection, _ header: MigrationHeader) {
        (self.script, self.direction, self.header) = (script, direction, header)
    }

    /// Whether the program before this migration runs on while the script does.
    var isExpanding: Bool { direction == .up && header.phase == .expand }

    /// Checks the scripts of all migrations, for every server. What a `down` takes away is not its concern.
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
                for direction in [MigrationDirection.up, .down] {
                    guard let script = migration.script(direction) else { continue }
                    var lint = MigrationLint(script, direction, migration.header)
                    lint.check(version: migration.version)
                    // A script for several servers is read several times.
                    for finding in lint.findings where !findings.contains(finding) { findings.append(finding) }
                }
            }
        }
        return findings.sorted { ($0.path, $0.line) < ($1.path, $1.line) }
    }

    private mutating func check(version: Int) {
        if direction == .up, let minApp = header.minApp, minApp > version {
            report(
                .error,
                "min-app",
                "no program has schema level \(minApp) yet: name at most \(version), the level of this migration's own program"
            )
        }
        let words = script.statements.map { StatementWords($0.text, script.dialect) }
        let shapes = words.map { $0.map(StatementShape.init) ?? .unrecognised }
        checkKinds(shapes)
        for (statement, (shape, words)) in zip(script.statements, zip(shapes, words)) {
            line = statement.line
            if let words { check(shape, words) }
        }
        line = 1
        let touched = Set(shapes.filter(\.isDDL).compactMap(\.table))
        if direction == .up, touched.count > 1 {
            report(
                .warning,
                "one-table",
                "\(touched.count) tables: one each leaves less to look at if it stops half-way"
            )
        }
    }

    private mutating func check(_ shape: StatementShape, _ words: StatementWords) {
        checkPhase(shape)
        checkRecovery(shape)
        if shape.isDDL { checkLock(words) }
        switch shape {
        case .createTable(let table, let body, let isConditional):
            checkNewTable(body)
            // One that may have been there before is in use.
            if !isConditional { made.insert(table) }
        case .renameTable(let old, let new):
            if made.contains(old) { made.insert(new) } else { checkRename() }
        case .alterTable(let table, let changes) where !made.contains(table):
            for change in changes { checkChange(change) }
            checkCopying(words)
        case .createIndex(_, let table, isUnique: true) where !made.contains(table): checkUnique()
        case .unrecognised: checkUnrecognised()
        default: break
        }
    }

    mutating func report(_ severity: Severity, _ rule: String, _ message: String) {
        findings.append(Finding(severity: severity, path: script.path, line: line, rule: rule, message: message))
    }
}
