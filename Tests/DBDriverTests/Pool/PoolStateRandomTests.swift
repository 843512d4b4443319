import Testing

@testable import DBDriver

/// Whatever happens in whatever order, the pool keeps its promises.
@Suite("Pool state under random events")
struct PoolStateRandomTests {
    /// SplitMix64 (https://prng.di.unimi.it/splitmix64.c): the same events for the same seed.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    /// What the shell knows, and what it may never see.
    struct Shell {
        var pool: PoolState
        let connectionsMax: Int
        let waitersMax: Int
        var now = Timestamp(microseconds: 0)
        var waiting: [Int] = []
        var opening: Set<Int> = []
        var idle: Set<Int> = []
        var lent: Set<Int> = []
        var closing: Set<Int> = []
        var seen: Set<Int> = []
        var lastWaiter = 0
        var isPaused = false
        var isShutDown = false
        var finishes = 0

        mutating func carryOut(_ actions: [PoolState.Action]) {
            for action in actions {
                switch action {
                case .open(let id):
                    #expect(seen.insert(id).inserted, "connection \(id) is opened twice")
                    #expect(!isShutDown, "connection \(id) is opened after shutdown")
                    opening.insert(id)
                case .lend(let id, let waiter, _):
                    #expect(idle.remove(id) != nil, "connection \(id) is lent, but not free")
                    lent.insert(id)
                    #expect(waiting.first == waiter, "\(waiter) is served out of turn")
                    waiting.removeAll { $0 == waiter }
                case .refuse(let waiter, let reason):
                    #expect(waiting.contains(waiter), "\(waiter) is answered twice")
                    waiting.removeAll { $0 == waiter }
                    #expect(reason != .queueFull || waiting.count >= waitersMax)
                    #expect((reason == .shutDown) == isShutDown)
                case .close(let id):
                    #expect(idle.remove(id) != nil, "connection \(id) is closed in use")
                    closing.insert(id)
                case .pause:
                    #expect(!isPaused, "it pauses while it pauses")
                    isPaused = true
                case .finish:
                    #expect(isShutDown && opening.isEmpty && idle.isEmpty && lent.isEmpty && closing.isEmpty)
                    finishes += 1
                }
                #expect(opening.count + idle.count + lent.count <= connectionsMax)
            }
            #expect(pool.openCount == idle.count + lent.count)
            #expect(pool.idleCount == idle.count)
            #expect(pool.waitingCount == waiting.count)
            #expect(waiting.isEmpty || idle.isEmpty, "somebody waits although a connection is free")
        }

        /// A caller comes.
        mutating func lease() {
            lastWaiter += 1
            waiting.append(lastWaiter)
            carryOut(pool.lease(lastWaiter, now: now))
        }

        mutating func finishOpening(_ id: Int, succeeds: Bool) {
            opening.remove(id)
            if succeeds { idle.insert(id) }
            if succeeds { isPaused = false }
            carryOut(succeeds ? pool.opened(id, now: now) : pool.openFailed(id))
        }

        mutating func release(_ id: Int, isUsable: Bool) {
            lent.remove(id)
            idle.insert(id)
            carryOut(pool.release(id, isUsable: isUsable, now: now))
        }

        mutating func finishClosing(_ id: Int) {
            closing.remove(id)
            carryOut(pool.closed(id))
        }

        mutating func shutDown() {
            isShutDown = true
            carryOut(pool.shutDown())
        }

        /// One event out of those that may happen now.
        mutating func step(_ random: inout Generator) {
            now = now + .seconds(Int64.random(in: 0...3, using: &random))
            switch Int.random(in: 0..<12, using: &random) {
            case 0...3: lease()
            case 10:
                isPaused = false
                carryOut(pool.resume())
            case 11:
                let some = Set((idle.union(lent)).sorted().filter { $0 % 2 == 0 })
                carryOut(pool.lost(some))
            case 4:
                guard let waiter = waiting.randomElement(using: &random) else { return }
                carryOut(pool.withdraw(waiter, because: .cancelled))
            case 5...6:
                guard let id = opening.sorted().randomElement(using: &random) else { return }
                finishOpening(id, succeeds: Int.random(in: 0..<4, using: &random) > 0)
            case 7...8:
                guard let id = lent.sorted().randomElement(using: &random) else { return }
                release(id, isUsable: Int.random(in: 0..<5, using: &random) > 0)
            default:
                guard let id = closing.sorted().randomElement(using: &random) else { return }
                finishClosing(id)
            }
        }

        /// Everything under way comes to its end.
        mutating func drain() {
            while let id = opening.first { finishOpening(id, succeeds: id % 2 == 0) }
            while let id = lent.first { release(id, isUsable: id % 2 == 0) }
            while let id = closing.first { finishClosing(id) }
        }
    }

    @Test(
        "limits hold, every caller gets one answer in turn, and the end comes once",
        arguments: 0..<200 as Range<UInt64>
    )
    func randomEvents(seed: UInt64) {
        var random = Generator(state: seed)
        let connections = Int.random(in: 1...5, using: &random)
        let waiters = Int.random(in: 1...8, using: &random)
        let limits = PoolState.Limits(
            connectionsMax: connections,
            waitersMax: waiters,
            idleBeforeCheck: .seconds(5),
            ageMax: Bool.random(using: &random) ? .seconds(60) : nil
        )
        var shell = Shell(pool: PoolState(limits: limits), connectionsMax: connections, waitersMax: waiters)
        for _ in 0..<300 { shell.step(&random) }
        shell.shutDown()
        for _ in 0..<20 { shell.step(&random) }
        shell.drain()
        #expect(shell.waiting.isEmpty, "nobody waits for ever")
        #expect(shell.finishes == 1)
    }
}
