/// What a statement of a script does, as far as reading it tells. Lint, the list of what would be lost, and the decision
/// how to go on after an interruption all ask this; what is not understood in whole is ``unrecognised``, never harmless.
enum StatementShape {
    /// `body` is what stands behind the name; with IF NOT EXISTS it may have been there before.
    case createTable(String, body: StatementWords, isConditional: Bool)
    case dropTable(String)
    case renameTable(String, to: String)
    /// The parts between the commas, without `ALGORITHM` and `LOCK`; at least one.
    case alterTable(String, [TableChange])
    case createIndex(String, table: String, isUnique: Bool)
    /// SQLite does not name the table.
    case dropIndex(String, table: String?)
    /// A view, a routine or a virtual table that was not there before. (A trigger may refuse or change what a running program
    /// writes.)
    case createOther
    /// A statement that takes part in a transaction; `into` is the table when it is an INSERT of VALUES.
    case changeRows(RowVerb, into: String?, words: StatementWords)
    /// All rows at once, and outside of any transaction.
    case truncate
    /// Changes nothing.
    case query
    case unrecognised

    /// How rows are changed.
    enum RowVerb: String {
        case insert = "INSERT"
        case update = "UPDATE"
        case delete = "DELETE"
        case replace = "REPLACE"
        /// Any of the others, behind a common table expression.
        case with = "WITH"
    }

    init(_ statement: String, _ dialect: Dialect = .mysql) {
        guard let words = StatementWords(statement, dialect) else {
            self = .unrecognised
            return
        }
        self.init(words)
    }

    init(_ words: StatementWords) {
        var reader = words
        let verb = reader.next() ?? ""
        if let verb = RowVerb(rawValue: verb) {
            let isOfValues = verb == .insert && reader.skip("INTO") && !words.contains("SELECT")
            self = .changeRows(verb, into: isOfValues ? reader.name() : nil, words: words)
            return
        }
        let shape: StatementShape? =
            switch verb {
            case "CREATE": Self.creation(&reader)
            case "DROP": Self.removal(&reader)
            case "ALTER": Self.alteration(&reader)
            case "RENAME": Self.renaming(&reader)
            case "TRUNCATE": .truncate
            case "SELECT": .query
            // MariaDB's ANALYZE runs the statement behind it.
            case "ANALYZE" where reader.isAtEnd || reader.begins(withAnyOf: ["TABLE"]): .query
            default: nil
            }
        self = shape ?? .unrecognised
    }

    /// The table that it makes or changes.
    var table: String? {
        switch self {
        case .createTable(let table, _, _), .dropTable(let table), .renameTable(let table, _),
            .alterTable(let table, _),
            .createIndex(_, let table, _):
            table
        case .changeRows(_, let table, _), .dropIndex(_, let table): table
        case .createOther, .truncate, .query, .unrecognised: nil
        }
    }

    /// Whether it changes the schema, or may do so.
    var isDDL: Bool {
        switch self {
        case .createTable, .dropTable, .renameTable, .alterTable, .createIndex, .dropIndex, .createOther, .unrecognised:
            true
        case .changeRows, .truncate, .query: false
        }
    }

    /// Whether it takes part in a transaction.
    var changesRows: Bool {
        if case .changeRows = self { true } else { false }
    }

    /// Whether it deletes rows or writes over them.
    var losesRows: Bool {
        switch self {
        case .changeRows(.insert, _, let words): words.contains("UPDATE") || words.contains("REPLACE")
        case .changeRows, .truncate: true
        default: false
        }
    }

    private static func creation(_ reader: inout StatementWords) -> StatementShape? {
        if reader.skip("TABLE") {
            let isConditional = reader.begins(withAnyOf: ["IF"])
            reader.skipIfExists()
            guard let table = reader.name() else { return nil }
            return .createTable(table, body: reader, isConditional: isConditional)
        }
        if ["VIEW", "PROCEDURE", "FUNCTION", "VIRTUAL"].contains(where: { reader.skip($0) }) {
            return .createOther
        }
        let isUnique = reader.skip("UNIQUE")
        _ = reader.skip("FULLTEXT") || reader.skip("SPATIAL")
        guard reader.skip("INDEX") else { return nil }
        reader.skipIfExists()
        guard let index = reader.name(), reader.skip("ON"), let table = reader.name() else { return nil }
        return .createIndex(index, table: table, isUnique: isUnique)
    }

    private static func removal(_ reader: inout StatementWords) -> StatementShape? {
        if reader.skip("TABLE") {
            reader.skipIfExists()
            guard let table = reader.name(), reader.isAtEnd else { return nil }
            return .dropTable(table)
        }
        guard reader.skip("INDEX") else { return nil }
        reader.skipIfExists()
        guard let index = reader.name() else { return nil }
        if reader.isAtEnd { return .dropIndex(index, table: nil) }
        guard reader.skip("ON"), let table = reader.name() else { return nil }
        return .dropIndex(index, table: table)
    }

    private static func alteration(_ reader: inout StatementWords) -> StatementShape? {
        guard reader.skip("TABLE"), let table = reader.name() else { return nil }
        let changes = reader.changes()
        if changes.count == 1, var rename = changes.first, rename.skip("RENAME") {
            _ = rename.skip("TO") || rename.skip("AS")
            if let new = rename.name(), rename.isAtEnd { return .renameTable(table, to: new) }
        }
        return changes.isEmpty ? nil : .alterTable(table, changes.map(TableChange.init))
    }

    private static func renaming(_ reader: inout StatementWords) -> StatementShape? {
        guard reader.skip("TABLE"), let old = reader.name(), reader.skip("TO"), let new = reader.name(), reader.isAtEnd
        else { return nil }
        return .renameTable(old, to: new)
    }
}
