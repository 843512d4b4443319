internal import Logging

/// One run of the migrator: it has the lease, and gives it back in ``finish()``.
///
/// It plans anew after each migration and after each lost connection, always from what the database knows by then.
final class MigrationRun {
    let migrator: Migrator
    let lease: MigrationLease
    let progress: @Sendable (MigrationProgress) -> Void
    private(set) var connection: MigrationConnection
    private var heartbeat: Task<Void, Never>?
    /// False as long as the lease can't be this run's.
    private var mayHaveLease = false

    /// How often in a row a lost connection is replaced before the run gives up.
    private static let reconnectsMax = 5

    private init(
        _ migrator: Migrator,
        _ progress: @escaping @Sendable (MigrationProgress) -> Void,
        _ connection: MigrationConnection
    ) {
        self.migrator = migrator
        self.progress = progress
        self.connection = connection
        lease = MigrationLease(
            owner: randomID(),
            holder: String(migrator.options.holder.prefix(200)),
            duration: migrator.options.leaseDuration
        )
    }

    /// Connects, makes the migrator's tables, and waits for the lease.
    static func start(
        _ migrator: Migrator,
        _ progress: @escaping @Sendable (MigrationProgress) -> Void
    ) async throws(MigrationError) -> MigrationRun {
        let start = ContinuousClock.now
        let connection = try await waitingForWriter(since: start, migrator, progress) {
            () async throws(MigrationError) in
            try await MigrationConnection.open(migrator.configuration)
        }
        let run: MigrationRun
        do throws(MigrationError) {
            run = MigrationRun(try await migrator.onServer(of: connection), progress, connection)
        } catch {
            await connection.close()
            throw error
        }
        do throws(MigrationError) {
            try await run.reconnecting { () async throws(MigrationError) in try await run.takeLease(since: start) }
        } catch {
            await run.finish()
            throw error
        }
        return run
    }

    /// What the database knows of each version.
    func rows() async throws(MigrationError) -> [LedgerRow] {
        try await connection.run { try MigrationLedger.rows(in: $0) }
    }

    /// Carries out one plan after the other until it is empty.
    func carryOut(
        _ plan: ([LedgerRow]) throws(MigrationError) -> [MigrationStep]
    ) async throws(MigrationError) -> [FinishedMigration] {
        var finished: [FinishedMigration] = []
        while true {
            let next = try await reconnecting { () async throws(MigrationError) -> FinishedMigration? in
                while true {
                    let steps = try plan(try await rows())
                    guard let step = steps.first else { return nil }
                    guard !Task.isCancelled else { throw .cancelled }
                    if let done = try await perform(step, left: steps.count - 1) { return done }
                }
            }
            guard let next else { return finished }
            finished.append(next)
            progress(.finished(next))
        }
    }

    /// Stops renewing the lease, gives it back and closes the connection. When even a new connection fails, the lease ends by
    /// itself.
    func finish() async {
        heartbeat?.cancel()
        await heartbeat?.value
        let lease = lease
        guard mayHaveLease else { return await connection.close() }
        do throws(MigrationError) {
            try await connection.transaction { try lease.release(in: $0) }
        } catch {
            migrator.logger.debug("the lease was not given back", metadata: ["error": "\(error)"])
            await releaseAnew()
        }
        await connection.close()
    }

    private func releaseAnew() async {
        let (lease, duration) = (lease, lease.duration)
        do throws(MigrationError) {
            await connection.close()
            connection = try await MigrationConnection.open(migrator.configuration)
            try await connection.transaction { session in
                if try MigrationTables.areComplete(in: session) { try lease.release(in: session) }
            }
        } catch {
            migrator.logger.warning(
                "the migration lease could not be given back; it ends by itself",
                metadata: ["error": "\(error)", "within": "\(duration)"]
            )
        }
    }

    private func takeLease(since start: ContinuousClock.Instant) async throws(MigrationError) {
        try await transaction(since: start) { try MigrationTables.create(in: $0) }
        while let holder = try await tryToTakeLease(since: start) {
            progress(.waiting(holder: holder.description, heldFor: holder.heldFor))
            let waited = ContinuousClock.now - start
            guard waited < migrator.options.lockWait else {
                throw .locked(holder: holder.description, heldFor: holder.heldFor, waited: waited)
            }
            try await MigrationConnection.pause(migrator.options.lockPoll * Double.random(in: 0.5...1.5))
        }
        startHeartbeat()
        try await connection.transaction { try MigrationTables.upgrade(in: $0) }
    }

    private func tryToTakeLease(
        since start: ContinuousClock.Instant
    ) async throws(MigrationError) -> MigrationLease.Holder? {
        let lease = lease
        do throws(MigrationError) {
            let holder = try await transaction(since: start) { try lease.take(in: $0) }
            mayHaveLease = holder == nil
            return holder
        } catch {
            mayHaveLease = error.isLostConnection
            throw error
        }
    }

    /// A transaction of the time before there is a lease.
    private func transaction<T: Sendable>(
        since start: ContinuousClock.Instant,
        _ body: @Sendable (Session) throws -> T
    ) async throws(MigrationError) -> T {
        guard migrator.configuration.dialect == .sqlite else { return try await connection.transaction(body) }
        let connection = connection
        return try await Self.waitingForWriter(since: start, migrator, progress) { () async throws(MigrationError) in
            try await connection.transactionOnce(body)
        }
    }

    /// Repeats the body while another connection writes to the SQLite file, which it may do for longer than SQLite itself
    /// waits; the limit of the wait for the lease holds for this one too.
    private static func waitingForWriter<T>(
        since start: ContinuousClock.Instant,
        _ migrator: Migrator,
        _ progress: (MigrationProgress) -> Void,
        _ body: () async throws(MigrationError) -> T
    ) async throws(MigrationError) -> T {
        while true {
            do throws(MigrationError) {
                return try await body()
            } catch {
                guard migrator.configuration.dialect == .sqlite, case .database(let cause) = error,
                    cause.kind == .conflict
                else { throw error }
                let waited = ContinuousClock.now - start
                guard waited < migrator.options.lockWait else { throw .fileInUse(waited: waited) }
                progress(.waitingForWriter)
                try await MigrationConnection.pause(migrator.options.lockPoll)
            }
        }
    }

    /// Renews the lease from a second connection, four times in its life. Whether it is lost is not told from here: the run
    /// itself looks before each statement.
    ///
    /// SQLite needs none: a migration there is one write transaction, which renews the lease when it begins and when it
    /// ends, and nobody else can write to take the lease over in between.
    private func startHeartbeat() {
        guard heartbeat == nil, migrator.configuration.dialect == .mysql else { return }
        let (configuration, lease) = (migrator.configuration, lease)
        heartbeat = Task {
            var connection: MigrationConnection?
            var isOurs = true
            while isOurs, (try? await MigrationConnection.pause(lease.duration / 4)) != nil {
                do throws(MigrationError) {
                    let open =
                        if let connection { connection } else {
                            try await MigrationConnection.open(configuration, name: "migrate-lease")
                        }
                    connection = open
                    isOurs = try await open.transaction { try lease.renew(in: $0) }
                } catch {
                    await connection?.close()
                    connection = nil
                }
            }
            await connection?.close()
        }
    }

    /// Repeats the body on a new connection when the old one is lost.
    private func reconnecting<T>(
        _ body: () async throws(MigrationError) -> T
    ) async throws(MigrationError) -> T {
        for _ in 1...Self.reconnectsMax {
            do throws(MigrationError) {
                return try await body()
            } catch {
                guard error.isLostConnection else { throw error }
                progress(.reconnecting)
                await connection.close()
                connection = try await reopen()
            }
        }
        return try await body()
    }

    /// Opens a new connection; a server that restarts gets about 13 s.
    private func reopen() async throws(MigrationError) -> MigrationConnection {
        for attempt in 1...6 {
            try await MigrationConnection.pause(.milliseconds(100 << attempt))
            do throws(MigrationError) {
                return try await MigrationConnection.open(migrator.configuration)
            } catch {
                guard case .database(let cause) = error, [.unavailable, .connectionLost].contains(cause.kind) else {
                    throw error
                }
            }
        }
        return try await MigrationConnection.open(migrator.configuration)
    }
}

/// 128 random bits in hexadecimal.
func randomID() -> String {
    (0..<2).map { _ in
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
}
