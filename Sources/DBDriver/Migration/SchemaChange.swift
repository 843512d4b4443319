/// A DDL statement of MySQL whose effect can be looked up afterwards, for the case that the connection was lost while it ran.
///
/// Such a statement happens wholly or not at all (MariaDB 10.6 and MySQL 8 have atomic DDL), so looking for its objects
/// tells whether it happened. An ALTER TABLE may be several changes; any other statement is about one object.
enum SchemaChange: Equatable {
    case createTable(String)
    case dropTable(String)
    case renameTable(String, to: String)
    case createIndex(String, table: String)
    case dropIndex(String, table: String)
    case addColumn(String, table: String)
    case dropColumn(String, table: String)
    case renameColumn(String, to: String, table: String)
    case addConstraint(String, table: String)
    case dropConstraint(String, table: String)

    /// What a statement changes; empty when any of it can't be looked up.
    static func changes(of statement: String, _ dialect: Dialect = .mysql) -> [SchemaChange] {
        changes(of: StatementShape(statement, dialect))
    }

    /// What a statement of a shape changes; empty when any of it can't be looked up.
    static func changes(of shape: StatementShape) -> [SchemaChange] {
        switch shape {
        // A table filled by a SELECT is data as well; a LIKE or a list of columns is not.
        case .createTable(let table, let body, _): return body.contains("SELECT") ? [] : [.createTable(table)]
        case .dropTable(let table): return [.dropTable(table)]
        case .renameTable(let old, let new): return [.renameTable(old, to: new)]
        case .createIndex(let index, let table, _): return [.createIndex(index, table: table)]
        case .dropIndex(let index, let table?): return [.dropIndex(index, table: table)]
        case .alterTable(let table, let changes):
            let found = changes.compactMap { SchemaChange($0.kind, table) }
            return found.count < changes.count || swapsColumns(found) ? [] : found
        case .dropIndex, .createOther, .changeRows, .truncate, .query, .unrecognised: return []
        }
    }

    /// Whether a column gets the name that another one gives up: that looks the same before and after.
    private static func swapsColumns(_ changes: [SchemaChange]) -> Bool {
        var (old, new): (Set<String>, Set<String>) = ([], [])
        for case .renameColumn(let from, let to, _) in changes {
            old.insert(from)
            new.insert(to)
        }
        return !old.isDisjoint(with: new)
    }

    /// Whether the schema already is as the changes of one statement would make it; nil when that holds for some of them
    /// only, or when there are none.
    static func areDone(_ changes: [SchemaChange], in session: Session) throws(DatabaseError) -> Bool? {
        var answers: Set<Bool> = []
        for change in changes { answers.insert(try change.isDone(in: session)) }
        return answers.count == 1 ? answers.first : nil
    }

    private init?(_ change: TableChange.Kind, _ table: String) {
        switch change {
        case .addColumn(let column, _): self = .addColumn(column, table: table)
        case .addIndex(let index?, _): self = .createIndex(index, table: table)
        case .addConstraint(let name?, _): self = .addConstraint(name, table: table)
        case .dropColumn(let column): self = .dropColumn(column, table: table)
        case .dropIndex(let index): self = .dropIndex(index, table: table)
        case .dropConstraint(let name?): self = .dropConstraint(name, table: table)
        case .renameColumn(let old, let new): self = .renameColumn(old, to: new, table: table)
        case .addIndex, .addConstraint, .dropConstraint, .unrecognised: return nil
        }
    }

    /// Whether the schema already is as the statement would make it.
    func isDone(in session: Session) throws(DatabaseError) -> Bool {
        switch self {
        case .createTable(let table): try session.hasTable(table)
        case .dropTable(let table): try !session.hasTable(table)
        case .renameTable(let old, let new): try session.hasTable(old) ? false : try session.hasTable(new)
        case .createIndex(let index, let table): try session.hasIndex(index, table)
        // Of a table that is not there nothing was dropped: its name may be misspelt.
        case .dropIndex(let index, let table): try session.hasTable(table) ? try !session.hasIndex(index, table) : false
        case .addColumn(let column, let table): try session.hasColumn(column, table)
        case .dropColumn(let column, let table):
            try session.hasTable(table) ? try !session.hasColumn(column, table) : false
        case .renameColumn(let old, let new, let table):
            try session.hasColumn(old, table) ? false : try session.hasColumn(new, table)
        case .addConstraint(let name, let table): try session.hasConstraint(name, table)
        case .dropConstraint(let name, let table):
            try session.hasTable(table) ? try !session.hasConstraint(name, table) : false
        }
    }
}

extension Session {
    fileprivate func hasTable(_ table: String) throws(DatabaseError) -> Bool {
        try has(
            """
            SELECT COUNT(*) AS n FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_name = \(table)
            """
        )
    }

    fileprivate func hasColumn(_ column: String, _ table: String) throws(DatabaseError) -> Bool {
        try has(
            """
            SELECT COUNT(*) AS n FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = \(table) AND column_name = \(column)
            """
        )
    }

    fileprivate func hasIndex(_ index: String, _ table: String) throws(DatabaseError) -> Bool {
        try has(
            """
            SELECT COUNT(*) AS n FROM information_schema.statistics
            WHERE table_schema = DATABASE() AND table_name = \(table) AND index_name = \(index)
            """
        )
    }

    fileprivate func hasConstraint(_ name: String, _ table: String) throws(DatabaseError) -> Bool {
        try has(
            """
            SELECT COUNT(*) AS n FROM information_schema.table_constraints
            WHERE table_schema = DATABASE() AND table_name = \(table) AND constraint_name = \(name)
            """
        )
    }

    private func has(_ count: SQL) throws(DatabaseError) -> Bool {
        try row(count)?.get("n", as: Int.self) ?? 0 > 0
    }
}
