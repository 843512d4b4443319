import Logging
import MCP

/// One discovery from waiting for its turn to its result.
struct DiscoveryRun: Sendable {
    /// What the run is doing, for the words of its failure.
    private enum Phase {
        case waiting, resolving, talking(DiscoveryTransport)
    }

    let url: ServiceURL
    let identity: DiscoveryTransport.Identity
    let policy: EndpointPolicy
    let resolver: any AddressResolver
    let gate: DiscoveryGate
    let timeouts: HTTPToolDiscovery.Timeouts
    let logger: Logger

    /// Lets the session have its way until it is done.
    func service(by session: DiscoverySession) async throws(DiscoveryFailure) -> DiscoveredService {
        let watchdog = Watchdog(deadline: .now + timeouts.overall)
        let outcome = await watchdog.watch { await self.outcome(session, watchdog) }
        guard let outcome else { throw DiscoveryFailure(.interrupted, "the request was cancelled") }
        return try outcome.get()
    }

    private func outcome(
        _ session: DiscoverySession,
        _ watchdog: Watchdog
    ) async -> Result<DiscoveredService, DiscoveryFailure> {
        guard await gate.enter(url.authority) else { return .failure(interruption(watchdog, .waiting)) }
        defer { gate.leave(url.authority) }
        do throws(DiscoveryFailure) {
            let addresses = try await addresses(watchdog)
            let client = PinnedClient(url, addresses, connectTimeout: timeouts.connect, logger: logger)
            let transport = DiscoveryTransport(
                url,
                client: client,
                identity: identity,
                watchdog: watchdog,
                exchangeTimeout: timeouts.exchange,
                logger: logger
            )
            let result = await drive(session, transport, watchdog)
            await client.close()
            return result
        } catch {
            return .failure(error)
        }
    }

    /// The host's addresses, looked up once and judged.
    private func addresses(_ watchdog: Watchdog) async throws(DiscoveryFailure) -> [IPAddress] {
        if let address = IPAddress(url.host) { return [address] }
        watchdog.restart(timeouts.exchange)
        let addresses = await resolver.addresses(of: url.host)
        if Task.isCancelled { throw interruption(watchdog, .resolving) }
        do throws(EndpointPolicy.Refusal) {
            try policy.check(addresses, of: url)
            return addresses
        } catch {
            logger.notice(
                "discovery does not contact a host",
                metadata: ["endpoint": "\(url.text.loggableURL)", "reason": "\(error.detail)"]
            )
            throw error.failure
        }
    }

    private func drive(
        _ session: DiscoverySession,
        _ transport: DiscoveryTransport,
        _ watchdog: Watchdog
    ) async -> Result<DiscoveredService, DiscoveryFailure> {
        var session = session
        var action = session.next(.start)
        while true {
            let event: DiscoveryEvent
            switch action {
            case .send(let exchange):
                event = await transport.send(exchange)
            case .sendBeside(let exchange):
                event = await transport.sendBeside(exchange)
            case .sendAside(let exchange):
                await transport.sendAside(exchange)
                event = await transport.read()
            case .read:
                event = await transport.read()
            case .enter(let reference):
                event = transport.enter(reference)
            case .finished(let service, let goodbye):
                await send(goodbye, transport, watchdog)
                return .success(service)
            case .failed(let failure, let goodbye):
                await send(goodbye, transport, watchdog)
                return .failure(failure)
            }
            action = session.next(Task.isCancelled ? .failed(interruption(watchdog, .talking(transport))) : event)
        }
    }

    /// A courtesy, for which there is no time once the run is interrupted.
    private func send(_ goodbye: DiscoveryExchange?, _ transport: DiscoveryTransport, _ watchdog: Watchdog) async {
        guard let goodbye, !Task.isCancelled else { return }
        watchdog.release()
        await transport.sendAside(goodbye)
    }

    private func interruption(_ watchdog: Watchdog, _ phase: Phase) -> DiscoveryFailure {
        switch (watchdog.cause, phase) {
        case (nil, _): DiscoveryFailure(.interrupted, "the request was cancelled")
        case (.shutdown, _): DiscoveryFailure(.interrupted, "the server is shutting down")
        case (.limit, .waiting): DiscoveryFailure(.interrupted, "too many services are being read at the moment")
        case (.limit, .resolving): EndpointPolicy.unreachable
        case (.limit, .talking(let transport)): transport.timeout(timeouts)
        }
    }
}
