extension Session {
    /// SQLite: what the pragmas say of a table, and its CHECK constraints, which only its text tells.
    func sqliteItems(of table: String) throws(DatabaseError) -> [String] {
        try kind(of: table) + columns(of: table) + indexes(of: table) + foreignKeys(of: table) + checks(of: table)
            + triggers(of: table)
    }

    /// SQLite: the views, as they were written.
    func sqliteViews() throws(DatabaseError) -> [SchemaDump.Table] {
        var views: [SchemaDump.Table] = []
        for row in try rows("SELECT name, sql FROM sqlite_master WHERE type = 'view'") {
            let text = SQLLexer.plain(try row.get("sql"))
            views.append(SchemaDump.Table(kind: .view, name: try row.get("name"), items: [text]))
        }
        return views
    }

    /// Whether types are enforced, and how rows are stored.
    private func kind(of table: String) throws(DatabaseError) -> [String] {
        let row = try row("SELECT strict, wr FROM pragma_table_list WHERE schema = 'main' AND name = \(table)")
        guard let row else { return [] }
        return try (row.get("strict", as: Bool.self) ? ["strict"] : [])
            + (row.get("wr", as: Bool.self) ? ["without rowid"] : [])
    }

    private func triggers(of table: String) throws(DatabaseError) -> [String] {
        let rows = try rows(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = \(table) ORDER BY name"
        )
        var items: [String] = []
        for row in rows {
            items.append("trigger \(try row.get("name", as: String.self)) \(SQLLexer.plain(try row.get("sql")))")
        }
        return items
    }

    private func columns(of table: String) throws(DatabaseError) -> [String] {
        let rows = try rows(
            """
            SELECT name, type, "notnull" AS is_mandatory, dflt_value AS standard, pk FROM pragma_table_info(\(table))
            ORDER BY cid
            """
        )
        var items: [String] = []
        var key: [(position: Int, column: String)] = []
        for row in rows {
            let name = try row.get("name", as: String.self)
            var words = ["column", name, try row.get("type", as: String.self).lowercased()]
            if try row.get("is_mandatory", as: Bool.self) { words.append("not null") }
            if let standard = try row.get("standard", as: String?.self), standard.uppercased() != "NULL" {
                words.append("default \(standard)")
            }
            items.append(words.joined(separator: " "))
            let position = try row.get("pk", as: Int.self)
            if position > 0 { key.append((position, name)) }
        }
        guard !key.isEmpty else { return items }
        let columns = key.sorted { $0.position < $1.position }.map(\.column).joined(separator: ", ")
        return items + ["primary key (\(columns))"]
    }

    private func indexes(of table: String) throws(DatabaseError) -> [String] {
        // `origin` pk: the primary key, told already; u: a UNIQUE of the table, whose name SQLite made up.
        let rows = try rows(
            """
            SELECT l.name AS name, l."unique" AS is_unique, l.origin AS origin, l.partial AS is_partial,
            (SELECT sql FROM sqlite_master WHERE type = 'index' AND name = l.name) AS text,
            (SELECT group_concat(words, ', ') FROM (SELECT COALESCE(name, 'expression')
            || CASE WHEN coll = 'BINARY' THEN '' ELSE ' collate ' || lower(coll) END
            || CASE WHEN "desc" THEN ' desc' ELSE '' END AS words
            FROM pragma_index_xinfo(l.name) WHERE key ORDER BY seqno)) AS columns
            FROM pragma_index_list(\(table)) l WHERE l.origin <> 'pk' ORDER BY l.origin, l.name
            """
        )
        var items: [String] = []
        for row in rows {
            let name = try row.get("origin", as: String.self) == "c" ? try row.get("name", as: String.self) + " " : ""
            let isUnique = try row.get("is_unique", as: Bool.self)
            var item = "\(isUnique ? "unique " : "")index \(name)(\(try row.get("columns", as: String.self)))"
            if try row.get("is_partial", as: Bool.self), let text = try row.get("text", as: String?.self) {
                item += " " + SQLLexer.plain(text).condition
            }
            items.append(item)
        }
        return items
    }

    private func foreignKeys(of table: String) throws(DatabaseError) -> [String] {
        let rows = try rows(
            """
            SELECT id, "table" AS parent, group_concat("from", ', ') AS columns, group_concat("to", ', ') AS referenced,
            on_delete, on_update FROM (SELECT id, "table", "from", "to", on_delete, on_update
            FROM pragma_foreign_key_list(\(table)) ORDER BY id, seq) GROUP BY id
            """
        )
        var items: [String] = []
        for row in rows {
            items.append(
                foreignKey(
                    name: nil,
                    try row.get("columns"),
                    parent: try row.get("parent"),
                    try row.get("referenced", as: String?.self) ?? "",
                    onDelete: try row.get("on_delete"),
                    onUpdate: try row.get("on_update")
                )
            )
        }
        return items.sorted()
    }

    private func checks(of table: String) throws(DatabaseError) -> [String] {
        guard let row = try row("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = \(table)") else {
            return []
        }
        return SQLLexer.checks(in: try row.get("sql"))
    }
}

extension String {
    /// From the first WHERE on, in a plain CREATE INDEX.
    fileprivate var condition: Substring {
        split(separator: " ").first { $0.uppercased() == "WHERE" }.map { self[$0.startIndex...] } ?? ""
    }
}

extension SQLLexer {
    /// A statement of SQLite without comments and with single blanks, so that how it was laid out does not count.
    static func plain(_ statement: String) -> String {
        words(of: statement)?.joined(separator: " ") ?? statement
    }

    /// The tokens of a statement of SQLite without blanks and comments; nil when it can't be read.
    private static func words(of statement: String) -> [String]? {
        guard let tokens = try? tokens(of: statement, .sqlite) else { return nil }
        let bytes = Array(statement.utf8)
        return tokens.filter { $0.kind != .blank && $0.kind != .comment }
            .map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }

    /// The conditions of the CHECK constraints in a CREATE TABLE of SQLite, e.g. `check id = 1`.
    static func checks(in statement: String) -> [String] {
        guard let words = words(of: statement) else { return [] }
        var checks: [String] = []
        for (index, word) in words.enumerated()
        where word.uppercased() == "CHECK" && words.dropFirst(index + 1).first == "(" {
            var depth = 0
            var condition: [String] = []
            for word in words[(index + 1)...] {
                if word == ")" { depth -= 1 }
                if depth == 0, !condition.isEmpty { break }
                if depth > 0 { condition.append(word) }
                if word == "(" { depth += 1 }
            }
            checks.append("check " + condition.joined(separator: " "))
        }
        return checks
    }
}
