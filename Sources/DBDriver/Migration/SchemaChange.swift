/// A DDL statement of MySQL whose effect can be looked up afterwards, for the case that the connection was lost while it ran.
///
/// Such a statement happens wholly or not at all (MariaDB 10.6 and MySQL 8 have atomic DDL), so looking for its objects
/// tells whether it happened. An ALTER TABLE may be several changes; any other statement is about one object.
enum SchemaChange: Equatable {
    case createTable(String)
    case dropTable(String)
    case createIndex(String, table: String)
    case dropIndex(String, table: String)
    case addColumn(String, table: String)
    case dropColumn(String, table: String)
    case renameColumn(String, to: String, table: String)
    case addConstraint(String, table: String)
    case dropConstraint(String, table: String)

    /// What a statement changes; empty when any of it is not recognised.
    static func changes(of statement: String, _ dialect: Dialect = .mysql) -> [SchemaChange] {
        guard let words = StatementWords(statement, dialect) else { return [] }
        var reader = words
        switch reader.next() {
        case "CREATE": return SchemaChange(create: &reader, all: words).map { [$0] } ?? []
        case "DROP": return SchemaChange(drop: &reader).map { [$0] } ?? []
        case "ALTER":
            guard reader.skip("TABLE"), let table = reader.name() else { return [] }
            var changes: [SchemaChange] = []
            for var words in reader.changes() {
                guard let change = SchemaChange(alter: &words, table) else { return [] }
                changes.append(change)
            }
            return swapsColumns(changes) ? [] : changes
        default: return []
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

    private init?(create words: inout StatementWords, all: StatementWords) {
        if words.skip("TABLE") {
            words.skipIfExists()
            // A table filled by a SELECT is data as well; a LIKE or a list of columns is not.
            guard !all.contains("SELECT"), let table = words.name() else { return nil }
            self = .createTable(table)
            return
        }
        _ = words.skip("UNIQUE") || words.skip("FULLTEXT") || words.skip("SPATIAL")
        guard words.skip("INDEX") else { return nil }
        words.skipIfExists()
        guard let index = words.name(), words.skip("ON"), let table = words.name() else { return nil }
        self = .createIndex(index, table: table)
    }

    private init?(drop words: inout StatementWords) {
        if words.skip("TABLE") {
            words.skipIfExists()
            guard let table = words.name(), words.isAtEnd else { return nil }
            self = .dropTable(table)
            return
        }
        guard words.skip("INDEX") else { return nil }
        words.skipIfExists()
        guard let index = words.name(), words.skip("ON"), let table = words.name() else { return nil }
        self = .dropIndex(index, table: table)
    }

    private init?(alter words: inout StatementWords, _ table: String) {
        switch words.next() {
        case "ADD": self.init(add: &words, table)
        case "DROP": self.init(drop: &words, from: table)
        case "RENAME":
            guard words.skip("COLUMN"), let old = words.name(), words.skip("TO"), let new = words.name() else {
                return nil
            }
            self = .renameColumn(old, to: new, table: table)
        default: return nil
        }
    }

    private init?(add words: inout StatementWords, _ table: String) {
        if words.skip("CONSTRAINT") {
            guard let name = words.name() else { return nil }
            self = .addConstraint(name, table: table)
        } else if words.skip("INDEX") || words.skip("KEY")
            || (words.skip("UNIQUE") && (words.skip("INDEX") || words.skip("KEY")))
        {
            words.skipIfExists()
            guard let name = words.name() else { return nil }
            self = .createIndex(name, table: table)
        } else {
            guard let name = words.columnName() else { return nil }
            self = .addColumn(name, table: table)
        }
    }

    private init?(drop words: inout StatementWords, from table: String) {
        if words.skip("CONSTRAINT") || (words.skip("FOREIGN") && words.skip("KEY")) {
            guard let name = words.name() else { return nil }
            self = .dropConstraint(name, table: table)
        } else if words.skip("INDEX") || words.skip("KEY") {
            guard let name = words.name() else { return nil }
            self = .dropIndex(name, table: table)
        } else {
            guard let name = words.columnName() else { return nil }
            self = .dropColumn(name, table: table)
        }
    }

    /// Whether the schema already is as the statement would make it.
    func isDone(in session: Session) throws(DatabaseError) -> Bool {
        switch self {
        case .createTable(let table): try session.hasTable(table)
        case .dropTable(let table): try !session.hasTable(table)
        case .createIndex(let index, let table): try session.hasIndex(index, table)
        case .dropIndex(let index, let table): try !session.hasIndex(index, table)
        case .addColumn(let column, let table): try session.hasColumn(column, table)
        case .dropColumn(let column, let table): try !session.hasColumn(column, table)
        case .renameColumn(let old, let new, let table):
            try session.hasColumn(old, table) ? false : try session.hasColumn(new, table)
        case .addConstraint(let name, let table): try session.hasConstraint(name, table)
        case .dropConstraint(let name, let table): try !session.hasConstraint(name, table)
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
