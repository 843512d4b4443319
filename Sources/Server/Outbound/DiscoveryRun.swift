import MCP

/// One discovery from its first exchange to its result: deadlines and retries around the transport.
struct DiscoveryRun: Sendable {
    /// Tries of one exchange beyond the first.
    private static let retriesMax = 2
    /// The least and the largest wait before the first retry; the second waits four times as long.
    private static let backoffMilliseconds = 100...200

    let transport: DiscoveryTransport
    /// When the whole discovery must be over.
    let deadline: ContinuousClock.Instant
    let timeouts: HTTPToolDiscovery.Timeouts

    /// Lets the session have its way until it is done.
    func service(by session: DiscoverySession) async throws(DiscoveryFailure) -> DiscoveredService {
        var session = session
        var action = session.next(.start)
        while true {
            switch action {
            case .send(let exchange):
                (session, action) = await perform(exchange, session)
            case .finished(let service, let goodbye):
                await send(goodbye)
                return service
            case .failed(let failure, let goodbye):
                await send(goodbye)
                throw failure
            case .sendAside, .read:
                // Both only follow an open stream, which the transport reads to its end.
                throw DiscoveryFailure(.unusable, "the service's answer could not be read")
            }
        }
    }

    private func send(_ goodbye: DiscoveryExchange?) async {
        guard let goodbye else { return }
        _ = await withDeadline(deadline) { await transport.performAside(goodbye) }
    }

    private func perform(
        _ exchange: DiscoveryExchange,
        _ session: DiscoverySession
    ) async -> (DiscoverySession, DiscoveryAction) {
        var attempt = 0
        while true {
            let end = min(deadline, .now + timeouts.exchange)
            switch await withDeadline(end, { await transport.perform(exchange, session) }) {
            case .next(let session, let action):
                return (session, action)
            case .fault(let event, let retryAfter):
                guard let retryAfter, attempt < Self.retriesMax, await pause(retryAfter, attempt) else {
                    return session.after(event)
                }
                attempt += 1
            case nil:
                return session.after(.failed(timeout(reached: end)))
            }
        }
    }

    /// Waits before another try.
    ///
    /// - Returns: Whether there is time for it.
    private func pause(_ wanted: Duration, _ attempt: Int) async -> Bool {
        let backoff = Duration.milliseconds(Int.random(in: Self.backoffMilliseconds)) * (attempt == 0 ? 1 : 4)
        let end = ContinuousClock.now + max(wanted, backoff)
        guard end < deadline else { return false }
        do {
            try await Task.sleep(until: end)
            return true
        } catch {
            return false
        }
    }

    private func timeout(reached end: ContinuousClock.Instant) -> DiscoveryFailure {
        if Task.isCancelled { return DiscoveryFailure(.unavailable, "the request was cancelled") }
        let limit = end < deadline ? timeouts.exchange : timeouts.overall
        return DiscoveryFailure(.unavailable, "the service did not answer within \(limit.seconds) seconds")
    }
}

extension DiscoverySession {
    /// The session after an event, and what it wants then.
    func after(_ event: DiscoveryEvent) -> (DiscoverySession, DiscoveryAction) {
        var session = self
        let action = session.next(event)
        return (session, action)
    }
}

extension Duration {
    /// Seconds, with a fraction where there is one.
    fileprivate var seconds: String {
        let milliseconds = components.attoseconds / 1_000_000_000_000_000
        return milliseconds == 0
            ? "\(components.seconds)" : "\(Double(components.seconds) + Double(milliseconds) / 1000)"
    }
}
