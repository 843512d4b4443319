/// A connection of the migrator: errors are ``MigrationError``s, and transactions that lose a conflict run again.
struct MigrationConnection: Sendable {
    private let connection: Connection
    /// How often a lost conflict is tried.
    private static let attemptsMax = 10

    /// Opens a connection with the long time-outs that DDL needs.
    ///
    /// On SQLite foreign keys are not enforced on it: `DROP TABLE`, which every change of a table there needs, would delete
    /// the rows that refer to it (https://www.sqlite.org/lang_altertable.html#otheralter). The migrator checks
    /// them before it commits instead.
    static func open(
        _ configuration: DatabaseConfiguration,
        name: String = "migrate"
    ) async throws(MigrationError) -> MigrationConnection {
        for attempt in 1..<opensMax {
            do throws(MigrationError) {
                return try await openOnce(configuration, name)
            } catch {
                guard case .database(let cause) = error, cause.mayBeRetried, cause.kind != .conflict else {
                    throw error
                }
                try await pause(.milliseconds(100 << attempt))
            }
        }
        return try await openOnce(configuration, name)
    }

    /// How often a connection is tried: a busy server may miss one time-out, and a missing one is told of soon.
    private static let opensMax = 3

    private static func openOnce(
        _ configuration: DatabaseConfiguration,
        _ name: String
    ) async throws(MigrationError) -> MigrationConnection {
        var configuration = configuration
        if case .sqlite(var sqlite) = configuration.engine {
            // A run waits by itself, tells so, and ends in time.
            sqlite.busyTimeout = .seconds(1)
            configuration.engine = .sqlite(sqlite)
        }
        let connection = Connection(name: name, open: configuration.opener(.readWrite, for: .migrating))
        do {
            try await connection.connect()
            let opened = MigrationConnection(connection: connection)
            if configuration.dialect == .sqlite {
                _ = try await opened.run { try $0.execute(trustedText: "PRAGMA foreign_keys = OFF") }
            }
            return opened
        } catch {
            await connection.close()
            throw MigrationError(error)
        }
    }

    /// Runs statements that each stand for themselves, again when they lost a conflict: a cluster ends readers too for the
    /// sake of somebody's DDL. So of several statements only the last one may change anything.
    func run<T: Sendable>(_ body: @Sendable (Session) throws -> T) async throws(MigrationError) -> T {
        try await Self.retryingConflicts { () async throws(MigrationError) in
            do {
                return try await connection.run(body)
            } catch {
                throw MigrationError(error)
            }
        }
    }

    /// Runs a transaction, again when it lost a conflict. Its outcome may be unknown when the error is a lost connection.
    func transaction<T: Sendable>(_ body: @Sendable (Session) throws -> T) async throws(MigrationError) -> T {
        try await Self.retryingConflicts { () async throws(MigrationError) in try await transactionOnce(body) }
    }

    /// Runs a transaction, and leaves it to the caller to run it again when it lost a conflict.
    func transactionOnce<T: Sendable>(_ body: @Sendable (Session) throws -> T) async throws(MigrationError) -> T {
        do {
            switch try await connection.transaction(.readWrite, body) {
            case .committed(let value): return value
            case .unknown(_, let error): throw error
            }
        } catch {
            throw MigrationError(error)
        }
    }

    /// Ends the connection.
    func close() async {
        await connection.close()
    }

    /// Tries with random growing pauses up to 0.4 s. A conflict means that nothing happened.
    private static func retryingConflicts<T: Sendable>(
        _ attempt: () async throws(MigrationError) -> T
    ) async throws(MigrationError) -> T {
        for tries in 1..<attemptsMax {
            do throws(MigrationError) {
                return try await attempt()
            } catch {
                guard case .database(let cause) = error, cause.kind == .conflict else { throw error }
                try await pause(.microseconds(Int64.random(in: 1_000...(1_500 << Int64(min(tries, 8))))))
            }
        }
        return try await attempt()
    }

    /// Waits.
    ///
    /// - Throws: ``MigrationError/cancelled``.
    static func pause(_ duration: Duration) async throws(MigrationError) {
        do {
            try await Task.sleep(for: duration)
        } catch {
            throw .cancelled
        }
    }
}

extension MigrationError {
    /// An error that came out of a closure lent to a connection.
    init(_ error: any Error) {
        switch error {
        case let error as MigrationError: self = error
        case let error as DatabaseError: self = .database(error)
        default: self = .cancelled
        }
    }

    /// Whether the connection is gone, and with it perhaps the answer to its last statement.
    var isLostConnection: Bool {
        if case .database(let error) = self { error.kind == .connectionLost } else { false }
    }
}
