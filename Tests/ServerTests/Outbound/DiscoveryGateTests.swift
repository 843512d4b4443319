import Synchronization
import TestSupport
import Testing

@testable import Server

@Suite("Turns of discoveries", .timeLimit(.minutes(10)))
struct DiscoveryGateTests {
    @Test("only so many are let in, the others in the order they came")
    func places() async throws {
        let gate = DiscoveryGate(places: 2)
        #expect(await gate.enter("a"))
        #expect(await gate.enter("b"))
        let (order, next) = AsyncStream.makeStream(of: String.self)
        for (index, origin) in ["c", "d", "e"].enumerated() {
            Task { if await gate.enter(origin) { next.yield(origin) } }
            try await until { gate.waitingCount == index + 1 }
        }
        var arrivals = order.makeAsyncIterator()
        gate.leave("b")
        #expect(await arrivals.next() == "c")
        gate.leave("a")
        #expect(await arrivals.next() == "d")
        #expect(gate.waitingCount == 1)
        gate.leave("c")
        #expect(await arrivals.next() == "e")
    }

    @Test("an origin is let in once at a time, and does not hold up those behind it")
    func origins() async throws {
        let gate = DiscoveryGate(places: 3)
        #expect(await gate.enter("a"))
        let second = Task { await gate.enter("a") }
        try await until { gate.waitingCount == 1 }
        #expect(await gate.enter("b"))
        #expect(gate.waitingCount == 1)
        gate.leave("b")
        #expect(gate.waitingCount == 1)
        gate.leave("a")
        #expect(await second.value)
    }

    @Test("who is cancelled while waiting gets no place and takes none")
    func cancellation() async throws {
        let gate = DiscoveryGate(places: 1)
        #expect(await gate.enter("a"))
        let waiter = Task { await gate.enter("b") }
        try await until { gate.waitingCount == 1 }
        waiter.cancel()
        #expect(await waiter.value == false)
        #expect(gate.waitingCount == 0)
        let late = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return await gate.enter("c")
        }
        #expect(await late.value == false)
        gate.leave("a")
        #expect(await gate.enter("a"))
    }

    @Test("many at once never share an origin nor exceed the places")
    func crowd() async {
        let gate = DiscoveryGate(places: 4)
        let tally = Counter()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<400 {
                group.addTask {
                    let origin = "\(number % 7)"
                    guard await gate.enter(origin) else { return }
                    tally.enter(origin)
                    await Task.yield()
                    tally.leave(origin)
                    gate.leave(origin)
                }
            }
        }
        #expect(tally.summary == Counter.Summary(total: 400, most: 4, hasShared: false))
    }
}

/// Watches who is inside.
private final class Counter: Sendable {
    struct Summary: Equatable, Sendable {
        var total = 0
        var most = 0
        var hasShared = false
    }

    private let state = Mutex((inside: Set<String>(), summary: Summary()))

    var summary: Summary { state.withLock { $0.summary } }

    func enter(_ origin: String) {
        state.withLock { state in
            state.summary.total += 1
            if !state.inside.insert(origin).inserted { state.summary.hasShared = true }
            state.summary.most = max(state.summary.most, state.inside.count)
        }
    }

    func leave(_ origin: String) {
        state.withLock { _ = $0.inside.remove(origin) }
    }
}
