/// What a statement of a script does, as far as lint has to know.
enum StatementShape {
    case createTable(String, StatementWords)
    case dropTable(String)
    /// The parts between the commas, without `ALGORITHM` and `LOCK`.
    case alterTable(String, changes: [StatementWords])
    case createIndex(table: String, isUnique: Bool)
    case dropIndex
    /// INSERT, UPDATE, DELETE and their like; `into` is the table when it is an INSERT of VALUES.
    case changeRows(into: String?)
    case other

    init(_ words: StatementWords) {
        var reader = words
        self =
            switch reader.next() {
            case "CREATE": Self.creation(reader, words)
            case "DROP": Self.removal(reader)
            case "ALTER": Self.alteration(reader)
            case "INSERT": Self.insertion(reader, words)
            case "UPDATE", "DELETE", "REPLACE", "WITH", "TRUNCATE": .changeRows(into: nil)
            default: .other
            }
    }

    /// The table that it makes or changes.
    var table: String? {
        switch self {
        case .createTable(let table, _), .dropTable(let table), .alterTable(let table, _), .createIndex(let table, _):
            table
        case .changeRows(let table): table
        case .dropIndex, .other: nil
        }
    }

    /// Whether it changes the schema.
    var isDDL: Bool {
        switch self {
        case .createTable, .dropTable, .alterTable, .createIndex, .dropIndex: true
        case .changeRows, .other: false
        }
    }

    private static func creation(_ reader: StatementWords, _ all: StatementWords) -> StatementShape {
        var reader = reader
        if reader.skip("TABLE") {
            reader.skipIfExists()
            return reader.name().map { .createTable($0, all) } ?? .other
        }
        let isUnique = reader.skip("UNIQUE")
        guard reader.skip("INDEX") else { return .other }
        reader.skipIfExists()
        guard reader.name() != nil, reader.skip("ON"), let table = reader.name() else { return .other }
        return .createIndex(table: table, isUnique: isUnique)
    }

    private static func removal(_ reader: StatementWords) -> StatementShape {
        var reader = reader
        if reader.skip("INDEX") { return .dropIndex }
        guard reader.skip("TABLE") else { return .other }
        reader.skipIfExists()
        return reader.name().map(StatementShape.dropTable) ?? .other
    }

    private static func alteration(_ reader: StatementWords) -> StatementShape {
        var reader = reader
        guard reader.skip("TABLE"), let table = reader.name() else { return .other }
        return .alterTable(table, changes: reader.changes())
    }

    private static func insertion(_ reader: StatementWords, _ all: StatementWords) -> StatementShape {
        var reader = reader
        guard reader.skip("INTO"), let table = reader.name(), !all.contains("SELECT") else {
            return .changeRows(into: nil)
        }
        return .changeRows(into: table)
    }
}
