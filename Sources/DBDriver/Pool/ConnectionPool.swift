internal import Synchronization

/// A bounded set of connections, lent for the length of a closure. ``PoolState`` decides, this carries out.
final class ConnectionPool: Sendable {
    private struct State {
        var machine: PoolState
        var nextWaiter = 0
        var waiters: [PoolState.WaiterID: CheckedContinuation<Lease, any Error>] = [:]
        var timers: [PoolState.WaiterID: Task<Void, Never>] = [:]
        var connections: [PoolState.ConnectionID: OpenConnection] = [:]
        var openError: DatabaseError?
        var finished: [CheckedContinuation<Void, Never>] = []
        var isFinished = false
    }

    private struct OpenConnection {
        let connection: Connection
        let traits: Connection.Traits
    }

    /// A connection in a caller's hands.
    private struct Lease: Sendable {
        let id: PoolState.ConnectionID
        let connection: Connection
        let interrupter: Interrupter
        let mustBeChecked: Bool
    }

    /// How long a server may take for a sign of life: 1 s.
    private static let pingMax = Duration.seconds(1)
    /// The pause after a connection could not be opened: 50 ms at first, doubling up to 0.5 s.
    private static let pauseMin = Duration.milliseconds(50)
    private static let pauseMax = Duration.milliseconds(500)

    let name: String
    private let waitMax: Duration
    private let open: @Sendable () throws(DatabaseError) -> any EngineSession
    private let clock: @Sendable () -> Timestamp
    private let state: Mutex<State>
    private let watch = LeaseWatch()

    /// - Parameters:
    ///   - name: the beginning of the threads' names.
    ///   - limits: how many and how old.
    ///   - waitMax: how long a caller waits for a connection.
    ///   - clock: the time for ages.
    ///   - open: makes an engine's session.
    init(
        name: String,
        limits: PoolState.Limits,
        waitMax: Duration,
        clock: @escaping @Sendable () -> Timestamp = Timestamp.now,
        open: @escaping @Sendable () throws(DatabaseError) -> any EngineSession
    ) {
        self.name = name
        self.waitMax = waitMax
        self.clock = clock
        self.open = open
        state = Mutex(State(machine: PoolState(limits: limits)))
        watch.whenLost { [weak self] host in self?.giveUp(host) }
    }

    /// Interrupts whatever is under way at a server, and closes the idle connections to it.
    private func giveUp(_ host: Int) {
        let connections = state.withLock { state in
            state.connections.filter { $0.value.traits.probe?.host == host }
        }
        perform { $0.lost(Set(connections.keys)) }
        for open in connections.values { open.traits.interrupter.interrupt(.hostLost) }
    }

    /// Lends a connection to the closure.
    ///
    /// - Parameters:
    ///   - interruptible: whether cancelling the task interrupts a running statement.
    ///   - body: what to do with the connection.
    /// - Returns: the closure's value.
    /// - Throws: ``DatabaseError`` of kind `unavailable` when there is none to be had in time, `CancellationError`, and
    ///   whatever the closure throws.
    func withConnection<T: Sendable>(
        interruptible: Bool,
        _ body: (Connection) async throws -> T
    ) async throws -> T {
        let lease = try await usableLease()
        // A transaction that has begun is not cut off: it ends by the limits of its statements.
        if interruptible, let deadline = RequestDeadline.current {
            watch.limit(lease.id, deadline) { lease.interrupter.interrupt(.tooLate) }
        }
        do {
            let value =
                interruptible
                ? try await withTaskCancellationHandler {
                    try await body(lease.connection)
                } onCancel: {
                    lease.interrupter.interrupt()
                } : try await body(lease.connection)
            finish(lease, isUsable: !lease.interrupter.wasUsed)
            return value
        } catch {
            let endsConnection = (error as? DatabaseError)?.endsConnection == true
            let isOpen = await lease.connection.isOpen
            finish(lease, isUsable: isOpen && !endsConnection && !lease.interrupter.wasUsed)
            throw error
        }
    }

    /// Turns waiting callers away, waits until the lent connections have come back, and closes all.
    func shutDown() async {
        perform { $0.shutDown() }
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.finished.append(continuation) }
                return state.isFinished
            }
            if isFinished { continuation.resume() }
        }
    }

    /// How the pool stands: connections open, of them idle, and callers waiting.
    var counts: (open: Int, idle: Int, waiting: Int) {
        state.withLock { ($0.machine.openCount, $0.machine.idleCount, $0.machine.waitingCount) }
    }

    private func usableLease() async throws -> Lease {
        while true {
            let lease = try await lease()
            guard lease.mustBeChecked else { return lease }
            if await isAlive(lease) { return lease }
            // A caller that has gone says nothing about the server: the other connections stay.
            if Task.isCancelled {
                finish(lease, isUsable: false)
                throw CancellationError()
            }
            let now = clock()
            perform { $0.checkFailed(lease.id, now: now) }
        }
    }

    /// Whether the server answers on the connection within ``pingMax``, and the task is not cancelled meanwhile.
    private func isAlive(_ lease: Lease) async -> Bool {
        let alarm = Task {
            try await Task.sleep(for: Self.pingMax)
            lease.interrupter.interrupt()
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            (try? await lease.connection.ping()) != nil && !lease.interrupter.wasUsed
        } onCancel: {
            lease.interrupter.interrupt()
        }
    }

    private func lease() async throws -> Lease {
        try Task.checkCancellation()
        if let lease = leaseAtOnce() { return lease }
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.waiters[waiter] = continuation }
                let now = clock()
                perform { Task.isCancelled ? [.refuse(waiter, .cancelled)] : $0.lease(waiter, now: now) }
                startTimer(waiter)
            }
        } onCancel: {
            perform { $0.withdraw(waiter, because: .cancelled) }
        }
    }

    /// A connection that is there, as nearly always.
    private func leaseAtOnce() -> Lease? {
        let now = clock()
        return state.withLock { state in
            guard let id = state.machine.leaseAtOnce(now: now), let opened = state.connections[id] else { return nil }
            return lend(id, opened, mustBeChecked: false)
        }
    }

    private func lend(_ id: PoolState.ConnectionID, _ opened: OpenConnection, mustBeChecked: Bool) -> Lease {
        if let probe = opened.traits.probe { watch.lent(id, probe) }
        return Lease(
            id: id,
            connection: opened.connection,
            interrupter: opened.traits.interrupter,
            mustBeChecked: mustBeChecked
        )
    }

    private func finish(_ lease: Lease, isUsable: Bool) {
        watch.returned(lease.id)
        let now = clock()
        perform { $0.release(lease.id, isUsable: isUsable, now: now) }
    }

    /// Gives up on a caller's behalf once it has waited too long; only callers that do wait get a timer.
    private func startTimer(_ waiter: PoolState.WaiterID) {
        let end = RequestDeadline.orSooner(.now + waitMax)
        state.withLock { state in
            guard state.waiters[waiter] != nil else { return }
            state.timers[waiter] = Task { [weak self] in
                try? await Task.sleep(until: end)
                if !Task.isCancelled { self?.perform { $0.withdraw(waiter, because: .timedOut) } }
            }
        }
    }

    private func perform(_ event: (inout PoolState) -> [PoolState.Action]) {
        let effects = state.withLock { state in
            event(&state.machine).compactMap { effect(of: $0, &state) }
        }
        for effect in effects { effect() }
    }

    /// What an action does outside the lock.
    private func effect(of action: PoolState.Action, _ state: inout State) -> (() -> Void)? {
        switch action {
        case .open(let id):
            return { self.startOpening(id) }
        case .lend(let id, let waiter, let check):
            state.timers.removeValue(forKey: waiter)?.cancel()
            guard let opened = state.connections[id], let waiting = state.waiters.removeValue(forKey: waiter) else {
                preconditionFailure("the pool lent connection \(id) to waiter \(waiter), and one of them is unknown")
            }
            let lease = lend(id, opened, mustBeChecked: check)
            return { waiting.resume(returning: lease) }
        case .refuse(let waiter, let reason):
            state.timers.removeValue(forKey: waiter)?.cancel()
            let waiting = state.waiters.removeValue(forKey: waiter)
            let error = refusalError(reason, state.openError)
            return { waiting?.resume(throwing: error) }
        case .pause(let failures):
            let pause = Self.pauseMin.doubled(failures - 1, upTo: Self.pauseMax) * Double.random(in: 0.5...1)
            return {
                Task {
                    try? await Task.sleep(for: pause)
                    self.perform { $0.resume() }
                }
            }
        case .close(let id):
            let closed = state.connections.removeValue(forKey: id)
            watch.returned(id)
            return {
                Task {
                    await closed?.connection.close()
                    self.perform { $0.closed(id) }
                }
            }
        case .finish:
            state.isFinished = true
            let waiting = state.finished
            state.finished = []
            return { for continuation in waiting { continuation.resume() } }
        }
    }

    private func startOpening(_ id: PoolState.ConnectionID) {
        let connection = Connection(name: "\(name)-\(id)", open: open)
        Task {
            do {
                let traits = try await connection.connect()
                state.withLock { $0.connections[id] = OpenConnection(connection: connection, traits: traits) }
                let now = clock()
                perform { $0.opened(id, now: now, ageMax: traits.ageMax) }
            } catch {
                state.withLock { $0.openError = error as? DatabaseError }
                perform { $0.openFailed(id) }
            }
        }
    }

    private func refusalError(_ reason: PoolState.Refusal, _ openError: DatabaseError?) -> any Error {
        switch reason {
        case .cancelled: CancellationError()
        case .openFailed:
            openError ?? DatabaseError(.unavailable, message: "the connection could not be opened")
        case .queueFull: DatabaseError(.unavailable, message: "too many callers wait for a database connection")
        case .timedOut: DatabaseError(.unavailable, message: "no database connection became free in time")
        case .shutDown: DatabaseError(.unavailable, message: "the connection pool is shut down")
        }
    }
}
