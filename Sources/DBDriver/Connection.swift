/// One connection to the database, with a thread of its own on which everything about it happens.
actor Connection {
    private let thread: ConnectionThread
    private let open: @Sendable () throws(DatabaseError) -> any EngineSession
    private var engine: (any EngineSession)?

    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - name: the thread's name.
    ///   - open: makes the engine's session; called once, by ``connect()``, on the connection's thread.
    init(name: String, open: @escaping @Sendable () throws(DatabaseError) -> any EngineSession) {
        thread = ConnectionThread(name: name)
        self.open = open
    }

    /// Opens the connection.
    ///
    /// - Returns: what the pool has to know about it.
    @discardableResult
    func connect() throws(DatabaseError) -> Traits {
        let engine = try open()
        self.engine = engine
        return Traits(interrupter: engine.interrupter, ageMax: engine.ageMax, probe: engine.probe)
    }

    /// What there is to know about an open connection.
    struct Traits: Sendable {
        /// Interrupts a running statement from another thread.
        let interrupter: Interrupter
        /// How long it is kept at most, when that is less than usual.
        let ageMax: Duration?
        /// How to find out whether its server still answers.
        let probe: HostProbe?
    }

    /// Whether the connection still answers.
    func ping() throws(DatabaseError) {
        try opened().ping()
    }

    /// Whether it was opened and not closed since; ``transaction(_:_:)`` closes it when ROLLBACK fails.
    var isOpen: Bool { engine != nil }

    /// Lends the connection without a transaction: each statement stands for itself.
    func run<T: Sendable>(_ body: @Sendable (Session) throws -> T) throws -> T {
        let session = Session(try opened())
        let value = try body(session)
        if let failure = session.failure { throw failure }
        return value
    }

    /// Runs the closure in a transaction: COMMIT when it returns, ROLLBACK when it throws or any statement in it failed.
    ///
    /// - Returns: the closure's value, and whether COMMIT was acknowledged or its outcome is unknown.
    func transaction<T: Sendable>(
        _ access: TransactionAccess,
        _ body: @Sendable (Session) throws -> T
    ) throws -> TransactionOutcome<T> {
        let engine = try opened()
        let value: T
        do {
            for words in engine.dialect.begin(access) { try engine.runText(words) }
            let session = Session(engine)
            value = try body(session)
            if let failure = session.failure { throw failure }
        } catch {
            rollBack(engine)
            throw error
        }
        do {
            try engine.runText("COMMIT")
            return .committed(value)
        } catch {
            guard error.kind == .connectionLost, access == .readWrite else {
                rollBack(engine)
                throw error
            }
            return .unknown(value, error)
        }
    }

    /// Ends the connection; harmless when called twice.
    func close() {
        engine?.close()
        engine = nil
    }

    private func opened() throws(DatabaseError) -> any EngineSession {
        guard let engine else { throw .misuse("the connection is not open") }
        return engine
    }

    /// After a lock wait time-out the transaction is still open with all its locks; after a deadlock it is already gone, and
    /// ROLLBACK does no harm. A connection that cannot even roll back is closed: the server then rolls back by itself.
    private func rollBack(_ engine: any EngineSession) {
        guard engine.isInTransaction else { return }
        do {
            try engine.runText("ROLLBACK")
        } catch {
            engine.close()
            self.engine = nil
        }
    }
}

/// How a transaction's COMMIT ended.
enum TransactionOutcome<Value: Sendable>: Sendable {
    /// The database acknowledged it.
    case committed(Value)
    /// The connection was lost meanwhile; the change may have happened or not.
    case unknown(Value, DatabaseError)
}
