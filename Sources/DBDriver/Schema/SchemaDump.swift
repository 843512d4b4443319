/// What a database's schema is, in canonical form: the same schema gives the same dump, whichever way it came about and
/// whichever server of the engine's family it is on. The migrator's own tables are left out.
public struct SchemaDump: Sendable, Equatable {
    /// A table or a view.
    public struct Table: Sendable, Equatable {
        /// What it is.
        public enum Kind: String, Sendable {
            /// A table with rows of its own.
            case table
            /// A query under a name.
            case view
        }

        /// What it is.
        public var kind = Kind.table
        /// Its name.
        public let name: String
        /// Its columns in their order, its keys, indexes, constraints and triggers by name; e.g.
        /// `column id char(36) not null`. Of a view its query.
        public let items: [String]

        /// E.g. `table users`.
        var title: String { "\(kind.rawValue) \(name)" }
    }

    /// By name.
    public let tables: [Table]

    init(tables: [Table]) {
        self.tables = tables.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Reads the schema of the session's database.
    ///
    /// - Throws: ``DatabaseError``.
    public static func read(in session: Session) throws(DatabaseError) -> SchemaDump {
        var tables: [Table] = []
        for name in try session.tableNames() where !MigrationTables.names.contains(name) {
            let items =
                switch session.dialect {
                case .mysql: try session.mysqlItems(of: name)
                case .sqlite: try session.sqliteItems(of: name)
                }
            tables.append(Table(name: name, items: items))
        }
        switch session.dialect {
        case .mysql: tables += try session.mysqlViews()
        case .sqlite: tables += try session.sqliteViews()
        }
        return SchemaDump(tables: tables)
    }

    /// The dump as text: a line for each table, and indented lines for what it has.
    public var text: String {
        tables.map { ([$0.title] + $0.items.map { "  " + $0 }).joined(separator: "\n") + "\n" }
            .joined(separator: "\n")
    }

    /// In what this schema differs from the one that it should be.
    public func differences(from expected: SchemaDump) -> [SchemaDifference] {
        let (ours, theirs) = (tablesByName, expected.tablesByName)
        let names = Set(ours.keys).union(theirs.keys).sorted { $0.lexicographicallyPrecedes($1) }
        return names.flatMap { name -> [SchemaDifference] in
            let (actual, wanted) = (ours[name], theirs[name])
            let table = String(decoding: name, as: UTF8.self)
            guard let actual, let wanted, actual.kind == wanted.kind else {
                return [
                    wanted.map { SchemaDifference(.missing, table, $0.title) },
                    actual.map { SchemaDifference(.unexpected, table, $0.title) },
                ].compactMap { $0 }
            }
            let changes = actual.items.difference(from: wanted.items)
            return changes.removals.map { SchemaDifference(.missing, table, $0.item) }
                + changes.insertions.map { SchemaDifference(.unexpected, table, $0.item) }
        }
    }

    /// By the bytes of the name: to Swift two names are equal that differ in their Unicode form only, and to a database they
    /// are not.
    private var tablesByName: [[UInt8]: Table] {
        Dictionary(tables.map { (Array($0.name.utf8), $0) }) { first, _ in first }
    }
}

/// One thing in which a schema differs from what the migrations make.
public struct SchemaDifference: Sendable, Equatable, CustomStringConvertible {
    /// What is the matter.
    public enum Kind: String, Sendable {
        /// The migrations make it, and the database lacks it.
        case missing
        /// The database has it, and no migration makes it.
        case unexpected
    }

    /// What is the matter.
    public let kind: Kind
    /// The table.
    public let table: String
    /// What is missing or unexpected in it, as a dump says it.
    public let item: String

    init(_ kind: Kind, _ table: String, _ item: String) {
        self.kind = kind
        self.table = table
        self.item = item
    }

    /// E.g. `- users: column note text`: `-` for what is missing, `+` for what is unexpected.
    public var description: String {
        "\(kind == .missing ? "-" : "+") \(table): \(item)"
    }
}

extension CollectionDifference<String>.Change {
    fileprivate var item: String {
        switch self {
        case .insert(_, let element, _), .remove(_, let element, _): element
        }
    }
}
