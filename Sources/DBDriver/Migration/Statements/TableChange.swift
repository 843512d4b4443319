/// One of the changes between the commas of an ALTER TABLE.
struct TableChange {
    /// What it does.
    enum Kind {
        /// `definition` is what stands behind the column's name.
        case addColumn(String, definition: StatementWords)
        /// Without a name the server makes one up.
        case addIndex(String?, isUnique: Bool)
        /// A foreign key, a primary key or a check, or a UNIQUE that is called a constraint.
        case addConstraint(String?, isUnique: Bool)
        case dropColumn(String)
        case dropIndex(String)
        /// Without a name it is the primary key.
        case dropConstraint(String?)
        case renameColumn(String, to: String)
        case unrecognised
    }

    let kind: Kind
    let words: StatementWords

    init(_ words: StatementWords) {
        var reader = words
        let kind: Kind? =
            switch reader.next() {
            case "ADD": Self.addition(&reader)
            case "DROP": Self.removal(&reader)
            case "RENAME": Self.renaming(&reader)
            default: nil
            }
        self.kind = kind ?? .unrecognised
        self.words = words
    }

    private static func addition(_ reader: inout StatementWords) -> Kind? {
        if reader.skip("CONSTRAINT") {
            let name = reader.begins(withAnyOf: ["UNIQUE", "PRIMARY", "FOREIGN", "CHECK"]) ? nil : reader.name()
            return .addConstraint(name, isUnique: reader.skip("UNIQUE"))
        }
        if reader.begins(withAnyOf: ["PRIMARY", "FOREIGN", "CHECK"]) { return .addConstraint(nil, isUnique: false) }
        let isUnique = reader.skip("UNIQUE")
        let isOfAKind = reader.skip("FULLTEXT") || reader.skip("SPATIAL")
        if reader.skip("INDEX") || reader.skip("KEY") || isUnique || isOfAKind {
            reader.skipIfExists()
            return .addIndex(reader.name(), isUnique: isUnique)
        }
        return reader.columnName().map { .addColumn($0, definition: reader) }
    }

    private static func removal(_ reader: inout StatementWords) -> Kind? {
        if reader.skip("PRIMARY") { return .dropConstraint(nil) }
        if reader.skip("CONSTRAINT") || reader.skip("CHECK") || (reader.skip("FOREIGN") && reader.skip("KEY")) {
            reader.skipIfExists()
            return reader.name().map(Kind.dropConstraint)
        }
        if reader.skip("INDEX") || reader.skip("KEY") {
            reader.skipIfExists()
            return reader.name().map(Kind.dropIndex)
        }
        return reader.columnName().map(Kind.dropColumn)
    }

    private static func renaming(_ reader: inout StatementWords) -> Kind? {
        guard reader.skip("COLUMN"), let old = reader.name(), reader.skip("TO"), let new = reader.name() else {
            return nil
        }
        return .renameColumn(old, to: new)
    }
}
