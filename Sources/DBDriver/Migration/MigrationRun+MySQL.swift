extension MigrationRun {
    /// MySQL: statement by statement, each counted in the row.
    ///
    /// - Returns: false when the row is no longer as the plan saw it.
    func performOneByOne(_ step: MigrationStep) async throws(MigrationError) -> Bool {
        let (lease, options) = (lease, migrator.options)
        let id = randomID()
        var row = LedgerRow(step, owner: lease.owner, migrator.options)
        guard try await begin(row, step) else { return false }
        if let old = step.interrupted, row.statementDone < row.statements, try await isDone(old, of: step) {
            progress(.foundDone(label: step.migration.label, number: row.statementDone + 1))
            row.statementDone += 1
            try await save(row)
        }
        for index in row.statementDone..<row.statements {
            guard try await connection.run({ try lease.isHeld(in: $0) }) else { throw .leaseLost(version: row.version) }
            if Task.isCancelled {
                row.stop(at: options.now())
                try await save(row)
                throw .cancelled
            }
            do throws(MigrationError) {
                try await report(step, index) { () async throws(MigrationError) in
                    try await run(step.script.statements[index], row)
                }
            } catch {
                guard case .database(let cause) = error, !error.isLostConnection else { throw error }
                let half = step.stopped(at: index, cause)
                row.fail(half, at: options.now())
                await note { [row] session in
                    _ = try MigrationLedger.update(row, in: session)
                    try MigrationLedger.log(row, step, id, holder: lease.holder, in: session)
                }
                throw .halfApplied(half)
            }
            row.statementDone = index + 1
            if !step.script.statements[index].changesRows { try await save(row) }
        }
        row.finish(step, at: options.now())
        try await connection.transaction { [row] session in
            guard try MigrationLedger.update(row, in: session) else {
                throw MigrationError.leaseLost(version: row.version)
            }
            try MigrationLedger.log(row, step, id, holder: lease.holder, in: session)
        }
        return true
    }

    /// Writes "running". The row is locked and compared first: the transaction of a lost connection may have ended only now.
    private func begin(_ row: LedgerRow, _ step: MigrationStep) async throws(MigrationError) -> Bool {
        let lease = lease
        let id = randomID()
        return try await connection.transaction { session in
            guard try lease.renew(in: session) else { throw MigrationError.leaseLost(version: row.version) }
            guard try MigrationLedger.lockedRow(row.version, in: session) == step.row else { return false }
            if let old = step.interrupted, old.state == .running {
                try MigrationLedger.log(
                    old,
                    id: id,
                    action: old.direction.rawValue,
                    outcome: "interrupted",
                    holder: lease.holder,
                    at: row.startedAt,
                    in: session
                )
            }
            try MigrationLedger.begin(row, in: session)
            return true
        }
    }

    /// Runs the next statement of a row. One that changes rows is counted in its own transaction, so its outcome is never in
    /// doubt. DDL commits by itself: when the connection is lost before it is counted, ``isDone(_:of:)`` decides.
    ///
    /// - Returns: how many rows it changed.
    /// - Throws: when the statement has not taken effect, or may not have because the connection is lost.
    private func run(
        _ statement: StatementSplitter.Statement,
        _ row: LedgerRow
    ) async throws(MigrationError) -> Int {
        let connection = connection
        var row = row
        row.statementDone += 1
        if statement.changesRows {
            return try await connection.transaction { [row] session in
                let changed = try session.execute(trustedText: statement.text)
                guard try MigrationLedger.update(row, in: session) else {
                    throw MigrationError.leaseLost(version: row.version)
                }
                return changed
            }
        }
        return try await connection.run { try $0.execute(trustedText: statement.text) }
    }

    /// Tells that a statement begins, and that it is done.
    private func report(
        _ step: MigrationStep,
        _ index: Int,
        _ body: () async throws(MigrationError) -> Int
    ) async throws(MigrationError) {
        let table = step.script.statements[index].changedTable
        let rows = try await connection.run { session in try table.flatMap { try session.estimatedRows(of: $0) } }
        progress(.statement(step, number: index + 1, rows: rows))
        let start = ContinuousClock.now
        let changed = try await body()
        progress(.statementDone(step, number: index + 1, after: ContinuousClock.now - start, changed: changed))
    }

    /// Writes how far the migration is.
    private func save(_ row: LedgerRow) async throws(MigrationError) {
        try await connection.transaction { session in
            guard try MigrationLedger.update(row, in: session) else {
                throw MigrationError.leaseLost(version: row.version)
            }
        }
    }

    /// Whether the statement at which a run stopped took effect, or was done by hand since.
    ///
    /// - Throws: ``MigrationError/halfApplied(_:)`` when that cannot be told, ``MigrationError/stillRunning(_:waited:)``.
    private func isDone(_ row: LedgerRow, of step: MigrationStep) async throws(MigrationError) -> Bool {
        let index = row.statementDone
        let statement = step.script.statements[index]
        let shape = StatementShape(statement.text)
        let changes = SchemaChange.changes(of: shape)
        if row.state == .failed {
            // What the statement makes was there before it ran: that it still is says nothing.
            guard !changes.isEmpty, !row.metItsOwnObjects else { return false }
            return try await connection.run { try SchemaChange.areDone(changes, in: $0) } ?? false
        }
        try await waitUntilGone(statement.text, step.stopped(at: index, nil))
        switch shape {
        case .changeRows, .query: return false
        default: break
        }
        if let isDone = try await connection.run({ try SchemaChange.areDone(changes, in: $0) }) { return isDone }
        guard step.migration.header.isIdempotent else { throw .halfApplied(step.stopped(at: index, nil)) }
        return false
    }

    /// DDL outlives its client: waits until no connection to this database runs the statement any more.
    private func waitUntilGone(_ text: String, _ half: HalfAppliedMigration) async throws(MigrationError) {
        let start = ContinuousClock.now
        while try await connection.run({ try !$0.connections(running: text).isEmpty }) {
            let waited = ContinuousClock.now - start
            guard waited < migrator.options.ddlWait else { throw .stillRunning(half, waited: waited) }
            try await MigrationConnection.pause(.milliseconds(200))
        }
    }
}

extension StatementSplitter.Statement {
    /// Whether it takes part in a transaction.
    var changesRows: Bool { StatementShape(text).changesRows }

    /// The table whose form it changes, and which may have rows.
    fileprivate var changedTable: String? {
        switch StatementShape(text) {
        case .alterTable(let table, _), .createIndex(_, let table, _): table
        default: nil
        }
    }
}

extension LedgerRow {
    /// Whether the server refused the statement since what it makes was there already, or what it removes was not: 1050, 1051 and
    /// 1146 for tables, 1060 and 1054 for columns, 1061 for indexes, 1091 for whatever is dropped, 1826, 1022, 3822 and 121
    /// for constraints.
    fileprivate var metItsOwnObjects: Bool {
        [1050, 1051, 1146, 1054, 1060, 1061, 1091, 1022, 1826, 3822, 121, 1005].contains(errorCode)
    }
}

extension Session {
    /// MySQL: about how many rows a table has, as its statistics say; nil when there is no such table.
    fileprivate func estimatedRows(of table: String) throws(DatabaseError) -> Int? {
        let row = try row(
            """
            SELECT CAST(table_rows AS SIGNED) AS n FROM information_schema.tables
            WHERE table_schema = DATABASE() AND table_name = \(table)
            """
        )
        return try row?.get("n", as: Int?.self) ?? nil
    }

    /// MySQL: the ids of the other connections to this database that run a statement.
    ///
    /// The server compares, since others may run texts with any bytes. They are no reason to fail, but MySQL's
    /// information_schema does while any of them has a character beyond the first 65,536 (3854), and MariaDB's shows
    /// question marks for it.
    func connections(running text: String) throws(DatabaseError) -> [Int] {
        let isRunning: SQL =
            switch try serverProduct() {
            case .mariadb: "information_schema.processlist WHERE info_binary = \(Array(text.utf8))"
            // It cuts texts off at 1,024 bytes.
            case .mysql: "performance_schema.processlist WHERE LEFT(info, 250) = LEFT(\(text), 250)"
            case .other, .sqlite: "information_schema.processlist WHERE info = \(text)"
            }
        return try rows("SELECT id AS connection FROM \(isRunning) AND db = DATABASE() AND id <> CONNECTION_ID()")
            .map { row throws(DatabaseError) in try row.get("connection") }
    }
}
