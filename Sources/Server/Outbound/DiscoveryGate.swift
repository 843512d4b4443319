internal import Synchronization

/// Lets only so many discoveries run at once, and one for each origin; the others wait in the order they came.
final class DiscoveryGate: Sendable {
    /// Discoveries of one process at the same time.
    static let placesMax = 8

    private struct Waiter {
        let number: UInt64
        let origin: String
        let turn: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var running: Set<String> = []
        var waiting: [Waiter] = []
        var lastNumber: UInt64 = 0
    }

    private let places: Int
    private let state = Mutex(State())

    /// - Parameter places: How many may run at once, at least 1.
    init(places: Int = placesMax) {
        self.places = places
    }

    /// How many wait.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Waits for a place; ``leave(_:)`` gives it back.
    ///
    /// - Parameter origin: What may run once at a time.
    /// - Returns: Whether there is a place; not when the task is cancelled first.
    func enter(_ origin: String) async -> Bool {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let isIn: Bool? = state.withLock { state in
                    guard !Task.isCancelled else { return false }
                    guard !mayRun(origin, state) else {
                        state.running.insert(origin)
                        return true
                    }
                    state.waiting.append(Waiter(number: number, origin: origin, turn: turn))
                    return nil
                }
                if let isIn { turn.resume(returning: isIn) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
            }
            waiter?.turn.resume(returning: false)
        }
    }

    /// Gives a place back, and to the first who waits and can have it.
    func leave(_ origin: String) {
        let next = state.withLock { state -> Waiter? in
            state.running.remove(origin)
            guard let index = state.waiting.firstIndex(where: { mayRun($0.origin, state) }) else { return nil }
            let waiter = state.waiting.remove(at: index)
            state.running.insert(waiter.origin)
            return waiter
        }
        next?.turn.resume(returning: true)
    }

    private func mayRun(_ origin: String, _ state: State) -> Bool {
        state.running.count < places && !state.running.contains(origin)
    }
}
