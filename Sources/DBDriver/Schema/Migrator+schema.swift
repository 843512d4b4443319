extension Migrator {
    /// How many random digits the name of a scratch database has.
    fileprivate static let scratchDigits = 12

    /// What the schema of the database is. Changes nothing.
    ///
    /// - Throws: ``MigrationError/database(_:)``.
    public func dump() async throws(MigrationError) -> SchemaDump {
        try await reading { session, _ in try SchemaDump.read(in: session) }
    }

    /// In what the schema of the database differs from what its applied migrations make: somebody changed it by hand, or a
    /// migration was cut off. The migrations are replayed on a scratch database beside it, which is dropped again: on SQLite
    /// in memory, on MySQL under the database's name with `_replay_` and random letters behind it.
    ///
    /// - Throws: ``MigrationError``, when the history does not fit the files, a migration is half applied, or the user may not
    ///   create databases.
    public func diff() async throws(MigrationError) -> [SchemaDifference] {
        let (rows, actual) = try await reading { session, folder in
            let rows = try MigrationLedger.rows(in: session)
            try MigrationPlan.check(folder, rows)
            if let half = rows.first(where: \.isHalfApplied) {
                throw MigrationError.halfApplied(folder.halfApplied(half))
            }
            return (rows, try SchemaDump.read(in: session))
        }
        let applied = Set(rows.filter(\.isApplied).map(\.version))
        let expected =
            switch configuration.engine {
            case .sqlite: try await replay(on: DatabaseConfiguration(engine: .sqlite(.init(path: ":memory:"))), applied)
            case .mysql(let mysql): try await replayBeside(mysql, applied)
            }
        return actual.differences(from: expected)
    }

    /// Applies some of the migrations to an empty database.
    private func replay(
        on database: DatabaseConfiguration,
        _ versions: Set<Int>
    ) async throws(MigrationError) -> SchemaDump {
        let migrator = Migrator(database, folder: folder, options: options, logger: logger)
        return try await migrator.withLease { run async throws(MigrationError) in
            let folder = run.migrator.folder
            var leniency = MigrationLeniency()
            leniency.outOfOrder = Set(folder.migrations.map(\.version))
            _ = try await run.carryOut { [leniency] rows throws(MigrationError) in
                try MigrationPlan.up(folder, rows, leniency: leniency)
                    .filter { versions.contains($0.migration.version) }
            }
            return try await run.connection.run { try SchemaDump.read(in: $0) }
        }
    }

    private func replayBeside(
        _ mysql: MySQLConfiguration,
        _ versions: Set<Int>
    ) async throws(MigrationError) -> SchemaDump {
        // A database's name has at most 64 characters.
        let prefix = "\(mysql.database.prefix(40))_replay_"
        let name = prefix + randomID().prefix(Self.scratchDigits)
        let quoted = name.inBackticks
        return try await withConnection { connection async throws(MigrationError) in
            try await connection.dropLeftovers(namedLike: prefix)
            try await connection.execute("CREATE DATABASE \(quoted) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
            var scratch = mysql
            scratch.database = name
            let result: Result<SchemaDump, MigrationError>
            do throws(MigrationError) {
                result = .success(try await replay(on: DatabaseConfiguration(engine: .mysql(scratch)), versions))
            } catch {
                result = .failure(error)
            }
            try await connection.execute("DROP DATABASE IF EXISTS \(quoted)")
            return try result.get()
        }
    }
}

extension MigrationConnection {
    /// Drops the scratch databases of runs that were killed: those with a name that only a replay makes, whose lease was taken and
    /// ended more than an hour ago.
    fileprivate func dropLeftovers(namedLike prefix: String) async throws(MigrationError) {
        let length = prefix.unicodeScalars.count
        let names = try await run { session in
            try session.rows(
                """
                SELECT table_schema AS name FROM information_schema.tables
                WHERE table_name = 'migration_lock' AND LEFT(table_schema, \(length)) = \(prefix)
                """
            ).map { try $0.get("name", as: String.self) }
        }
        for name in names where name.isScratch(prefix) {
            guard try await isLeftover(name) else { continue }
            try await execute("DROP DATABASE IF EXISTS \(name.inBackticks)")
        }
    }

    /// One that another run drops meanwhile is none any more.
    private func isLeftover(_ database: String) async throws(MigrationError) -> Bool {
        do throws(MigrationError) {
            return try await run { session in
                let ended = try session.row(
                    """
                    SELECT id FROM \(SQL(trustedText: database.inBackticks)).migration_lock
                    WHERE acquired_at > 0 AND acquired_at < \(session.dialect.clock) - 3600000000
                    AND expires_at < \(session.dialect.clock) - 3600000000
                    """
                )
                return ended != nil
            }
        } catch {
            guard case .database(let cause) = error, cause.kind == .schemaMismatch || cause.code == 1049 else {
                throw error
            }
            return false
        }
    }

    /// Runs a statement whose text the migrator has put together.
    fileprivate func execute(_ text: String) async throws(MigrationError) {
        _ = try await run { try $0.execute(trustedText: text) }
    }
}

extension String {
    /// Whether this is a prefix with the random digits behind it that a replay gives its database.
    fileprivate func isScratch(_ prefix: String) -> Bool {
        let bytes = Array(utf8)
        guard bytes.starts(with: prefix.utf8), bytes.count == prefix.utf8.count + Migrator.scratchDigits else {
            return false
        }
        return bytes.suffix(Migrator.scratchDigits).allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
    }

    /// As a quoted name of MySQL.
    fileprivate var inBackticks: String { "`" + replacing("`", with: "``") + "`" }
}
