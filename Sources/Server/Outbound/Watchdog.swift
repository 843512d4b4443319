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
    private let firstCause = Mutex<Cause?>(nil)
    private let timer = Mutex<Task<Void, Never>?>(nil)
    private let limits = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// A watchdog for one piece of work, which is limited by the deadline only at first.
    init(deadline: ContinuousClock.Instant) {
        self.deadline = deadline
        release()
    }

    deinit {
        timer.withLock { $0?.cancel() }
    }

    /// Why the work was cancelled; `nil` when it was not, or by whoever wants its result.
    var cause: Cause? { firstCause.withLock { $0 } }

    /// Gives the work this long from now, or until the deadline.
    func restart(_ span: Duration) {
        setTimer(min(deadline, .now + span))
    }

    /// Gives the work until the deadline.
    func release() {
        setTimer(deadline)
    }

    private func setTimer(_ end: ContinuousClock.Instant) {
        let next = Task { [limit = limits.continuation] in
            do {
                try await Task.sleep(until: end)
                limit.yield()
            } catch {
                // Another limit holds by now, or the work is done.
            }
        }
        timer.withLock { timer in
            timer?.cancel()
            timer = next
        }
    }

    /// Runs `work` once and returns what it returns; it must end soon after it is cancelled.
    func watch<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) async -> Value? {
        await withTaskGroup(of: Event<Value>.self) { group in
            group.addTask { .done(await work()) }
            group.addTask { await self.limits.stream.first { _ in true } == nil ? .nothing : .cause(.limit) }
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
}
