/// What operators decide about the history. Each decision is one transaction with its row in the log.
extension MigrationRun {
    /// Writes an operator's decision about the statement at which a migration stopped.
    func resolve(version: Int, statement: Int, isDone: Bool) async throws(MigrationError) {
        let (lease, now) = (lease, migrator.options.now())
        let id = randomID()
        try await connection.transaction { session in
            guard var row = try MigrationLedger.lockedRow(version, in: session), row.isHalfApplied,
                row.statementDone + 1 == statement, statement <= row.statements
            else { throw MigrationError.nothingToResolve(version: version, statement: statement) }
            guard try lease.renew(in: session) else { throw MigrationError.leaseLost(version: version) }
            row.state = .failed
            row.statementDone += isDone ? 1 : 0
            row.errorText = "an operator said that statement \(statement) is \(isDone ? "done" : "not done")"
            guard try MigrationLedger.update(row, in: session) else { throw MigrationError.leaseLost(version: version) }
            try MigrationLedger.log(
                row,
                id: id,
                action: "resolve",
                outcome: isDone ? "done" : "not-done",
                holder: lease.holder,
                at: now,
                in: session
            )
        }
    }

    /// Accepts the present files of a version.
    func repair(version: Int) async throws(MigrationError) {
        let (lease, now) = (lease, migrator.options.now())
        let id = randomID()
        guard let migration = migrator.folder.migration(version) else { throw .nothingToRepair(version: version) }
        try await connection.transaction { session in
            guard let old = try MigrationLedger.lockedRow(version, in: session), old.isBegun
            else { throw MigrationError.nothingToRepair(version: version) }
            var row = old
            row.name = migration.name
            row.phase = migration.header.phase
            row.minApp = migration.header.minApp
            row.upChecksum = migration.up.checksum
            row.downChecksum = migration.down?.checksum
            row.statements = migration.script(row.direction)?.statements.count ?? row.statements
            row.statementDone = row.isHalfApplied ? min(row.statementDone, row.statements) : row.statements
            guard row != old else { throw MigrationError.nothingToRepair(version: version) }
            guard try lease.renew(in: session) else { throw MigrationError.leaseLost(version: version) }
            try MigrationLedger.begin(row, in: session)
            let note = """
                \(old.name) -> \(row.name), up \(old.upChecksum) -> \(row.upChecksum), \
                down \(old.downChecksum ?? "none") -> \(row.downChecksum ?? "none")
                """
            try MigrationLedger.log(
                row,
                id: id,
                action: "repair",
                outcome: "done",
                holder: lease.holder,
                note: note,
                at: now,
                in: session
            )
        }
    }

    /// Writes that all versions up to one are applied.
    func baseline(at version: Int) async throws(MigrationError) -> [Int] {
        let (lease, options, folder) = (lease, migrator.options, migrator.folder)
        guard (1...max(1, folder.latest)).contains(version), folder.latest > 0 else {
            throw .noSuchVersion(version, latest: folder.latest)
        }
        let migrations = folder.migrations.prefix(version)
        let ids = migrations.map { _ in randomID() }
        try await connection.transaction { session in
            guard try MigrationLedger.rows(in: session).isEmpty else {
                throw MigrationError.cannotBaseline(version: version, reason: "it has a history; see `migrate status`")
            }
            let missing = folder.tables(at: version).subtracting(try session.tableNames())
            guard missing.isEmpty else {
                let names = missing.sorted().joined(separator: ", ")
                throw MigrationError.cannotBaseline(version: version, reason: "it lacks the table(s) \(names)")
            }
            guard try lease.renew(in: session) else { throw MigrationError.leaseLost(version: version) }
            for (migration, id) in zip(migrations, ids) {
                let step = MigrationStep(migration: migration, direction: .up, script: migration.up, row: nil)
                var row = LedgerRow(step, owner: lease.owner, options)
                row.finish(step, at: row.startedAt)
                try MigrationLedger.begin(row, in: session)
                try MigrationLedger.log(
                    row,
                    id: id,
                    action: "baseline",
                    outcome: "done",
                    holder: lease.holder,
                    at: row.startedAt,
                    in: session
                )
            }
        }
        return migrations.map(\.version)
    }
}

extension MigrationFolder {
    /// The tables that the scripts up to a version make and do not drop again, by their last names, as far as they are
    /// recognised.
    fileprivate func tables(at version: Int) -> Set<String> {
        var tables: Set<String> = []
        for statement in migrations.prefix(version).flatMap(\.up.statements) {
            for change in SchemaChange.changes(of: statement.text, dialect) {
                switch change {
                case .createTable(let table): tables.insert(table)
                case .dropTable(let table): tables.remove(table)
                case .renameTable(let old, let new):
                    tables.remove(old)
                    tables.insert(new)
                default: break
                }
            }
        }
        return tables
    }
}
