extension MigrationLint {
    /// Rows are moved in a migration of their own: in batches, which can be run again, and not stopped between a change of
    /// the schema and one of rows.
    mutating func checkPhase(_ shape: StatementShape) {
        guard direction == .up else { return }
        switch shape {
        case .changeRows(_, let table?, _) where made.contains(table): break
        case .changeRows, .truncate:
            if header.phase != .data {
                report(.error, "data-with-ddl", "rows are moved in a migration of their own, with '-- phase: data'")
            } else if movesAllRows(shape) {
                report(
                    .warning,
                    "all-rows",
                    "changes every row at once: say WHERE for those that are not moved yet, and LIMIT for big tables"
                )
            }
        case .dropTable(let table) where isExpanding && !made.contains(table): checkRemoval()
        case _ where header.phase == .data && shape.isDDL:
            report(.error, "data-with-ddl", "a data migration changes no schema: make another one for that")
        default: break
        }
    }

    /// A script that takes a migration back may change rows or the schema, but not both.
    mutating func checkKinds(_ shapes: [StatementShape]) {
        guard direction == .down, shapes.contains(where: \.changesRows), shapes.contains(where: \.isDDL) else { return }
        report(
            .warning,
            "data-with-ddl",
            "changes rows and the schema: if it stops in between, one is done without the other"
        )
    }

    /// What can't be looked up after a lost connection stops there until a person says how it ended. SQLite rolls back.
    mutating func checkRecovery(_ shape: StatementShape) {
        guard script.dialect == .mysql, !header.isIdempotent, !shape.changesRows,
            SchemaChange.changes(of: shape).isEmpty
        else { return }
        if case .query = shape { return }
        report(
            .warning,
            "in-doubt",
            "if the connection is lost here, a person has to find out whether it took effect: say '-- idempotent: true' if it may run twice"
        )
    }

    /// What every table needs on a cluster, and to mean the same on each server.
    mutating func checkNewTable(_ body: StatementWords) {
        guard !body.begins(withAnyOf: ["LIKE"]) else { return }
        if !body.contains(["PRIMARY", "KEY"]) {
            report(.error, "primary-key", "a table without a primary key does not replicate in a cluster: give it one")
        }
        guard script.dialect == .mysql else { return }
        if !body.contains("COLLATE") {
            report(.error, "collation", "name the collation (COLLATE=utf8mb4_bin): each server has another default")
        }
        if !body.contains("ENGINE") {
            report(.warning, "engine", "name the engine (ENGINE=InnoDB): a server may have another default")
        } else if !body.contains("INNODB") {
            report(
                .error,
                "engine",
                "say ENGINE=InnoDB: others have no transactions, and do not replicate in a cluster"
            )
        }
    }

    /// One change of a table that was there before.
    mutating func checkChange(_ change: TableChange) {
        let words = change.words
        if script.dialect == .mysql, words.contains(["IF", "EXISTS"]) || words.contains(["IF", "NOT", "EXISTS"]) {
            report(
                .error,
                "if-exists",
                "MySQL has no IF [NOT] EXISTS here, and it is not needed: the migrator looks what took effect"
            )
        }
        guard isExpanding else { return }
        switch change.kind {
        case .dropIndex, .addIndex(_, isUnique: false): break
        case .dropColumn, .dropConstraint: checkRemoval()
        case .renameColumn: checkRename()
        case .addIndex(_, isUnique: true), .addConstraint(_, isUnique: true): checkUnique()
        case .addConstraint: checkConstraint()
        case .addColumn(_, let definition): checkColumn(definition)
        case .unrecognised:
            if words.begins(withAnyOf: ["RENAME", "MODIFY", "CHANGE", "ALTER"]) {
                checkRename()
            } else {
                checkUnrecognised()
            }
        }
    }

    mutating func checkUnique() {
        guard isExpanding else { return }
        report(
            .error,
            "expand-unique",
            "rows that are there, or that the running program writes, may break it: make it unique in a contract migration"
        )
    }

    mutating func checkRename() {
        guard isExpanding else { return }
        report(
            .error,
            "expand-changes",
            "the running program uses the old form: add a new one, and remove the old one in a contract migration"
        )
    }

    mutating func checkUnrecognised() {
        guard isExpanding else { return }
        report(
            .error,
            "expand-unknown",
            "it can't be told what the running program would notice of this: write it in a plainer form, each change on its own, or put it into a contract migration"
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
        guard direction == .up, script.dialect == .mysql, !header.isLong, !words.contains("INSTANT") else { return }
        report(
            .warning,
            "may-copy",
            "may copy the table, and a cluster stands still for that long: say ALGORITHM=INSTANT, or '-- long: true'"
        )
    }

    private mutating func checkColumn(_ definition: StatementWords) {
        if definition.contains("UNIQUE") { checkUnique() }
        // KEY alone makes a primary key, and UNIQUE KEY is told of above.
        if ["CHECK", "REFERENCES", "PRIMARY"].contains(where: definition.contains)
            || definition.contains("KEY") && !definition.contains("UNIQUE")
        {
            checkConstraint()
        }
        let isConstant = definition.hasConstant(after: "DEFAULT")
        if isConstant == false {
            report(
                .error,
                "expand-default",
                "the rows that are there need a value: give a constant DEFAULT, or allow NULL"
            )
        }
        if definition.contains(["NOT", "NULL"]), isConstant == nil, !definition.contains("AS") {
            report(
                .error,
                "expand-not-null",
                "the running program inserts rows without this column: allow NULL, or give it a constant DEFAULT"
            )
        }
        if definition.contains("FIRST") || definition.contains("AFTER") {
            report(.error, "expand-position", "a new column goes last: elsewhere the table is copied")
        }
    }

    private mutating func checkConstraint() {
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

    private func movesAllRows(_ shape: StatementShape) -> Bool {
        switch shape {
        case .truncate: true
        case .changeRows(.update, _, let words), .changeRows(.delete, _, let words): !words.contains("WHERE")
        default: false
        }
    }
}
