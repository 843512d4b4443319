/// A version's row in `schema_migrations`: what the database knows about it.
struct LedgerRow: Sendable, Equatable {
    /// How far a migration is.
    enum State: String, Sendable, SQLConvertible {
        /// Under way, or interrupted: the outcome of statement `statementDone + 1` is unknown.
        case running
        /// Stopped: the database refused statement `statementDone + 1`.
        case failed
        /// Applied.
        case done
        /// Taken back.
        case reverted
    }

    var version: Int
    var name: String
    var dialect: String
    var phase: MigrationHeader.Phase
    /// For `contract`: the oldest schema level that a running program may know.
    var minApp: Int?
    var upChecksum: String
    var downChecksum: String?
    var direction: MigrationDirection
    var state: State
    var statementDone: Int
    var statements: Int
    var startedAt: Timestamp
    var finishedAt: Timestamp?
    var milliseconds: Int64?
    var appVersion: String
    var owner: String
    var errorCode: Int?
    var errorText: String?

    /// Whether it stopped, or still is, in the middle.
    var isHalfApplied: Bool { state == .running || state == .failed }
}

/// The SQL of `schema_migrations` and `schema_migration_log`.
enum MigrationLedger {
    /// All rows by version; none when the table is not there.
    static func rows(in session: Session) throws(DatabaseError) -> [LedgerRow] {
        guard try MigrationTables.count(in: session) > 0 else { return [] }
        let minApp: SQL = try MigrationTables.haveMinApp(in: session) ? "min_app" : "NULL AS min_app"
        var rows: [LedgerRow] = []
        let found = try session.rows(
            """
            SELECT version, name, dialect, phase, \(minApp), up_sha, down_sha, direction, state, statement_done, statements,
            started_at, finished_at, ms, app_version, owner, error_code, error_text
            FROM schema_migrations ORDER BY version
            """
        )
        for row in found { rows.append(try LedgerRow(row)) }
        return rows
    }

    /// One version's row, kept from changing until the transaction ends.
    static func lockedRow(_ version: Int, in session: Session) throws(DatabaseError) -> LedgerRow? {
        try session.row(
            """
            SELECT version, name, dialect, phase, min_app, up_sha, down_sha, direction, state, statement_done, statements,
            started_at, finished_at, ms, app_version, owner, error_code, error_text
            FROM schema_migrations WHERE version = \(version) \(session.dialect.forUpdate)
            """
        ).map(LedgerRow.init)
    }

    /// Writes that a run begins, or goes on with, a migration.
    static func begin(_ row: LedgerRow, in session: Session) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO schema_migrations (version, name, dialect, phase, min_app, up_sha, down_sha, direction, state,
            statement_done, statements, started_at, finished_at, ms, app_version, owner, error_code, error_text)
            VALUES (\(row.version), \(row.name), \(row.dialect), \(row.phase), \(row.minApp), \(row.upChecksum),
            \(row.downChecksum), \(row.direction), \(row.state), \(row.statementDone), \(row.statements), \(row.startedAt),
            \(row.finishedAt), \(row.milliseconds), \(row.appVersion), \(row.owner), \(row.errorCode), \(row.errorText))
            \(session.dialect.onConflict("version", update: [
                "name", "dialect", "phase", "min_app", "up_sha", "down_sha", "direction", "state", "statement_done", "statements",
                "started_at", "finished_at", "ms", "app_version", "owner", "error_code", "error_text",
            ]))
            """
        )
    }

    /// Writes how far a migration is.
    ///
    /// - Returns: false when another run has taken this migration over.
    static func update(_ row: LedgerRow, in session: Session) throws(DatabaseError) -> Bool {
        try session.execute(
            """
            UPDATE schema_migrations SET state = \(row.state), statement_done = \(row.statementDone),
            finished_at = \(row.finishedAt), ms = \(row.milliseconds), error_code = \(row.errorCode),
            error_text = \(row.errorText)
            WHERE version = \(row.version) AND owner = \(row.owner)
            """
        ) > 0
    }

    /// Appends an attempt, or an operator's decision, that ends now to the log; the same one twice is one row.
    static func log(
        _ row: LedgerRow,
        id: String,
        action: String,
        outcome: String,
        holder: String,
        note: String? = nil,
        at now: Timestamp,
        in session: Session
    ) throws(DatabaseError) {
        let milliseconds = row.milliseconds ?? (now.microseconds - row.startedAt.microseconds) / 1_000
        try session.execute(
            """
            INSERT INTO schema_migration_log (id, version, name, action, outcome, dialect, up_sha, down_sha,
            statement_done, statements, started_at, finished_at, ms, app_version, owner, holder, error_code, error_text, note)
            VALUES (\(id), \(row.version), \(row.name), \(action), \(outcome), \(row.dialect), \(row.upChecksum),
            \(row.downChecksum), \(row.statementDone), \(row.statements), \(row.startedAt), \(now),
            \(milliseconds), \(row.appVersion), \(row.owner), \(holder), \(row.errorCode), \(row.errorText), \(note))
            \(session.dialect.onConflict("id"))
            """
        )
    }
}

extension LedgerRow {
    fileprivate init(_ row: Row) throws(DatabaseError) {
        version = try row.get("version")
        name = try row.get("name")
        dialect = try row.get("dialect")
        phase = try row.get("phase")
        minApp = try row.get("min_app")
        upChecksum = try row.get("up_sha")
        downChecksum = try row.get("down_sha")
        direction = try row.get("direction")
        state = try row.get("state")
        statementDone = try row.get("statement_done")
        statements = try row.get("statements")
        startedAt = try row.get("started_at")
        finishedAt = try row.get("finished_at")
        milliseconds = try row.get("ms")
        appVersion = try row.get("app_version")
        owner = try row.get("owner")
        errorCode = try row.get("error_code")
        errorText = try row.get("error_text")
    }

    /// Whether the version's objects are all there.
    var isApplied: Bool { state == .done }

    /// Whether some of the version's objects are or may be there.
    var isBegun: Bool { isApplied || isHalfApplied }
}
