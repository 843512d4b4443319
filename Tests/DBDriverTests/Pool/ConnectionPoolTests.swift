import TestSupport
import Testing

@testable import DBDriver

/// The pool with real connections.
@Suite("Connection pool", .timeLimit(.minutes(10)))
struct ConnectionPoolTests {
    func withPool(
        _ engine: Engine,
        connections: Int = 1,
        waiters: Int = 100,
        waitMax: Duration = .seconds(30),
        _ body: (ConnectionPool) async throws -> Void
    ) async throws {
        try await engine.withEmptyDatabase { configuration in
            let pool = ConnectionPool(
                name: "test",
                limits: .init(
                    connectionsMax: connections,
                    waitersMax: waiters,
                    idleBeforeCheck: .seconds(5),
                    ageMax: nil
                ),
                waitMax: waitMax,
                open: configuration.opener(.readWrite)
            )
            do {
                try await body(pool)
            } catch {
                await pool.shutDown()
                throw error
            }
            await pool.shutDown()
        }
    }

    /// Borrows a connection until the gate opens.
    func borrow(_ pool: ConnectionPool, until gate: Gate) -> Task<Int, any Error> {
        Task {
            try await pool.withConnection(interruptible: false) { connection in
                await gate.wait()
                return try await connection.run { try $0.row("SELECT 1 AS one")?.get("one", as: Int.self) ?? 0 }
            }
        }
    }

    @Test("a caller that waits too long is told so in bounded time", arguments: Engine.available)
    func waitTimeout(engine: Engine) async throws {
        try await withPool(engine, waitMax: .milliseconds(50)) { pool in
            let gate = Gate()
            let first = try await lentOut(pool, gate)
            let begin = ContinuousClock.now
            let error = await #expect(throws: DatabaseError.self) {
                try await pool.withConnection(interruptible: false) { _ in }
            }
            #expect(error?.kind == .unavailable)
            #expect(ContinuousClock.now - begin < .seconds(10))
            #expect(pool.counts.waiting == 0)
            gate.open()
            #expect(try await first.value == 1)
        }
    }

    @Test("a caller behind a full queue is turned away, and those in it are served", arguments: Engine.available)
    func queueFull(engine: Engine) async throws {
        try await withPool(engine, waiters: 2) { pool in
            let gate = Gate()
            let first = try await lentOut(pool, gate)
            let waiting = (0..<2).map { _ in borrow(pool, until: gate) }
            try await until { pool.counts.waiting == 2 }
            let error = await #expect(throws: DatabaseError.self) {
                try await pool.withConnection(interruptible: false) { _ in }
            }
            #expect(error?.kind == .unavailable)
            gate.open()
            for task in [first] + waiting { #expect(try await task.value == 1) }
        }
    }

    @Test("a cancelled caller waits no longer, and the next one is served", arguments: Engine.available)
    func cancelledWaiter(engine: Engine) async throws {
        try await withPool(engine) { pool in
            let gate = Gate()
            let first = try await lentOut(pool, gate)
            let cancelled = borrow(pool, until: gate)
            try await until { pool.counts.waiting == 1 }
            let last = borrow(pool, until: gate)
            try await until { pool.counts.waiting == 2 }
            cancelled.cancel()
            await #expect(throws: CancellationError.self) { try await cancelled.value }
            #expect(pool.counts.waiting == 1)
            gate.open()
            #expect(try await first.value == 1)
            #expect(try await last.value == 1)
        }
    }

    @Test("a caller that is cancelled before it asks gets no connection", arguments: Engine.available)
    func cancelledBefore(engine: Engine) async throws {
        try await withPool(engine) { pool in
            let gate = Gate()
            let task = Task {
                await gate.wait()
                try await pool.withConnection(interruptible: false) { _ in }
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(pool.counts.open == 0)
        }
    }

    @Test("shutdown waits for a connection that is lent, and refuses everybody else", arguments: Engine.available)
    func shutDownWaits(engine: Engine) async throws {
        try await withPool(engine) { pool in
            let gate = Gate()
            let first = try await lentOut(pool, gate)
            let second = borrow(pool, until: gate)
            try await until { pool.counts.waiting == 1 }
            let isDown = Tally()
            let shutDown = Task {
                await pool.shutDown()
                isDown.add()
            }
            await #expect(throws: DatabaseError.self, "it waited") { try await second.value }
            await #expect(throws: DatabaseError.self, "it came too late") {
                try await pool.withConnection(interruptible: false) { _ in }
            }
            #expect(isDown.count == 0)
            #expect(pool.counts.open == 1)
            gate.open()
            #expect(try await first.value == 1)
            await shutDown.value
            #expect(pool.counts.open == 0)
        }
    }

    @Test("after shutdown every connection is closed, not only forgotten", arguments: Engine.available)
    func shutDownCloses(engine: Engine) async throws {
        try await engine.withEmptyDatabase { configuration async throws in
            let openSessions = Tally(), closedSessions = Tally()
            let open = configuration.opener(.readWrite)
            let pool = ConnectionPool(
                name: "test",
                limits: .init(connectionsMax: 4, waitersMax: 9, idleBeforeCheck: .seconds(5), ageMax: nil),
                waitMax: .seconds(30)
            ) { () throws(DatabaseError) in
                openSessions.add()
                return CountedSession(try open()) { closedSessions.add() }
            }
            let gate = Gate()
            let tasks = (0..<4).map { _ in borrow(pool, until: gate) }
            try await until { pool.counts.open == 4 }
            gate.open()
            for task in tasks { #expect(try await task.value == 1) }
            await pool.shutDown()
            #expect(openSessions.count == 4)
            #expect(closedSessions.count == 4)
        }
    }

    @Test("no more connections are open than allowed, and all of 200 callers are served", arguments: Engine.available)
    func manyCallers(engine: Engine) async throws {
        try await withPool(engine, connections: 3, waiters: 200) { pool in
            let inUse = Tally(), given = Tally()
            try await withThrowingTaskGroup { group in
                for _ in 0..<200 {
                    group.addTask {
                        try await pool.withConnection(interruptible: false) { connection in
                            inUse.add()
                            #expect(inUse.count - given.count <= 3)
                            #expect(pool.counts.open <= 3)
                            try await connection.run { _ = try $0.row("SELECT 1 AS one") }
                            given.add()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(given.count == 200)
        }
    }

    @Test("a server that refuses connections is reported to every caller after a few tries", arguments: Engine.servers)
    func refused(engine: Engine) async throws {
        let socket = try LoopbackSocket(isListening: false)
        try await engine.withEmptyDatabase { configuration in
            let database = Database(configuration.atPort(socket.port), logger: quietLogger)
            let begin = ContinuousClock.now
            await withTaskGroup { group in
                for _ in 0..<20 {
                    group.addTask {
                        let error = await #expect(throws: DatabaseError.self) {
                            try await database.read { try $0.row("SELECT 1 AS one") }
                        }
                        #expect(error?.kind == .unavailable)
                    }
                }
            }
            #expect(ContinuousClock.now - begin < .seconds(15))
            await database.shutDown()
        }
    }

    @Test("a server that accepts and says nothing is given up after the connect time-out", arguments: Engine.servers)
    func silentServer(engine: Engine) async throws {
        let socket = try LoopbackSocket(isListening: true)
        try await engine.withEmptyDatabase { configuration in
            var configuration = configuration.atPort(socket.port)
            configuration.editMySQL { $0.connectTimeout = .seconds(1) }
            configuration.operationTimeout = .seconds(2)
            let database = Database(configuration, logger: quietLogger)
            let begin = ContinuousClock.now
            let error = await #expect(throws: DatabaseError.self) {
                try await database.read { try $0.row("SELECT 1 AS one") }
            }
            #expect(error?.kind == .unavailable)
            #expect(ContinuousClock.now - begin < .seconds(15))
            await database.shutDown()
        }
    }

    @Test("the next host is taken when the first refuses", arguments: Engine.servers)
    func nextHost(engine: Engine) async throws {
        let socket = try LoopbackSocket(isListening: false)
        try await engine.withDatabase({
            $0.editMySQL { $0.hosts.insert(.init(name: "127.0.0.1", port: socket.port), at: 0) }
        }) { database in
            let row = try await database.read { try $0.row("SELECT 1 AS one") }
            #expect(try row?.get("one", as: Int.self) == 1)
        }
    }

    /// Borrows the pool's only connection, and returns once it is lent.
    private func lentOut(_ pool: ConnectionPool, _ gate: Gate) async throws -> Task<Int, any Error> {
        // Opened beforehand: however slow that is, the time limits of the tests begin later.
        while pool.counts.idle == 0 { try? await pool.withConnection(interruptible: false) { _ in } }
        let task = borrow(pool, until: gate)
        try await until { pool.counts == (open: 1, idle: 0, waiting: 0) }
        return task
    }
}

/// An engine's session that tells when it is closed.
private final class CountedSession: EngineSession {
    private let session: any EngineSession
    private let onClose: () -> Void

    init(_ session: any EngineSession, onClose: @escaping () -> Void) {
        self.session = session
        self.onClose = onClose
    }

    var dialect: Dialect { session.dialect }
    var interrupter: Interrupter { session.interrupter }
    var isInTransaction: Bool { session.isInTransaction }
    func run(_ sql: SQL, rowLimit: Int) throws(DatabaseError) -> SQLResult { try session.run(sql, rowLimit: rowLimit) }
    func runText(_ text: String) throws(DatabaseError) -> Int { try session.runText(text) }
    func ping() throws(DatabaseError) { try session.ping() }
    func close() {
        session.close()
        onClose()
    }
}
