internal import DBDriver
internal import Synchronization

/// Does together what callers ask for at the same time: while as many batches are under way as may be, the next gathers. What a caller
/// asks for is never begun before it asked, so it sees everything that was acknowledged before.
///
/// There is no task behind it: the first caller of a batch does the work of all. When it goes, or its time is over, before the work
/// is done, the others do it anew; work that can't be done twice is not to depend on its caller, and is told so.
public final class Batcher<Item: Sendable, Value: Sendable>: Sendable {
    /// Does the work of a batch.
    ///
    /// - Returns: a value for each item, in their order.
    public typealias Work = @Sendable ([Item]) async throws(RegistryError) -> [Value]

    private struct Waiter: Sendable {
        let item: Item
        let continuation: CheckedContinuation<Turn, Never>
    }

    /// What a caller that has waited is told.
    private enum Turn: Sendable {
        /// Its value, or why there is none.
        case done(Result<Value, RegistryError>)
        /// To do the work of a batch, of which it is the first.
        case lead([Waiter])
        /// That whoever did the work has gone before it was done.
        case again
    }

    private struct State {
        var waiting: [Waiter] = []
        var running = 0
    }

    /// Work that is tried again gives up so long before its deadline at most.
    private static var lastMoment: Duration { .milliseconds(250) }

    private let sizeMax: Int
    private let concurrency: Int
    private let isRepeatable: Bool
    private let work: Work
    private let state = Mutex(State())

    /// - Parameters:
    ///   - sizeMax: the most items of a batch.
    ///   - concurrency: how many batches may be under way at once.
    ///   - isRepeatable: whether the work may be done again for those whose first caller has gone meanwhile.
    ///   - work: does a batch. What it throws, all callers of the batch get.
    public init(sizeMax: Int, concurrency: Int = 1, isRepeatable: Bool = true, work: @escaping Work) {
        self.sizeMax = sizeMax
        self.concurrency = concurrency
        self.isRepeatable = isRepeatable
        self.work = work
    }

    /// Waits for the value of an item.
    ///
    /// - Throws: what the work of its batch throws
    public func value(of item: Item) async throws(RegistryError) -> Value {
        var isFirst = false
        while true {
            switch await turn(item, isFirst) {
            case .done(let result): return try result.get()
            case .lead(let others): return try await lead(item, others)
            case .again where Task.isCancelled: throw RegistryError(.unavailable, "the request was cancelled")
            case .again: isFirst = true
            }
        }
    }

    /// Callers whose batch has not begun.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Begins if there is room for a batch more, else waits: before all others if it has waited already.
    private func turn(_ item: Item, _ isFirst: Bool) async -> Turn {
        let begins = state.withLock { state in
            guard state.running < concurrency, state.waiting.isEmpty else { return false }
            state.running += 1
            return true
        }
        if begins {
            // Those who ask at the same moment, and find all batches under way, come along.
            await Task.yield()
            return .lead(state.withLock { others(&$0) })
        }
        return await withCheckedContinuation { continuation in
            let leader = state.withLock { state -> (Waiter, [Waiter])? in
                let place = isFirst ? state.waiting.startIndex : state.waiting.endIndex
                state.waiting.insert(Waiter(item: item, continuation: continuation), at: place)
                return next(&state)
            }
            if let (first, others) = leader { first.continuation.resume(returning: .lead(others)) }
        }
    }

    /// Those whose turn it is, if there is room for a batch more: who does the work, and the others.
    private func next(_ state: inout State) -> (Waiter, [Waiter])? {
        guard state.running < concurrency, let first = state.waiting.first else { return nil }
        state.running += 1
        state.waiting.removeFirst()
        return (first, others(&state))
    }

    /// As many of those who wait as have room in the batch of another.
    private func others(_ state: inout State) -> [Waiter] {
        let others = Array(state.waiting.prefix(sizeMax - 1))
        state.waiting.removeFirst(others.count)
        return others
    }

    /// Does the work of a batch.
    private func lead(_ item: Item, _ others: [Waiter]) async throws(RegistryError) -> Value {
        let result: Result<[Value], RegistryError>
        do throws(RegistryError) {
            result = .success(try await work([item] + others.map(\.item)))
        } catch {
            result = .failure(error)
        }
        let following = state.withLock { state in
            state.running -= 1
            return next(&state)
        }
        if let (first, rest) = following { first.continuation.resume(returning: .lead(rest)) }
        // What was cut short since this caller has gone, or has no time left, is nothing to the others.
        let isCutShort = Task.isCancelled || RequestDeadline.current.map { $0 <= .now + Self.lastMoment } ?? false
        if case .failure = result, isRepeatable, isCutShort {
            for other in others { other.continuation.resume(returning: .again) }
        } else {
            for (position, other) in others.enumerated() {
                other.continuation.resume(returning: .done(result.map { $0[position + 1] }))
            }
        }
        return try result.get()[0]
    }
}

extension Batcher where Item == Void {
    /// Lets callers share one read: each gets the value of one that began after it asked.
    ///
    /// - Parameter read: reads what all of them get.
    public convenience init(sharing read: @escaping @Sendable () async throws(RegistryError) -> Value) {
        // Two: when one waits for a server that hangs, the others need not.
        self.init(sizeMax: .max, concurrency: 2) { items throws(RegistryError) in
            Array(repeating: try await read(), count: items.count)
        }
    }
}

extension Array {
    /// The same with its last element repeated, until the count is a power of two: so statements for many items have few
    /// different texts, each of which has to be prepared once.
    var filledUp: [Element] {
        guard let last else { return [] }
        let wanted = 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
        return count == 1 ? self : self + Array(repeating: last, count: wanted - count)
    }
}
