internal import ServiceLifecycle
internal import Synchronization

/// Runs work that must end by a limit, which the work itself may move on, and when the server shuts down.
///
/// Work that is interrupted is cancelled and still says how it ended, so it can tell what it was doing.
final class Watchdog: Sendable {
    /// Why work was cancelled.
    enum Cause: Sendable {
        case limit, shutdown
    }

    private enum Event<Value: Sendable>: Sendable {
        case done(Value)
        case cause(Cause)
        case nothing
    }

    /// When everything must be over.
    let deadline: ContinuousClock.Instant
    private let limit: Mutex<ContinuousClock.Instant>
    private let firstCause = Mutex<Cause?>(nil)

    /// A watchdog for one piece of work, which is limited by the deadline only at first.
    init(deadline: ContinuousClock.Instant) {
        self.deadline = deadline
        limit = Mutex(deadline)
    }

    /// Why the work was cancelled; `nil` when it was not, or by whoever wants its result.
    var cause: Cause? { firstCause.withLock { $0 } }

    /// Gives the work this long from now, or until the deadline.
    func restart(_ span: Duration) {
        limit.withLock { $0 = min(deadline, .now + span) }
    }

    /// Gives the work until the deadline.
    func release() {
        limit.withLock { $0 = deadline }
    }

    /// Runs `work` once and returns what it returns; it must end soon after it is cancelled.
    func watch<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) async -> Value? {
        await withTaskGroup(of: Event<Value>.self) { group in
            group.addTask { .done(await work()) }
            group.addTask { await self.limitReached() ? .cause(.limit) : .nothing }
            group.addTask {
                do {
                    try await gracefulShutdown()
                    return .cause(.shutdown)
                } catch {
                    return .nothing
                }
            }
            for await event in group {
                switch event {
                case .done(let value):
                    group.cancelAll()
                    return value
                case .cause(let cause):
                    firstCause.withLock { $0 = $0 ?? cause }
                    group.cancelAll()
                case .nothing:
                    break
                }
            }
            return nil
        }
    }

    /// Waits for the limit, wherever it has been moved to by then.
    ///
    /// - Returns: Whether it was reached.
    private func limitReached() async -> Bool {
        while true {
            let end = limit.withLock { $0 }
            do {
                try await Task.sleep(until: end)
            } catch {
                return false
            }
            if limit.withLock({ $0 <= .now }) { return true }
        }
    }
}
