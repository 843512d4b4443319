public import Logging
internal import Metrics
public import ServiceLifecycle
internal import Synchronization
internal import Tracing

/// The database: lends connections, begins and ends transactions, and retries what may be retried.
///
///     let role = try await database.read { session in
///         try session.row("SELECT role_name FROM users WHERE user_id = \(userID)")?.get("role_name", as: String?.self)
///     }
///
/// Closures are synchronous and run on the connection's own thread, so nothing but the database can be waited for while a
/// transaction is open. They may run more than once: a closure must not have side effects outside the session.
///
/// As a `Service` it keeps the connections open until graceful shutdown, then waits for those in use and closes all.
public final class Database: Service, Sendable {
    /// What it was made from.
    public let configuration: DatabaseConfiguration
    private let readers: ConnectionPool
    private let writers: ConnectionPool
    private let hosts: HostList?
    private let logger: Logger

    /// Opens nothing yet: connections are opened when they are first needed.
    public init(_ configuration: DatabaseConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        var limits = PoolState.Limits(
            connectionsMax: configuration.poolSize,
            waitersMax: configuration.waitersMax,
            idleBeforeCheck: .seconds(5),
            ageMax: .seconds(1_800)
        )
        let wait = configuration.poolTimeout
        switch configuration.engine {
        case .mysql(let mysql):
            let hosts = HostList(mysql.hosts, logger: logger)
            self.hosts = hosts
            readers = ConnectionPool(
                name: "mysql",
                limits: limits,
                waitMax: wait,
                open: configuration.opener(.readWrite, hosts: hosts)
            )
            writers = readers
        case .sqlite(let sqlite):
            hosts = nil
            // SQLite has one writer at a time: queueing for it here is fairer than its busy handler.
            limits.ageMax = nil
            var one = limits
            one.connectionsMax = 1
            writers = ConnectionPool(
                name: "sqlite-w",
                limits: one,
                waitMax: wait,
                open: configuration.opener(.readWrite)
            )
            readers =
                sqlite.isInMemory
                ? writers
                : ConnectionPool(
                    name: "sqlite-r",
                    limits: limits,
                    waitMax: wait,
                    open: configuration.opener(.readOnly)
                )
        }
    }

    /// Whose words and codes the engine speaks.
    public var dialect: Dialect { configuration.dialect }

    /// Runs queries without a transaction: each sees everything that was acknowledged before it began.
    ///
    /// - Throws: ``DatabaseError`` after the retries that its kind allows; whatever the closure throws; `CancellationError`.
    public func read<T: Sendable>(_ body: @escaping @Sendable (Session) throws -> T) async throws -> T {
        try await retrying("read") { [readers] in
            try await readers.withConnection(interruptible: true) { try await $0.run(body) }
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// - Throws: as ``read(_:)``.
    public func ping() async throws {
        _ = try await read { try $0.row("SELECT 1 AS one") }
    }

    /// Runs queries in one read-only transaction.
    ///
    /// - Throws: as ``read(_:)``.
    public func snapshot<T: Sendable>(_ body: @escaping @Sendable (Session) throws -> T) async throws -> T {
        try await retrying("snapshot") { [readers] in
            try await readers.withConnection(interruptible: true) { connection in
                switch try await connection.transaction(.readOnly, body) {
                case .committed(let value), .unknown(let value, _): value
                }
            }
        }
    }

    /// Runs a read-write transaction. Once begun it is not cancelled: it commits, or fails and is rolled back.
    ///
    /// - Parameters:
    ///   - wasCommitted: looks for the mark that `body` leaves in the same transaction, such as its operation id. With it,
    ///     a COMMIT whose outcome is unknown is settled: the transaction is run again unless its mark is found. Without
    ///     it, or when it can't be settled in time, the caller gets ``DatabaseError/Kind/commitOutcomeUnknown``.
    ///   - body: the transaction.
    /// - Returns: the value of the attempt that was committed.
    /// - Throws: ``DatabaseError`` after the retries that its kind allows; whatever the closure throws.
    @discardableResult
    public func write<T: Sendable>(
        wasCommitted: (@Sendable (Session) throws -> Bool)? = nil,
        _ body: @escaping @Sendable (Session) throws -> T
    ) async throws -> T {
        // The value of an attempt that may have been committed.
        let uncertain = Mutex<T?>(nil)
        do {
            return try await retrying("write", persistently: { uncertain.withLock { $0 != nil } }) { [writers] in
                try await writers.withConnection(interruptible: false) { connection in
                    let earlier = uncertain.withLock { $0 }
                    do {
                        let outcome = try await connection.transaction(.readWrite) { session in
                            if let earlier, try wasCommitted?(session) == true { return earlier }
                            return try body(session)
                        }
                        switch outcome {
                        case .committed(let value): return value
                        case .unknown(let value, var error):
                            uncertain.withLock { $0 = value }
                            if wasCommitted == nil { error.kind = .commitOutcomeUnknown }
                            throw error
                        }
                    } catch {
                        guard let earlier, let wasCommitted, (error as? DatabaseError)?.mayBeRetried != true else {
                            throw error
                        }
                        // The earlier attempt's rows may have arrived between the look-up and now: look again.
                        if try await connection.run(wasCommitted) { return earlier }
                        uncertain.withLock { $0 = nil }
                        throw error
                    }
                }
            }
        } catch var error as DatabaseError where uncertain.withLock({ $0 != nil }) {
            error.kind = .commitOutcomeUnknown
            throw error
        }
    }

    /// How the pools stand: connections open, of them idle, and callers waiting, by the pool's name.
    public var pools: [(name: String, open: Int, idle: Int, waiting: Int)] {
        (readers === writers ? [readers] : [readers, writers]).map { pool in
            let counts = pool.counts
            return (pool.name, counts.open, counts.idle, counts.waiting)
        }
    }

    /// The servers of the database, each with what is known of it, such as `connected` or `hung`; none for SQLite.
    public var servers: [(host: String, state: String)] {
        hosts?.current.map { ("\($0.host)", $0.state.rawValue) } ?? []
    }

    /// What ``servers`` may say of one.
    public static let serverStates = HostStates.State.allCases.map(\.rawValue)

    /// Keeps the connections until graceful shutdown, then waits for those in use and closes all.
    public func run() async throws {
        try? await gracefulShutdown()
        await shutDown()
    }

    /// Waits for the connections in use and closes all.
    public func shutDown() async {
        await writers.shutDown()
        await readers.shutDown()
    }

    /// Runs an attempt until it succeeds or may not be retried, with random growing pauses (2 ms to 200 ms), within
    /// ``DatabaseConfiguration/operationTimeout`` and ``RequestDeadline``; after conflicts at most
    /// ``DatabaseConfiguration/attemptsMax`` times, unless it must be `persistently`.
    private func retrying<T>(
        _ name: String,
        persistently: () -> Bool = { false },
        _ attempt: () async throws -> T
    ) async throws -> T {
        guard configuration.isTraced else { return try await retrying(persistently: persistently, attempt) }
        return try await withSpan("database \(name)", ofKind: .client) { _ in
            try await retrying(persistently: persistently, attempt)
        }
    }

    private func retrying<T>(
        persistently: () -> Bool,
        _ attempt: () async throws -> T
    ) async throws -> T {
        let deadline = RequestDeadline.orSooner(.now + configuration.operationTimeout)
        var tries = 0
        while true {
            tries += 1
            do {
                return try await attempt()
            } catch let error as DatabaseError {
                Counter(label: "database_errors", dimensions: [("kind", error.kind.rawValue)]).increment()
                let pause = Duration.microseconds(Int64.random(in: 1_000...min(200_000, 2_000 << min(tries, 8))))
                // How often a lost server is tried is the pool's to bound; conflicts are bounded here.
                guard error.mayBeRetried,
                    error.kind != .conflict || tries < configuration.attemptsMax || persistently(),
                    ContinuousClock.now + pause < deadline
                else { throw error }
                Counter(label: "database_retries", dimensions: [("kind", error.kind.rawValue)]).increment()
                logger.debug(
                    "a database operation is tried again",
                    metadata: ["error": "\(error)", "tries": "\(tries)"]
                )
                try await Task.sleep(for: pause)
            }
        }
    }
}
