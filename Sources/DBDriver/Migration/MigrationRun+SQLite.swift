extension MigrationRun {
    /// SQLite: the whole migration and its row in one transaction.
    ///
    /// - Returns: false when the row is no longer as the plan saw it.
    func performAtOnce(_ step: MigrationStep) async throws(MigrationError) -> Bool {
        let (lease, options, progress, row) = (
            lease, migrator.options, progress, LedgerRow(step, owner: lease.owner, migrator.options)
        )
        let id = randomID()
        do throws(MigrationError) {
            return try await connection.transaction { session in
                guard try lease.renew(in: session) else { throw MigrationError.leaseLost(version: row.version) }
                guard try MigrationLedger.lockedRow(row.version, in: session) == step.row else { return false }
                let orphans = try session.orphans()
                for (index, statement) in step.script.statements.enumerated() {
                    guard !Task.isCancelled else { throw MigrationError.cancelled }
                    progress(.statement(step, number: index + 1))
                    let start = ContinuousClock.now
                    do throws(DatabaseError) {
                        let changed = try session.execute(trustedText: statement.text)
                        let took = ContinuousClock.now - start
                        progress(.statementDone(step, number: index + 1, after: took, changed: changed))
                        if index + 1 == step.script.statements.count { try session.checkForeignKeys(besides: orphans) }
                    } catch {
                        guard error.kind != .conflict else { throw error }
                        throw MigrationError.rolledBack(step.stopped(at: index, error))
                    }
                }
                var row = row
                row.finish(step, at: options.now())
                try MigrationLedger.begin(row, in: session)
                try MigrationLedger.log(row, step, id, holder: lease.holder, in: session)
                guard try lease.renew(in: session) else { throw MigrationError.leaseLost(version: row.version) }
                return true
            }
        } catch {
            if case .rolledBack(let half) = error {
                var failed = row
                failed.fail(half, at: options.now())
                failed.statementDone = 0
                await note { [failed] in try MigrationLedger.log(failed, step, id, holder: lease.holder, in: $0) }
            }
            throw error
        }
    }
}

extension Session {
    /// SQLite: what enforcement would have refused during the migration. Rows that were astray before are not its fault.
    fileprivate func checkForeignKeys(besides old: [Orphans: Int]) throws(DatabaseError) {
        for (orphans, count) in try self.orphans() where count > old[orphans] ?? 0 {
            throw DatabaseError(
                .foreignKeyViolation,
                message: "after the migration a row of \(orphans.child) would refer to no row of \(orphans.parent)"
            )
        }
    }

    /// SQLite: how many rows refer to nothing.
    fileprivate func orphans() throws(DatabaseError) -> [Orphans: Int] {
        var counts: [Orphans: Int] = [:]
        let rows = try rows(
            "SELECT \"table\" AS child, parent, COUNT(*) AS n FROM pragma_foreign_key_check GROUP BY child, parent"
        )
        for row in rows {
            counts[Orphans(child: try row.get("child"), parent: try row.get("parent"))] = try row.get("n")
        }
        return counts
    }
}

/// Rows of a table that refer to rows of another which are not there.
private struct Orphans: Hashable {
    let child: String
    let parent: String
}
