/// A migration that a run would apply or take back.
public struct PlannedMigration: Sendable, Equatable {
    /// One statement of it.
    public struct Statement: Sendable, Equatable {
        /// Its number in the script, from 1.
        public let number: Int
        /// Path and line, e.g. `0002_roles/up.mysql.sql:14`.
        public let place: String
        /// Its text, without a `;`.
        public let text: String
    }

    /// Its version.
    public let version: Int
    /// E.g. `0002_roles`.
    public let label: String
    /// Whether it would be applied or taken back.
    public let direction: MigrationDirection
    /// When in a rolling deploy it runs.
    public let phase: MigrationHeader.Phase
    /// What would run: all of its statements, or those that an interrupted run has left.
    public let statements: [Statement]
    /// What would be lost, e.g. `table roles (12 rows)`; filled for migrations that are taken back.
    public private(set) var destroys: [String] = []

    init(_ step: MigrationStep) {
        version = step.migration.version
        label = step.migration.label
        direction = step.direction
        phase = step.migration.header.phase
        statements = step.script.statements.enumerated().dropFirst(step.interrupted?.statementDone ?? 0).map {
            Statement(number: $0 + 1, place: "\(step.script.path):\($1.line)", text: $1.text)
        }
    }

    /// One that would be taken back: looks at what is there to lose.
    init(destroyingWith step: MigrationStep, _ session: Session) throws(DatabaseError) {
        self.init(step)
        destroys = try DestroyedData.find(in: step.script, session).map(\.description)
    }
}

/// What a script would lose for good: tables with their rows, columns, and rows that it deletes or writes over.
enum DestroyedData: Equatable, CustomStringConvertible {
    case table(String, rows: Int)
    case column(String, table: String)
    case rows(String)
    /// A statement that can't be read.
    case unknown(String)

    /// Looks at each statement, and counts the rows of the tables that would go.
    static func find(in script: MigrationScript, _ session: Session) throws(DatabaseError) -> [DestroyedData] {
        let tables = try session.tableNames()
        var found: [DestroyedData] = []
        for statement in script.statements {
            let shape = StatementShape(statement.text, script.dialect)
            if shape.losesRows { found.append(.rows(statement.text)) }
            switch shape {
            case .dropTable(let name):
                // SQLite takes a name in any case.
                let isIt = { (table: String) in
                    table == name || session.dialect == .sqlite && table.lowercased() == name.lowercased()
                }
                guard let table = tables.first(where: isIt) else { break }
                found.append(.table(table, rows: try session.countRows(of: table)))
            case .alterTable(let table, let changes):
                for change in changes {
                    switch change.kind {
                    case .dropColumn(let column): found.append(.column(column, table: table))
                    case .unrecognised: found.append(.unknown(statement.text))
                    default: break
                    }
                }
            case .unrecognised: found.append(.unknown(statement.text))
            default: break
            }
        }
        return found
    }

    var description: String {
        switch self {
        case .table(let table, let rows): "table \(table) (\(rows) rows)"
        case .column(let column, let table): "column \(table).\(column)"
        case .rows(let statement): "rows, by: \(statement)"
        case .unknown(let statement): "what this does, which can't be read here: \(statement)"
        }
    }
}

extension Session {
    /// The names of the tables in the database.
    public func tableNames() throws(DatabaseError) -> Set<String> {
        let sql: SQL =
            switch dialect {
            case .mysql:
                """
                SELECT table_name AS name FROM information_schema.tables
                WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
                """
            case .sqlite:
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            }
        var names: Set<String> = []
        for row in try rows(sql) { names.insert(try row.get("name")) }
        return names
    }
}

extension Session {
    /// How many rows a table has. Both engines take names in backticks.
    fileprivate func countRows(of table: String) throws(DatabaseError) -> Int {
        let name = "`" + table.replacing("`", with: "``") + "`"
        return try row(SQL(trustedText: "SELECT COUNT(*) AS n FROM \(name)"))?.get("n") ?? 0
    }
}
