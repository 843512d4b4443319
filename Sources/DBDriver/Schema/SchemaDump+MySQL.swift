extension Session {
    /// MySQL and MariaDB: what `information_schema` says of a table, without what differs between the two: widths of integers,
    /// quotes around defaults, brackets around checks.
    func mysqlItems(of table: String) throws(DatabaseError) -> [String] {
        try engine(of: table) + columns(of: table) + indexes(of: table) + foreignKeys(of: table) + checks(of: table)
            + triggers(of: table)
    }

    /// MySQL and MariaDB: the views, whose queries name the database, which a dump does not.
    func mysqlViews() throws(DatabaseError) -> [SchemaDump.Table] {
        let rows = try rows(
            """
            SELECT table_name AS name, view_definition AS query, table_schema AS prefix FROM information_schema.views
            WHERE table_schema = DATABASE()
            """
        )
        var views: [SchemaDump.Table] = []
        for row in rows {
            let prefix = "`\(try row.get("prefix", as: String.self).replacing("`", with: "``"))`."
            let query = try row.get("query", as: String.self).replacing(prefix, with: "")
            views.append(SchemaDump.Table(kind: .view, name: try row.get("name"), items: [query]))
        }
        return views
    }

    /// Worth a line only when it is not what every table should have.
    private func engine(of table: String) throws(DatabaseError) -> [String] {
        let row = try row(
            """
            SELECT LOWER(engine) AS engine FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_name = \(table) AND LOWER(engine) <> 'innodb'
            """
        )
        return try row.map { row throws(DatabaseError) in ["engine \(try row.get("engine", as: String.self))"] } ?? []
    }

    private func triggers(of table: String) throws(DatabaseError) -> [String] {
        let rows = try rows(
            """
            SELECT trigger_name AS name, LOWER(action_timing) AS time, LOWER(event_manipulation) AS event,
            action_statement AS body FROM information_schema.triggers
            WHERE trigger_schema = DATABASE() AND event_object_table = \(table) ORDER BY trigger_name
            """
        )
        var items: [String] = []
        for row in rows {
            let (time, event) = (try row.get("time", as: String.self), try row.get("event", as: String.self))
            items.append(
                "trigger \(try row.get("name", as: String.self)) \(time) \(event) \(try row.get("body", as: String.self))"
            )
        }
        return items
    }

    private func columns(of table: String) throws(DatabaseError) -> [String] {
        let rows = try rows(
            """
            SELECT column_name AS name, column_type AS type, is_nullable AS nullable, column_default AS standard,
            collation_name AS collation, extra AS extra, generation_expression AS formula FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = \(table) ORDER BY ordinal_position
            """
        )
        var items: [String] = []
        for row in rows {
            var words = ["column", try row.get("name"), Self.plainType(try row.get("type"))]
            if let collation = try row.get("collation", as: String?.self) { words.append(collation) }
            if try row.get("nullable", as: String.self) == "NO" { words.append("not null") }
            if let standard = Self.plainDefault(try row.get("standard", as: String?.self)) {
                words.append("default \(standard)")
            }
            // MySQL says here too that a default is an expression; MariaDB does not.
            let extra = try row.get("extra", as: String.self).lowercased().replacing("default_generated", with: "")
                .trimmingBlanks
            if !extra.isEmpty { words.append(extra) }
            if let formula = try row.get("formula", as: String?.self), !formula.isEmpty {
                words.append("as (\(formula.replacing("`", with: "")))")
            }
            items.append(words.joined(separator: " "))
        }
        return items
    }

    /// MySQL 8 gives integers no width; MariaDB still does. `tinyint(1)` is what both call a boolean.
    private static func plainType(_ type: String) -> String {
        let type = type.lowercased()
        guard let bracket = type.firstIndex(of: "("), type != "tinyint(1)",
            ["tinyint", "smallint", "mediumint", "int", "bigint"].contains(type[..<bracket])
        else { return type }
        let rest = type[bracket...].drop { $0 != ")" }.dropFirst()
        return String(type[..<bracket] + rest)
    }

    /// MariaDB writes a default as SQL (`'x'`, `NULL`), MySQL a text bare.
    private static func plainDefault(_ standard: String?) -> String? {
        guard let standard, standard.uppercased() != "NULL" else { return nil }
        guard standard.count >= 2, standard.hasPrefix("'"), standard.hasSuffix("'") else { return standard }
        return String(standard.dropFirst().dropLast()).replacing("''", with: "'")
    }

    private func indexes(of table: String) throws(DatabaseError) -> [String] {
        // MySQL has indexes over expressions; MariaDB does not even have the column that tells them.
        let part: SQL =
            try serverProduct() == .mysql ? "COALESCE(column_name, CONCAT('(', expression, ')'))" : "column_name"
        let rows = try rows(
            """
            SELECT index_name AS name, MAX(non_unique) AS duplicates, LOWER(MAX(index_type)) AS type,
            GROUP_CONCAT(CONCAT(\(part),
            CASE WHEN sub_part IS NULL THEN '' ELSE CONCAT('(', sub_part, ')') END,
            CASE WHEN collation = 'D' THEN ' desc' ELSE '' END) ORDER BY seq_in_index SEPARATOR ', ') AS columns
            FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = \(table)
            GROUP BY index_name ORDER BY index_name
            """
        )
        var items: [String] = []
        for row in rows {
            let (name, columns) = (try row.get("name", as: String.self), try row.get("columns", as: String.self))
            if name == "PRIMARY" {
                items.insert("primary key (\(columns))", at: 0)
            } else {
                let isUnique = try row.get("duplicates", as: Int.self) == 0
                let type = try row.get("type", as: String.self)
                let kind = isUnique ? "unique " : ["fulltext", "spatial"].contains(type) ? type + " " : ""
                items.append("\(kind)index \(name) (\(columns))")
            }
        }
        return items
    }

    private func foreignKeys(of table: String) throws(DatabaseError) -> [String] {
        let rows = try rows(
            """
            SELECT k.constraint_name AS name, MAX(k.referenced_table_name) AS parent, MAX(r.delete_rule) AS on_delete,
            MAX(r.update_rule) AS on_update,
            GROUP_CONCAT(k.column_name ORDER BY k.ordinal_position SEPARATOR ', ') AS columns,
            GROUP_CONCAT(k.referenced_column_name ORDER BY k.ordinal_position SEPARATOR ', ') AS referenced
            FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
            ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name
            AND r.table_name = k.table_name
            WHERE k.table_schema = DATABASE() AND k.table_name = \(table) AND k.referenced_table_name IS NOT NULL
            GROUP BY k.constraint_name ORDER BY k.constraint_name
            """
        )
        var items: [String] = []
        for row in rows {
            items.append(
                foreignKey(
                    name: try row.get("name"),
                    try row.get("columns"),
                    parent: try row.get("parent"),
                    try row.get("referenced"),
                    onDelete: try row.get("on_delete"),
                    onUpdate: try row.get("on_update")
                )
            )
        }
        return items
    }

    private func checks(of table: String) throws(DatabaseError) -> [String] {
        let rows = try rows(
            """
            SELECT c.constraint_name AS name, c.check_clause AS clause FROM information_schema.check_constraints c
            JOIN information_schema.table_constraints t ON t.constraint_schema = c.constraint_schema
            AND t.constraint_name = c.constraint_name AND t.constraint_type = 'CHECK'
            WHERE t.table_schema = DATABASE() AND t.table_name = \(table) ORDER BY c.constraint_name
            """
        )
        var items: [String] = []
        for row in rows {
            var clause = try row.get("clause", as: String.self).replacing("`", with: "")
            while clause.hasPrefix("("), clause.hasSuffix(")") { clause = String(clause.dropFirst().dropLast()) }
            items.append("check \(try row.get("name", as: String.self)) \(clause)")
        }
        return items
    }
}

/// E.g. `foreign key tools_service (service_id) references services (id) on delete cascade`; a rule that only refuses, which
/// each engine calls by another name, is not mentioned.
func foreignKey(
    name: String?,
    _ columns: String,
    parent: String,
    _ referenced: String,
    onDelete: String,
    onUpdate: String
) -> String {
    var words = ["foreign key"]
    if let name { words.append(name) }
    words.append("(\(columns)) references \(parent) (\(referenced))")
    for (event, rule) in [("delete", onDelete), ("update", onUpdate)]
    where !["RESTRICT", "NO ACTION"].contains(rule.uppercased()) {
        words.append("on \(event) \(rule.lowercased())")
    }
    return words.joined(separator: " ")
}
