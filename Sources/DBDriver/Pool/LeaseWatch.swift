internal import Synchronization

/// Notices when a database server has stopped answering while connections to it are in use. Without it each would wait for
/// its read time-out, which has to be long enough for slow statements.
///
/// A server whose connection has been in use for longer than ``patience`` is asked for a sign of life over a new connection. If
/// there is none, all connections to it are given up at once.
final class LeaseWatch: Sendable {
    /// How long a connection is in use before its server is asked: 2 s. It is asked again as often.
    static let patience = Duration.seconds(2)
    private static let pause = Duration.milliseconds(500)

    private struct Lease {
        var since: ContinuousClock.Instant
        let probe: HostProbe
        var end: ContinuousClock.Instant?
        var whenOver: (@Sendable () -> Void)?
    }

    private struct State {
        var leases: [PoolState.ConnectionID: Lease] = [:]
        var isWatching = false
        var lost: (@Sendable (_ host: Int) -> Void)?
    }

    private let state = Mutex(State())

    /// Calls a closure with the place of each server that does not answer.
    func whenLost(_ lost: @escaping @Sendable (_ host: Int) -> Void) {
        state.withLock { $0.lost = lost }
    }

    /// A connection is in use now.
    func lent(_ id: PoolState.ConnectionID, _ probe: HostProbe) {
        let begins = state.withLock { state in
            state.leases[id] = Lease(since: .now, probe: probe)
            defer { state.isWatching = true }
            return !state.isWatching
        }
        if begins { Task { await self.watch() } }
    }

    /// A connection in use is to be interrupted at a moment, give or take half a second.
    func limit(
        _ id: PoolState.ConnectionID,
        _ end: ContinuousClock.Instant,
        whenOver: @escaping @Sendable () -> Void
    ) {
        state.withLock { state in
            state.leases[id]?.end = end
            state.leases[id]?.whenOver = whenOver
        }
    }

    /// A connection is in use no longer.
    func returned(_ id: PoolState.ConnectionID) {
        state.withLock { _ = $0.leases.removeValue(forKey: id) }
    }

    /// Watches as long as any connection is in use.
    private func watch() async {
        while true {
            try? await Task.sleep(for: Self.pause)
            let (overdue, ended): ([Int: HostProbe]?, [@Sendable () -> Void]) = state.withLock { state in
                guard !state.leases.isEmpty else {
                    state.isWatching = false
                    return (nil, [])
                }
                let now = ContinuousClock.now
                var ended: [@Sendable () -> Void] = []
                for (id, lease) in state.leases where lease.end.map({ $0 < now }) ?? false {
                    if let whenOver = lease.whenOver { ended.append(whenOver) }
                    state.leases[id]?.end = nil
                    state.leases[id]?.whenOver = nil
                }
                let late = state.leases.values.filter { $0.since + Self.patience < now }
                return (Dictionary(late.map { ($0.probe.host, $0.probe) }) { first, _ in first }, ended)
            }
            guard let overdue else { return }
            for end in ended { end() }
            for (host, probe) in overdue {
                if await !Self.answers(probe) { state.withLock { $0.lost }?(host) }
                state.withLock { state in
                    for id in state.leases.keys where state.leases[id]?.probe.host == host {
                        state.leases[id]?.since = .now
                    }
                }
            }
        }
    }

    /// A server that says no, since it has too many connections for instance, does answer.
    private static func answers(_ probe: HostProbe) async -> Bool {
        let start = ContinuousClock.now
        let connection = Connection(name: "probe-\(probe.host)", open: probe.ask)
        do throws(DatabaseError) {
            _ = try await connection.connect()
            await connection.close()
            return true
        } catch {
            await connection.close()
            guard error.code == 1047 || error.code >= 2000 else { return true }
            probe.failed(error, start)
            return false
        }
    }
}
