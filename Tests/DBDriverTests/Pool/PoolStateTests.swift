import Testing

@testable import DBDriver

/// The decisions of the connection pool, event by event.
@Suite("Pool state")
struct PoolStateTests {
    static let start = Timestamp(microseconds: 0)

    static func pool(connections: Int = 2, waiters: Int = 3, ageMax: Duration? = .seconds(100)) -> PoolState {
        PoolState(
            limits: .init(
                connectionsMax: connections,
                waitersMax: waiters,
                idleBeforeCheck: .seconds(5),
                ageMax: ageMax
            )
        )
    }

    static func at(_ seconds: Int64) -> Timestamp {
        start + .seconds(seconds)
    }

    /// A pool with one connection, number 1, lent to waiter 1.
    static func lent(connections: Int = 1, waiters: Int = 3) -> PoolState {
        var pool = pool(connections: connections, waiters: waiters)
        #expect(pool.lease(1, now: start) == [.open(1)])
        #expect(pool.opened(1, now: start) == [.lend(1, to: 1, check: false)])
        return pool
    }

    @Test("the first caller makes a connection open, and it is lent again and again")
    func reuse() {
        var pool = Self.lent()
        #expect(pool.release(1, isUsable: true, now: Self.at(1)) == [])
        #expect(pool.idleCount == 1)
        #expect(pool.lease(2, now: Self.at(2)) == [.lend(1, to: 2, check: false)])
        #expect(pool.idleCount == 0)
        #expect(pool.openCount == 1)
    }

    @Test("waiters are served first come, first served")
    func fifo() {
        var pool = Self.lent()
        for waiter in 2...4 { #expect(pool.lease(waiter, now: Self.start) == []) }
        for waiter in 2...4 {
            #expect(pool.release(1, isUsable: true, now: Self.start) == [.lend(1, to: waiter, check: false)])
        }
    }

    @Test("no more connections are opened than allowed, nor than there are callers")
    func connectionLimit() {
        var pool = Self.pool(connections: 2, waiters: 9)
        #expect(pool.lease(1, now: Self.start) == [.open(1)])
        #expect(pool.lease(2, now: Self.start) == [.open(2)])
        #expect(pool.lease(3, now: Self.start) == [])
        #expect(pool.opened(1, now: Self.start) == [.lend(1, to: 1, check: false)])
        #expect(pool.opened(2, now: Self.start) == [.lend(2, to: 2, check: false)])
        #expect(pool.lease(4, now: Self.start) == [])
        #expect(pool.openCount == 2)
    }

    @Test("a full queue turns the next caller away at once")
    func queueFull() {
        var pool = Self.lent(waiters: 2)
        for waiter in 2...3 { #expect(pool.lease(waiter, now: Self.start) == []) }
        #expect(pool.lease(4, now: Self.start) == [.refuse(4, .queueFull)])
        #expect(pool.waitingCount == 2)
    }

    @Test(
        "a caller that gives up loses its place, and only its own",
        arguments: [PoolState.Refusal.cancelled, .timedOut]
    )
    func withdraw(reason: PoolState.Refusal) {
        var pool = Self.lent()
        for waiter in 2...3 { #expect(pool.lease(waiter, now: Self.start) == []) }
        #expect(pool.withdraw(2, because: reason) == [.refuse(2, reason)])
        #expect(pool.withdraw(2, because: reason) == [], "it is refused once")
        #expect(pool.withdraw(1, because: reason) == [], "it has a connection already")
        #expect(pool.release(1, isUsable: true, now: Self.start) == [.lend(1, to: 3, check: false)])
    }

    @Test("a connection whose caller gave up meanwhile is kept idle")
    func openedForNobody() {
        var pool = Self.pool()
        #expect(pool.lease(1, now: Self.start) == [.open(1)])
        #expect(pool.withdraw(1, because: .timedOut) == [.refuse(1, .timedOut)])
        #expect(pool.opened(1, now: Self.start) == [])
        #expect(pool.lease(2, now: Self.start) == [.lend(1, to: 2, check: false)])
    }

    @Test(
        "when a connection can't be opened, the one who waited longest learns why; for the next it is tried after a pause"
    )
    func openFailed() {
        var pool = Self.pool(connections: 1)
        #expect(pool.lease(1, now: Self.start) == [.open(1)])
        #expect(pool.lease(2, now: Self.start) == [])
        #expect(pool.openFailed(1) == [.refuse(1, .openFailed), .pause(failures: 1)])
        #expect(pool.lease(3, now: Self.start) == [], "nothing is opened during the pause")
        #expect(pool.resume() == [.open(2)])
        #expect(pool.openFailed(2) == [.refuse(2, .openFailed), .pause(failures: 2)])
        #expect(pool.resume() == [.open(3)])
        #expect(pool.opened(3, now: Self.start) == [.lend(3, to: 3, check: false)])
        #expect(pool.release(3, isUsable: false, now: Self.start) == [.close(3)])
        #expect(pool.lease(4, now: Self.start) == [.open(4)])
        #expect(
            pool.openFailed(4) == [.refuse(4, .openFailed), .pause(failures: 1)],
            "a success ends the row of failures"
        )
    }

    @Test("a database that comes back meets no crowd: connections are opened a few at a time")
    func storm() {
        var pool = Self.pool(connections: 64, waiters: 1_000)
        let opened = (1...1_000).flatMap { pool.lease($0, now: Self.start) }
        #expect(opened == [.open(1), .open(2), .open(3), .open(4)])
        var failures: [PoolState.Action] = []
        for id in 1...4 { failures += pool.openFailed(id) }
        #expect(failures.filter { $0 == .pause(failures: 1) }.count == 1)
        #expect(pool.resume().count == 4)
        #expect(pool.opened(5, now: Self.start) == [.lend(5, to: 5, check: false), .open(9)])
    }

    @Test("a connection with a limit of its own is replaced when that is over")
    func ownAge() {
        var pool = Self.pool()
        #expect(pool.lease(1, now: Self.start) == [.open(1)])
        #expect(pool.opened(1, now: Self.start, ageMax: .seconds(2)) == [.lend(1, to: 1, check: false)])
        #expect(pool.release(1, isUsable: true, now: Self.at(1)) == [])
        #expect(pool.lease(2, now: Self.at(1)) == [.lend(1, to: 2, check: false)])
        #expect(pool.release(1, isUsable: true, now: Self.at(3)) == [.close(1)])
    }

    @Test("when a server is lost, its idle connections are closed and those in use are left to their callers")
    func lostServer() {
        var pool = Self.lent(connections: 2)
        #expect(pool.lease(2, now: Self.start) == [.open(2)])
        #expect(pool.opened(2, now: Self.start) == [.lend(2, to: 2, check: false)])
        #expect(pool.release(1, isUsable: true, now: Self.start) == [])
        #expect(pool.lost([1, 2]) == [.close(1)])
        #expect(pool.release(2, isUsable: false, now: Self.start) == [.close(2)])
    }

    @Test("an open that fails when nobody waits any longer has no consequence")
    func openFailedForNobody() {
        var pool = Self.pool()
        #expect(pool.lease(1, now: Self.start) == [.open(1)])
        #expect(pool.withdraw(1, because: .cancelled) == [.refuse(1, .cancelled)])
        #expect(pool.openFailed(1) == [.pause(failures: 1)])
        #expect(pool.openCount == 0)
    }

    @Test("an unusable connection is closed, and another opened for whoever waits")
    func unusable() {
        var pool = Self.lent()
        #expect(pool.lease(2, now: Self.start) == [])
        #expect(pool.release(1, isUsable: false, now: Self.start) == [.close(1), .open(2)])
        #expect(pool.opened(2, now: Self.start) == [.lend(2, to: 2, check: false)])
    }

    @Test("after a connection was lost, the idle ones are checked before they are lent")
    func doubt() {
        var pool = Self.lent(connections: 2)
        #expect(pool.lease(2, now: Self.start) == [.open(2)])
        #expect(pool.opened(2, now: Self.start) == [.lend(2, to: 2, check: false)])
        #expect(pool.release(1, isUsable: true, now: Self.start) == [])
        #expect(pool.release(2, isUsable: false, now: Self.start) == [.close(2)])
        #expect(pool.lease(3, now: Self.start) == [.lend(1, to: 3, check: true)])
        #expect(pool.release(1, isUsable: true, now: Self.start) == [])
        #expect(pool.lease(4, now: Self.start) == [.lend(1, to: 4, check: false)], "one check is enough")
    }

    @Test(
        "a connection is checked after it was idle for longer than the limit, not before",
        arguments: [(5, false), (6, true)]
    )
    func idleCheck(seconds: Int64, check: Bool) {
        var pool = Self.lent()
        #expect(pool.release(1, isUsable: true, now: Self.start) == [])
        #expect(pool.lease(2, now: Self.at(seconds)) == [.lend(1, to: 2, check: check)])
    }

    @Test("a connection past its age is replaced when it comes back")
    func ageMax() {
        var pool = Self.lent()
        #expect(pool.release(1, isUsable: true, now: Self.at(100)) == [], "just young enough")
        #expect(pool.lease(2, now: Self.at(100)) == [.lend(1, to: 2, check: false)])
        #expect(pool.lease(3, now: Self.at(100)) == [])
        #expect(pool.release(1, isUsable: true, now: Self.at(101)) == [.close(1), .open(2)])
    }

    @Test("without a limit no connection is too old")
    func noAgeMax() {
        var pool = Self.pool(ageMax: nil)
        #expect(pool.lease(1, now: Self.start) == [.open(1)])
        #expect(pool.opened(1, now: Self.start) == [.lend(1, to: 1, check: false)])
        #expect(pool.release(1, isUsable: true, now: Self.at(1_000_000)) == [])
    }

    @Test("a connection that is given back twice is not lent twice")
    func doubleRelease() {
        var pool = Self.lent()
        #expect(pool.release(1, isUsable: false, now: Self.start) == [.close(1)])
        #expect(pool.release(1, isUsable: true, now: Self.start) == [])
        #expect(pool.idleCount == 0)
    }

    @Test("an empty pool is shut down at once, and stays so")
    func shutDownEmpty() {
        var pool = Self.pool()
        #expect(pool.shutDown() == [.finish])
        #expect(pool.shutDown() == [])
        #expect(pool.lease(1, now: Self.start) == [.refuse(1, .shutDown)])
    }

    @Test("shutdown closes idle connections and finishes when they are closed")
    func shutDownIdle() {
        var pool = Self.lent()
        #expect(pool.release(1, isUsable: true, now: Self.start) == [])
        #expect(pool.shutDown() == [.close(1)])
        #expect(pool.closed(1) == [.finish])
        #expect(pool.closed(1) == [])
    }

    @Test("shutdown refuses whoever waits, and waits for the connections that are lent")
    func shutDownLent() {
        var pool = Self.lent()
        #expect(pool.lease(2, now: Self.start) == [])
        #expect(pool.shutDown() == [.refuse(2, .shutDown)])
        #expect(pool.release(1, isUsable: true, now: Self.start) == [.close(1)])
        #expect(pool.closed(1) == [.finish])
    }

    @Test("shutdown waits for connections being opened, and closes them")
    func shutDownOpening() {
        var pool = Self.pool()
        for waiter in 1...2 { #expect(pool.lease(waiter, now: Self.start) == [.open(waiter)]) }
        #expect(pool.shutDown() == [.refuse(1, .shutDown), .refuse(2, .shutDown)])
        #expect(pool.opened(1, now: Self.start) == [.close(1)])
        #expect(pool.closed(1) == [])
        #expect(pool.openFailed(2) == [.finish])
    }

    @Test("shutdown waits for a connection that was being closed already")
    func shutDownClosing() {
        var pool = Self.lent()
        #expect(pool.release(1, isUsable: false, now: Self.start) == [.close(1)])
        #expect(pool.shutDown() == [])
        #expect(pool.closed(1) == [.finish])
    }
}
