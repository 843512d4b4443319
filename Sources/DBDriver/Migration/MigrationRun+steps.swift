internal import Logging

extension MigrationRun {
    /// Applies or takes back one migration.
    ///
    /// - Returns: nil when the version's row is no longer as the plan saw it, so that a new plan is needed.
    func perform(_ step: MigrationStep, left: Int) async throws(MigrationError) -> FinishedMigration? {
        try await checkInstances(step)
        let start = ContinuousClock.now
        let script = step.script
        progress(
            .begun(
                label: step.migration.label,
                direction: step.direction,
                statementDone: step.interrupted?.statementDone ?? 0,
                statements: script.statements.count,
                left: left
            )
        )
        let isDone =
            switch migrator.configuration.dialect {
            case .sqlite: try await performAtOnce(step)
            case .mysql: try await performOneByOne(step)
            }
        guard isDone else { return nil }
        return FinishedMigration(
            version: step.migration.version,
            label: step.migration.label,
            direction: step.direction,
            statements: script.statements.count,
            milliseconds: (ContinuousClock.now - start).milliseconds
        )
    }

    /// A contract migration must not take away what a running program uses.
    private func checkInstances(_ step: MigrationStep) async throws(MigrationError) {
        guard step.direction == .up, let minApp = step.migration.header.minApp else { return }
        let options = migrator.options
        let instances = try await connection.run { try options.instances(minApp, $0) }
        guard instances.isEmpty else {
            throw .olderInstances(version: step.migration.version, minApp: minApp, instances: instances)
        }
    }

    /// Writes down a failure as well as possible; the failure itself is what the caller has to hear of.
    func note(_ body: @Sendable (Session) throws -> Void) async {
        do throws(MigrationError) {
            try await connection.transaction(body)
        } catch {
            migrator.logger.warning("a failed migration could not be noted", metadata: ["error": "\(error)"])
        }
    }
}

extension LedgerRow {
    /// The row of a run that begins a step, or goes on with it.
    init(_ step: MigrationStep, owner: String, _ options: Migrator.Options) {
        let statements = step.script.statements.count
        self.init(
            version: step.migration.version,
            name: step.migration.name,
            dialect: step.script.engine,
            phase: step.migration.header.phase,
            minApp: step.migration.header.minApp,
            upChecksum: step.migration.up.checksum,
            downChecksum: step.migration.down?.checksum,
            direction: step.direction,
            state: .running,
            statementDone: min(max(0, step.interrupted?.statementDone ?? 0), statements),
            statements: statements,
            startedAt: options.now(),
            appVersion: String(options.appVersion.prefix(64)),
            owner: owner
        )
    }
}

extension MigrationStep {
    func stopped(at index: Int, _ error: DatabaseError?) -> HalfAppliedMigration {
        HalfAppliedMigration(
            version: migration.version,
            name: migration.name,
            direction: direction,
            script: script,
            statement: index + 1,
            error: error
        )
    }
}

extension MigrationProgress {
    static func statement(_ step: MigrationStep, number: Int, rows: Int? = nil) -> MigrationProgress {
        .statement(
            label: step.migration.label,
            number: number,
            statements: step.script.statements.count,
            text: step.script.statements[number - 1].text,
            rows: rows
        )
    }

    static func statementDone(
        _ step: MigrationStep,
        number: Int,
        after duration: Duration,
        changed: Int
    ) -> MigrationProgress {
        .statementDone(
            label: step.migration.label,
            number: number,
            statements: step.script.statements.count,
            milliseconds: duration.milliseconds,
            rows: step.script.statements[number - 1].changesRows ? changed : nil
        )
    }
}

extension LedgerRow {
    mutating func finish(_ step: MigrationStep, at now: Timestamp) {
        state = step.direction == .up ? .done : .reverted
        statementDone = statements
        end(at: now)
    }

    /// The error's text may be long, and the column is not.
    mutating func fail(_ half: HalfAppliedMigration, at now: Timestamp) {
        state = .failed
        statementDone = half.statement - 1
        errorCode = half.error?.code
        errorText = half.error.map { String($0.message.prefix(2_000)) }
        end(at: now)
    }

    /// Nothing of the next statement was begun.
    mutating func stop(at now: Timestamp) {
        state = .failed
        errorCode = nil
        errorText = "the run was told to stop before this statement"
        end(at: now)
    }

    private mutating func end(at now: Timestamp) {
        finishedAt = now
        milliseconds = (now.microseconds - startedAt.microseconds) / 1_000
    }
}

extension MigrationLedger {
    static func log(
        _ row: LedgerRow,
        _ step: MigrationStep,
        _ id: String,
        holder: String,
        in session: Session
    ) throws(DatabaseError) {
        try log(
            row,
            id: id,
            action: step.direction.rawValue,
            outcome: row.state == .failed ? "failed" : "done",
            holder: holder,
            at: row.finishedAt ?? row.startedAt,
            in: session
        )
    }
}
