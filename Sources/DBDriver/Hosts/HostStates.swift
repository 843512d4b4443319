/// Which of several database servers to connect to: a pure machine without sockets or clocks. ``HostList`` tells it what
/// happened.
///
/// The first server of the list that takes writes is preferred. New connections go to the writer in use until it fails, then to
/// the next one. While another than the preferred one is in use, a single connection at a time tries whether the preferred one is
/// back, after growing pauses; when it is, new connections go there again.
struct HostStates {
    /// What is known of a server.
    enum State: String, Sendable, CaseIterable {
        /// It was not tried yet.
        case unknown
        /// It takes writes.
        case connected
        /// It answers, and only reads.
        case readOnly = "read_only"
        /// A Galera node that is not part of its cluster.
        case notPrimary = "not_primary"
        /// Nothing listens there.
        case refused
        /// It does not answer in time.
        case hung
        /// It refuses the password, or the encryption fails.
        case denied
    }

    private struct Host {
        var state = State.unknown
        var failures = 0
        var retryAt = Timestamp(microseconds: 0)
        var isBeingTried = false
    }

    /// The first pause before a server that failed is tried again while another works: 200 ms. It doubles each time.
    static let pauseMin = Duration.milliseconds(200)
    /// The longest pause: 5 s.
    static let pauseMax = Duration.seconds(5)

    private var hosts: [Host]
    /// The server that new connections go to; nil while none is known to take writes.
    private(set) var writer: Int?

    init(count: Int) {
        hosts = Array(repeating: Host(), count: count)
    }

    /// What is known of each server, in the order of the list.
    var states: [State] { hosts.map(\.state) }

    /// The server to try next for a connection.
    ///
    /// - Parameters:
    ///   - tried: those that were tried for it already.
    ///   - now: the time.
    /// - Returns: nil when all were tried.
    mutating func next(after tried: [Int], now: Timestamp) -> Int? {
        let left = hosts.indices.filter { !tried.contains($0) }
        if let writer {
            let back = left.first { $0 < writer && hosts[$0].retryAt <= now && !hosts[$0].isBeingTried }
            if let back {
                hosts[back].isBeingTried = true
                return back
            }
            if left.contains(writer) { return writer }
        }
        let hopeful = left.first { [.unknown, .connected].contains(hosts[$0].state) }
        return hopeful ?? left.min { hosts[$0].retryAt < hosts[$1].retryAt }
    }

    /// A server was tried, or turned out to be in a state.
    ///
    /// - Parameters:
    ///   - host: which.
    ///   - state: how it is.
    ///   - now: the time.
    ///   - jitter: 0 to 1; spreads the pauses of many processes.
    mutating func found(_ host: Int, _ state: State, now: Timestamp, jitter: Double) {
        hosts[host].state = state
        hosts[host].isBeingTried = false
        guard state != .connected else {
            hosts[host].failures = 0
            if writer.map({ host < $0 }) ?? true { writer = host }
            return
        }
        hosts[host].failures += 1
        let pause = Self.pauseMin.doubled(hosts[host].failures - 1, upTo: Self.pauseMax)
        hosts[host].retryAt = now + pause * (0.5 + jitter / 2)
        if writer == host { writer = nil }
    }

    /// A server was tried that answers and has no room at present, which says nothing about what it takes.
    mutating func busy(_ host: Int) {
        hosts[host].isBeingTried = false
    }

    /// How long a connection to a server is kept at most, when that is less than usual: one that only reads is left soon, and one
    /// that is not preferred within two minutes, so that connections come back little by little.
    ///
    /// - Parameters:
    ///   - host: the server.
    ///   - jitter: 0 to 1.
    /// - Returns: nil for as long as usual.
    func ageMax(of host: Int, jitter: Double) -> Duration? {
        if hosts[host].state == .readOnly { return .seconds(1) * (1 + jitter) }
        return host == 0 ? nil : .seconds(60) * (1 + jitter)
    }
}

extension HostStates.State {
    /// What an error says about the server that could not be connected to.
    ///
    /// - Parameters:
    ///   - error: the error.
    ///   - isLate: whether it came only after the time-out: the client library has the same code and text for a server that
    ///     refuses.
    init(_ error: DatabaseError, isLate: Bool) {
        self =
            switch error.kind {
            case .accessDenied: .denied
            case _ where error.code == 1047: .notPrimary
            case _ where error.code == 1290: .readOnly
            default: isLate ? .hung : .refused
            }
    }
}
