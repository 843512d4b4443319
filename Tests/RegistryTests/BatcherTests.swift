import DBDriver
import Synchronization
import TestSupport
import Testing

@testable import Registry

@Suite("Batches")
struct BatcherTests {
    /// What a batcher under test was given to do, batch by batch; each batch waits at its gate.
    private final class Work: Sendable {
        private let state = Mutex<(batches: [[Int]], gates: [Gate])>(([], []))

        var batches: [[Int]] { state.withLock { $0.batches } }

        func perform(_ items: [Int]) async {
            let gate = Gate()
            state.withLock { state in
                state.batches.append(items)
                state.gates.append(gate)
            }
            await gate.wait()
        }

        func open(_ batch: Int) {
            state.withLock { $0.gates[batch] }.open()
        }
    }

    @Test("what is asked for while a batch is under way is done together after it, and never by it")
    func gathering() async throws {
        let work = Work()
        let batcher = Batcher<Int, Int>(sizeMax: 10) { items throws(RegistryError) in
            await work.perform(items)
            return items.map { $0 * 2 }
        }
        let first = Task { try await batcher.value(of: 1) }
        try await until { work.batches == [[1]] }
        let later = (2...4).map { number in Task { try await batcher.value(of: number) } }
        try await until { batcher.waitingCount == 3 }
        #expect(work.batches == [[1]])
        work.open(0)
        #expect(try await first.value == 2)
        try await until { work.batches.count == 2 }
        work.open(1)
        var values: [Int] = []
        for task in later { values.append(try await task.value) }
        #expect(values == [4, 6, 8])
        #expect(work.batches.map { $0.sorted() } == [[1], [2, 3, 4]])
    }

    @Test("a batch takes no more than it may, and as many run as may")
    func limits() async throws {
        let work = Work()
        let batcher = Batcher<Int, Int>(sizeMax: 2, concurrency: 2) { items throws(RegistryError) in
            await work.perform(items)
            return items
        }
        let tasks = (1...7).map { number in Task { try await batcher.value(of: number) } }
        try await until { work.batches.count == 2 }
        for _ in 0..<100 { await Task.yield() }
        #expect(work.batches.count == 2)
        var opened = 0
        while work.batches.flatMap({ $0 }).count < 7 || opened < work.batches.count {
            if opened < work.batches.count {
                work.open(opened)
                opened += 1
            }
            await Task.yield()
        }
        for task in tasks { _ = try await task.value }
        #expect(work.batches.allSatisfy { $0.count <= 2 })
        #expect(work.batches.flatMap { $0 }.sorted() == Array(1...7))
    }

    @Test("everybody in a batch that failed is told why, and the next batch is a new one")
    func failure() async throws {
        let fails = Mutex(true)
        let batcher = Batcher<Int, Int>(sizeMax: 10) { items throws(RegistryError) in
            if fails.withLock({ $0 }) { throw RegistryError(.unavailable, "away") }
            return items
        }
        await #expect(throws: RegistryError.self) { try await batcher.value(of: 1) }
        fails.withLock { $0 = false }
        #expect(try await batcher.value(of: 2) == 2)
    }

    @Test("a caller that goes takes nothing from the others: one of them does the work anew")
    func cancellation() async throws {
        let work = Work()
        let batcher = Batcher<Int, Int>(sizeMax: 10) { items throws(RegistryError) in
            await work.perform(items)
            if Task.isCancelled { throw RegistryError(.unavailable, "the request was cancelled") }
            return items
        }
        let blocking = Task { try await batcher.value(of: 0) }
        try await until { work.batches.count == 1 }
        let first = Task { try await batcher.value(of: 1) }
        // It is the first to wait, so it will do the work of those behind.
        try await until { batcher.waitingCount == 1 }
        let others = (2...3).map { number in Task { try await batcher.value(of: number) } }
        try await until { batcher.waitingCount == 3 }
        work.open(0)
        #expect(try await blocking.value == 0)
        try await until { work.batches.count == 2 }
        #expect(work.batches[1].sorted() == [1, 2, 3])
        first.cancel()
        work.open(1)
        await #expect(throws: RegistryError.self) { try await first.value }
        var opened = 2
        while Set(work.batches.dropFirst(2).flatMap { $0 }) != [2, 3] || opened < work.batches.count {
            if opened < work.batches.count {
                work.open(opened)
                opened += 1
            }
            await Task.yield()
        }
        for (task, number) in zip(others, 2...3) { #expect(try await task.value == number) }
    }

    @MainActor
    @Test("those who ask at the same moment come along with the first, as many as have room", arguments: [2, 10])
    func gathering(sizeMax: Int) async throws {
        let batches = Mutex<[[Int]]>([])
        let batcher = Batcher<Int, Int>(sizeMax: sizeMax) { items throws(RegistryError) in
            batches.withLock { $0.append(items) }
            return items
        }
        let tasks = (0..<5).map { number in Task { @MainActor in try await batcher.value(of: number) } }
        for (number, task) in tasks.enumerated() { #expect(try await task.value == number) }
        #expect(batches.withLock { $0 } == (sizeMax == 2 ? [[0, 1], [2, 3], [4]] : [[0, 1, 2, 3, 4]]))
    }

    @MainActor
    @Test("one that goes while it gathers the others takes nothing from them")
    func cancellationMeanwhile() async throws {
        let batches = Mutex<[[Int]]>([])
        let batcher = Batcher<Int, Int>(sizeMax: 10) { items throws(RegistryError) in
            batches.withLock { $0.append(items) }
            if Task.isCancelled { throw RegistryError(.unavailable, "the request was cancelled") }
            return items
        }
        let tasks = (0..<3).map { number in Task { @MainActor in try await batcher.value(of: number) } }
        tasks[0].cancel()
        await #expect(throws: RegistryError.self) { try await tasks[0].value }
        for (number, task) in tasks.enumerated().dropFirst() { #expect(try await task.value == number) }
        #expect(batches.withLock { $0 }.first == [0, 1, 2])
        #expect(batches.withLock { $0.dropFirst().flatMap { $0 }.sorted() } == [1, 2])
    }

    @Test("a shared read is one that began after everybody had asked")
    func sharing() async throws {
        let (reads, gate) = (Tally(), Gate())
        let batcher = Batcher<Void, Int> { () async throws(RegistryError) in
            reads.add()
            let number = reads.count
            if number == 1 { await gate.wait() }
            return number
        }
        let first = Task { try await batcher.value(of: ()) }
        try await until { reads.count == 1 }
        let later = (0..<5).map { _ in Task { try await batcher.value(of: ()) } }
        gate.open()
        #expect(try await first.value == 1)
        for task in later { #expect(try await task.value > 1) }
    }
}
