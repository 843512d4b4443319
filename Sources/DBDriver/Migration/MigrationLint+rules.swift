extension MigrationLint {
    /// What belongs into which phase. A migration that moves rows is run in batches, can be run again, and is not stopped
    /// between a change of the schema and one of rows.
    mutating func checkPhase(_ shape: StatementShape) {
        switch shape {
        case .changeRows(let table):
            guard header.phase != .data, !(table.map(made.contains) ?? false) else { return }
            report(.error, "data-with-ddl", "rows are moved in a migration of their own, with '-- phase: data'")
        case .dropTable(let table) where header.phase == .expand && !made.contains(table): checkRemoval()
        case _ where header.phase == .data && shape.isDDL:
            report(.error, "data-with-ddl", "a data migration changes no schema: make another one for that")
        default: break
        }
    }

    /// What every table needs on a cluster, and to mean the same on each server.
    mutating func checkNewTable(_ words: StatementWords) {
        guard !words.copiesTable else { return }
        if !words.contains(["PRIMARY", "KEY"]) {
            report(.error, "primary-key", "a table without a primary key does not replicate in a cluster: give it one")
        }
        guard script.dialect == .mysql else { return }
        if !words.contains("COLLATE") {
            report(.error, "collation", "name the collation (COLLATE=utf8mb4_bin): each server has another default")
        }
        if !words.contains("ENGINE") {
            report(.warning, "engine", "name the engine (ENGINE=InnoDB): a server may have another default")
        }
    }

    /// One change of a table that was there before.
    mutating func checkChange(_ change: StatementWords) {
        if script.dialect == .mysql, change.contains(["IF", "EXISTS"]) || change.contains(["IF", "NOT", "EXISTS"]) {
            report(
                .error,
                "if-exists",
                "MySQL has no IF [NOT] EXISTS here, and it is not needed: the migrator looks what took effect"
            )
        }
        guard header.phase == .expand else { return }
        var reader = change
        switch reader.next() {
        case "DROP" where !change.contains("DEFAULT") && !reader.skip("INDEX") && !reader.skip("KEY"): checkRemoval()
        case "RENAME", "MODIFY", "CHANGE":
            report(
                .error,
                "expand-changes",
                "the running program uses the old form: add a new column, and remove the old one in a contract migration"
            )
        case "ADD": checkAddition(change, reader)
        default: break
        }
    }

    mutating func checkUnique() {
        guard header.phase == .expand else { return }
        report(
            .error,
            "expand-unique",
            "rows that are there, or that the running program writes, may break it: make it unique in a contract migration"
        )
    }

    mutating func checkLock(_ words: StatementWords) {
        guard script.dialect == .mysql, words.contains(["LOCK", "", "NONE"]) || words.contains(["LOCK", "NONE"]) else {
            return
        }
        report(.error, "lock-none", "clusters refuse LOCK=NONE: leave it out")
    }

    /// Copies of a whole table.
    mutating func checkCopying(_ words: StatementWords) {
        guard script.dialect == .mysql, !header.isLong, !words.contains("INSTANT") else { return }
        report(
            .warning,
            "may-copy",
            "may copy the table, and a cluster stands still for that long: say ALGORITHM=INSTANT, or '-- long: true'"
        )
    }

    private mutating func checkAddition(_ change: StatementWords, _ reader: StatementWords) {
        var reader = reader
        if change.contains("UNIQUE") { checkUnique() }
        guard reader.columnName() != nil else { return checkConstraint(change) }
        if change.contains(["NOT", "NULL"]), !change.contains("DEFAULT") {
            report(
                .error,
                "expand-not-null",
                "the running program inserts rows without this column: allow NULL, or give it a constant DEFAULT"
            )
        }
        if change.contains("FIRST") || change.contains("AFTER") {
            report(.error, "expand-position", "a new column goes last: elsewhere the table is copied")
        }
    }

    private mutating func checkConstraint(_ change: StatementWords) {
        guard change.contains(["FOREIGN", "KEY"]) || change.contains(["PRIMARY", "KEY"]) || change.contains("CHECK")
        else {
            return
        }
        report(
            .error,
            "expand-constraint",
            "rows that are there, or that the running program writes, may break it: add it in a contract migration"
        )
    }

    private mutating func checkRemoval() {
        report(
            .error,
            "expand-drops",
            "the running program still uses it: drop it in a migration with '-- phase: contract' and '-- min-app: N'"
        )
    }
}

extension StatementWords {
    /// Whether this is `CREATE TABLE name LIKE other`, which takes over keys, engine and collation.
    fileprivate var copiesTable: Bool {
        var reader = self
        guard reader.skip("CREATE"), reader.skip("TABLE") else { return false }
        reader.skipIfExists()
        return reader.name() != nil && reader.skip("LIKE")
    }
}
