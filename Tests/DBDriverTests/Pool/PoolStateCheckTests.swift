import Testing

@testable import DBDriver

@Suite("Pool state: failed checks")
struct PoolStateCheckTests {
    private let now = Timestamp(microseconds: 0)

    @Test("after a failed check the idle connections are closed unasked, and a new one is opened for who waits")
    func suspects() {
        var pool = PoolState(
            limits: .init(connectionsMax: 3, waitersMax: 10, idleBeforeCheck: .seconds(5), ageMax: nil)
        )
        for waiter in 1...3 { _ = pool.lease(waiter, now: now) }
        for id in 1...3 { _ = pool.opened(id, now: now) }
        for id in 1...3 { _ = pool.release(id, isUsable: true, now: now) }
        let later = now + .seconds(60)
        #expect(pool.lease(4, now: later) == [.lend(3, to: 4, check: true)])
        #expect(pool.checkFailed(3, now: later) == [.close(1), .close(2), .close(3)])
        #expect(pool.openCount == 0)
        #expect(pool.lease(5, now: later) == [.open(4)])
    }
}
