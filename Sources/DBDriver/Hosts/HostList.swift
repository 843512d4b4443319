internal import Logging
internal import Synchronization

/// The database servers of one ``Database``, and what is known of each.
final class HostList: Sendable {
    let hosts: [MySQLConfiguration.Host]
    private let states: Mutex<HostStates>
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger?

    /// - Parameters:
    ///   - hosts: the servers, the preferred one first.
    ///   - clock: the time for pauses.
    ///   - logger: is told when a server's state changes.
    init(
        _ hosts: [MySQLConfiguration.Host],
        clock: @escaping @Sendable () -> Timestamp = Timestamp.now,
        logger: Logger? = nil
    ) {
        self.hosts = hosts
        self.clock = clock
        self.logger = logger
        states = Mutex(HostStates(count: hosts.count))
    }

    /// What is known of each server.
    var current: [(host: MySQLConfiguration.Host, state: HostStates.State)] {
        states.withLock { zip(hosts, $0.states).map { ($0, $1) } }
    }

    /// The server to try next for a connection; see ``HostStates/next(after:now:)``.
    func next(after tried: [Int]) -> Int? {
        states.withLock { $0.next(after: tried, now: clock()) }
    }

    /// A server was tried, or turned out to be in a state.
    func found(_ host: Int, _ state: HostStates.State) {
        let jitter = Double.random(in: 0...1)
        let (before, writer) = states.withLock { states in
            let before = states.states[host]
            states.found(host, state, now: clock(), jitter: jitter)
            return (before, states.writer)
        }
        // Of a single server that was never reached the caller is told; there is no choice to report.
        guard before != state, before != .unknown || hosts.count > 1, let logger else { return }
        let metadata: Logger.Metadata = [
            "host": "\(hosts[host])", "state": "\(state.rawValue)",
            "writer": "\(writer.map { "\(hosts[$0])" } ?? "none")",
        ]
        if state == .connected {
            logger.info("a database server takes writes", metadata: metadata)
        } else {
            logger.warning("a database server can't be used for writing", metadata: metadata)
        }
    }

    /// A server was tried that has no room at present; see ``HostStates/busy(_:)``.
    func busy(_ host: Int) {
        states.withLock { $0.busy(host) }
    }

    /// How long a connection to a server is kept at most; see ``HostStates/ageMax(of:jitter:)``.
    func ageMax(of host: Int) -> Duration? {
        let jitter = Double.random(in: 0...1)
        return states.withLock { $0.ageMax(of: host, jitter: jitter) }
    }
}

extension MySQLConfiguration.Host: CustomStringConvertible {
    /// Name and port.
    public var description: String { "\(name):\(port)" }
}

/// How to find out whether the server of a connection still answers.
struct HostProbe: Sendable {
    /// Which server, in the list.
    let host: Int
    /// Connects to that server and asks it something, within its connect time-out.
    let ask: @Sendable () throws(DatabaseError) -> any EngineSession
    /// Notes that it did not answer when it was asked at a moment.
    let failed: @Sendable (DatabaseError, ContinuousClock.Instant) -> Void
}
