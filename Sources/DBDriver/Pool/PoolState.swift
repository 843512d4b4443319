/// What a connection pool decides: a pure machine without sockets, threads or clocks. The shell (``ConnectionPool``) tells
/// it what happened, and carries out the actions it returns, in their order.
///
/// Waiters are served first come, first served. A connection is opened whenever somebody waits and fewer than `maximum`
/// are open or being opened; a few at a time only, and after one could not be opened not before a pause: a database that comes
/// back must not meet a crowd.
struct PoolState {
    typealias ConnectionID = Int
    typealias WaiterID = Int

    struct Limits {
        /// Connections at most.
        var connectionsMax: Int
        /// Connections that are opened at the same time at most.
        var openingMax = 4
        /// Callers that may wait at once.
        var waitersMax: Int
        /// An idle connection is asked for a sign of life before it is lent again after this long.
        var idleBeforeCheck: Duration
        /// A connection is replaced after this long, so that load spreads over servers that were added; nil for never.
        var ageMax: Duration?
    }

    enum Action: Equatable {
        /// Open a connection, then report ``opened`` or ``openFailed``.
        case open(ConnectionID)
        /// Lend the connection to the waiter; ping it first when `check` is set.
        case lend(ConnectionID, to: WaiterID, check: Bool)
        /// Tell the waiter that it gets no connection.
        case refuse(WaiterID, Refusal)
        /// Report ``resume`` after a pause: so many times in a row a connection could not be opened.
        case pause(failures: Int)
        /// Close the connection, then report ``closed``.
        case close(ConnectionID)
        /// The pool was shut down and its last connection is closed. Comes once.
        case finish
    }

    enum Refusal: Equatable {
        case queueFull
        case timedOut
        case cancelled
        case shutDown
        case openFailed
    }

    private struct Idle {
        let id: ConnectionID
        let since: Timestamp
        /// Whether another connection was lost since.
        var isDoubtful = false
    }

    private let limits: Limits
    private var nextID = 0
    private var waiting: [WaiterID] = []
    private var opening: Set<ConnectionID> = []
    /// When each open connection is too old.
    private var ends: [ConnectionID: Timestamp] = [:]
    private var failures = 0
    private var isPaused = false
    private var closing: Set<ConnectionID> = []
    /// Used like a stack: the connection used last is lent first, so that the others may grow old.
    private var idle: [Idle] = []
    private var isShutDown = false

    init(limits: Limits) {
        self.limits = limits
    }

    /// Open connections, lent or idle.
    var openCount: Int { ends.count }
    /// Open connections that nobody uses.
    var idleCount: Int { idle.count }
    /// Callers that wait.
    var waitingCount: Int { waiting.count }

    /// A caller wants a connection.
    mutating func lease(_ waiter: WaiterID, now: Timestamp) -> [Action] {
        guard !isShutDown else { return [.refuse(waiter, .shutDown)] }
        var actions: [Action] = []
        while waiting.isEmpty, let connection = idle.popLast() {
            guard !isTooOld(connection.id, now: now) else {
                actions.append(close(connection.id))
                continue
            }
            let check = connection.isDoubtful || connection.since + limits.idleBeforeCheck < now
            return actions + [.lend(connection.id, to: waiter, check: check)]
        }
        guard waiting.count < limits.waitersMax else { return actions + [.refuse(waiter, .queueFull)] }
        waiting.append(waiter)
        return actions + openForWaiters()
    }

    /// A caller wants a connection, and takes one only if it need neither wait for it nor have it checked.
    mutating func leaseAtOnce(now: Timestamp) -> ConnectionID? {
        guard !isShutDown, waiting.isEmpty, let connection = idle.last, !connection.isDoubtful,
            now <= connection.since + limits.idleBeforeCheck, !isTooOld(connection.id, now: now)
        else { return nil }
        return idle.removeLast().id
    }

    /// A caller waits no longer.
    mutating func withdraw(_ waiter: WaiterID, because reason: Refusal) -> [Action] {
        guard let index = waiting.firstIndex(of: waiter) else { return [] }
        waiting.remove(at: index)
        return [.refuse(waiter, reason)]
    }

    /// A connection was opened.
    ///
    /// - Parameters:
    ///   - connection: which.
    ///   - now: the time.
    ///   - ageMax: how long it is kept at most, when that is less than usual.
    /// - Returns: what to do.
    mutating func opened(_ connection: ConnectionID, now: Timestamp, ageMax: Duration? = nil) -> [Action] {
        opening.remove(connection)
        let age = [limits.ageMax, ageMax].compactMap { $0 }.min()
        ends[connection] = age.map { now + $0 } ?? Timestamp(microseconds: .max)
        (failures, isPaused) = (0, false)
        return hand(connection, now: now) + openForWaiters()
    }

    /// A connection could not be opened. Whoever waited longest learns why; for the others it is tried again after a pause.
    mutating func openFailed(_ connection: ConnectionID) -> [Action] {
        opening.remove(connection)
        var actions: [Action] = waiting.isEmpty ? [] : [.refuse(waiting.removeFirst(), .openFailed)]
        if !isPaused, !isShutDown {
            (failures, isPaused) = (failures + 1, true)
            actions.append(.pause(failures: failures))
        }
        return actions + finishIfDrained()
    }

    /// The pause is over.
    mutating func resume() -> [Action] {
        isPaused = false
        return openForWaiters()
    }

    /// The server of some connections does not answer: those of them that are idle are of no use.
    mutating func lost(_ connections: Set<ConnectionID>) -> [Action] {
        let dead = idle.filter { connections.contains($0.id) }
        idle.removeAll { connections.contains($0.id) }
        return dead.map { close($0.id) }
    }

    /// A caller gave a connection back. `isUsable` is false after an error that ends connections. What ended this one, such
    /// as a restart of the server, may have ended those that are idle too: each is checked before it is lent again.
    mutating func release(_ connection: ConnectionID, isUsable: Bool, now: Timestamp) -> [Action] {
        guard ends[connection] != nil else { return [] }
        if !isUsable {
            for index in idle.indices { idle[index].isDoubtful = true }
        }
        guard isUsable, !isTooOld(connection, now: now) else { return [close(connection)] + openForWaiters() }
        return hand(connection, now: now)
    }

    /// A connection turned out to be dead or hung when it was checked: the idle ones have most likely met the same fate, and
    /// asking each of them would take too long.
    mutating func checkFailed(_ connection: ConnectionID, now: Timestamp) -> [Action] {
        let suspects = idle.map { close($0.id) }
        idle = []
        return suspects + release(connection, isUsable: false, now: now)
    }

    /// A connection was closed.
    mutating func closed(_ connection: ConnectionID) -> [Action] {
        closing.remove(connection) == nil ? [] : finishIfDrained()
    }

    /// Refuses everybody who waits, closes what is idle, and the rest as it comes back.
    mutating func shutDown() -> [Action] {
        guard !isShutDown else { return [] }
        isShutDown = true
        let actions = waiting.map { Action.refuse($0, .shutDown) } + idle.map { close($0.id) }
        waiting = []
        idle = []
        return actions + finishIfDrained()
    }

    private func isTooOld(_ connection: ConnectionID, now: Timestamp) -> Bool {
        ends[connection].map { $0 < now } ?? false
    }

    private mutating func hand(_ connection: ConnectionID, now: Timestamp) -> [Action] {
        guard !isShutDown else { return [close(connection)] }
        guard waiting.isEmpty else { return [.lend(connection, to: waiting.removeFirst(), check: false)] }
        idle.append(Idle(id: connection, since: now))
        return []
    }

    private mutating func close(_ connection: ConnectionID) -> Action {
        ends[connection] = nil
        closing.insert(connection)
        return .close(connection)
    }

    /// Opens as many connections as there are waiters without one under way, within the limit.
    private mutating func openForWaiters() -> [Action] {
        var actions: [Action] = []
        while !isPaused, !isShutDown, opening.count < min(waiting.count, limits.openingMax),
            ends.count + opening.count < limits.connectionsMax
        {
            nextID += 1
            opening.insert(nextID)
            actions.append(.open(nextID))
        }
        return actions
    }

    private func finishIfDrained() -> [Action] {
        isShutDown && ends.isEmpty && opening.isEmpty && closing.isEmpty ? [.finish] : []
    }
}
