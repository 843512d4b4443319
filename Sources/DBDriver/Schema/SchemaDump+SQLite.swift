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
            SELECT name, type, "notnull" AS is_mandatory, dflt_value AS standard, pk FROM pragma_table_xinfo(\(table))
            ORDER BY cid
            """
        )
        let extras = SQLLexer.columnExtras(in: try text(ofTable: table))
        var items: [String] = []
        var key: [(position: Int, column: String)] = []
        for row in rows {
            let name = try row.get("name", as: String.self)
            var words = ["column", name, try row.get("type", as: String.self).lowercased()]
            if try row.get("is_mandatory", as: Bool.self) { words.append("not null") }
            if let standard = try row.get("standard", as: String?.self), standard.uppercased() != "NULL" {
                words.append("default \(standard)")
            }
            words += extras[name] ?? []
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
            FROM pragma_index_xinfo(l.name) WHERE key ORDER BY seqno)) AS columns,
            (SELECT COUNT(*) FROM pragma_index_xinfo(l.name) WHERE key AND name IS NULL) AS expressions
            FROM pragma_index_list(\(table)) l WHERE l.origin <> 'pk' ORDER BY l.origin, l.name
            """
        )
        var items: [String] = []
        for row in rows {
            let name = try row.get("origin", as: String.self) == "c" ? try row.get("name", as: String.self) + " " : ""
            let isUnique = try row.get("is_unique", as: Bool.self)
            var item = "\(isUnique ? "unique " : "")index \(name)(\(try row.get("columns", as: String.self)))"
            let (isPartial, expressions) = (
                try row.get("is_partial", as: Bool.self), try row.get("expressions", as: Int.self)
            )
            if isPartial || expressions > 0, let text = try row.get("text", as: String?.self) {
                item += " " + SQLLexer.plain(text).target
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
        SQLLexer.checks(in: try text(ofTable: table))
    }

    private func text(ofTable table: String) throws(DatabaseError) -> String {
        try row("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = \(table)")?.get("sql") ?? ""
    }
}

extension String {
    /// From the ON on, in a plain CREATE INDEX: what only its text tells.
    fileprivate var target: Substring {
        split(separator: " ").first { $0.uppercased() == "ON" }.map { self[$0.startIndex...] } ?? ""
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

    /// What only the text of a CREATE TABLE of SQLite tells of its columns: another collation than BINARY, and the formula of
    /// a computed one, e.g. `as (n + 1) stored`.
    static func columnExtras(in statement: String) -> [String: [String]] {
        guard let words = words(of: statement), let open = words.firstIndex(of: "("), words.last != nil else {
            return [:]
        }
        var extras: [String: [String]] = [:]
        for definition in words[(open + 1)...].splitAtCommas {
            guard let name = definition.first?.withoutQuotes else { continue }
            var found: [String] = []
            for (index, word) in zip(definition.indices, definition) {
                let next = definition[(index + 1)...]
                switch word.uppercased() {
                case "COLLATE": if let name = next.first { found.append("collate \(name.lowercased())") }
                case "AS" where next.first == "(":
                    let formula = next.upToClosingBracket
                    let kind = next.dropFirst(formula.count).first?.lowercased()
                    found.append("as \(formula.joined(separator: " "))" + (kind == "stored" ? " stored" : ""))
                default: break
                }
            }
            extras[name] = found.filter { $0 != "collate binary" }
        }
        return extras
    }

    /// The conditions of the CHECK constraints in a CREATE TABLE of SQLite, e.g. `check id = 1`.
    static func checks(in statement: String) -> [String] {
        guard let words = words(of: statement) else { return [] }
        var checks: [String] = []
        for (index, word) in words.enumerated()
        where word.uppercased() == "CHECK" && words.dropFirst(index + 1).first == "(" {
            let condition = words[(index + 1)...].upToClosingBracket.dropFirst().dropLast()
            checks.append("check " + condition.joined(separator: " "))
        }
        return checks
    }
}

extension ArraySlice<String> {
    /// From an opening bracket to the one that closes it, both included.
    fileprivate var upToClosingBracket: ArraySlice<String> {
        var depth = 0
        for (index, word) in zip(indices, self) {
            if word == "(" { depth += 1 }
            if word == ")" { depth -= 1 }
            if depth == 0 { return self[...index] }
        }
        return self
    }

    /// The parts between the commas outside of brackets, up to the bracket that closes what is around them.
    fileprivate var splitAtCommas: [ArraySlice<String>] {
        var (depth, start, parts) = (0, startIndex, [ArraySlice<String>]())
        for (index, word) in zip(indices, self) {
            if word == ")", depth == 0 { return parts + [self[start..<index]] }
            if word == "(" { depth += 1 }
            if word == ")" { depth -= 1 }
            if word == ",", depth == 0 {
                parts.append(self[start..<index])
                start = index + 1
            }
        }
        return parts + [self[start...]]
    }
}

extension String {
    /// A name of SQLite as it is without quotes around it.
    fileprivate var withoutQuotes: String {
        let pairs: [Character: Character] = ["\"": "\"", "`": "`", "[": "]", "'": "'"]
        guard count >= 2, let first, let close = pairs[first], last == close else { return self }
        let name = String(dropFirst().dropLast())
        return close == "]" ? name : name.replacing("\(close)\(close)", with: "\(close)")
    }
}
