import AsyncHTTPClient
import Logging
import NIOCore
import NIOHTTP1
import Registry
import ServiceLifecycle

/// Tells agents, by a GET to one URL, that the catalogue has changed and should be read again (`AGENT_REREAD_HOOK`).
///
/// ``catalogChanged()`` only leaves a note; changes that come while a GET is under way share the next one, so at least one
/// GET begins after the last change. Its failures are logged and concern nobody else.
final class AgentRereadHook: ChangeHook, Service {
    private static let timeout = TimeAmount.seconds(5)

    private let url: String
    private let client: HTTPClient
    private let logger: Logger
    private let changes: AsyncStream<Void>
    private let note: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - url: An `http` or `https` URL of the operator's.
    ///   - client: Must follow no redirects.
    ///   - logger: Hears of failures.
    init(url: String, client: HTTPClient, logger: Logger) {
        self.url = url
        self.client = client
        self.logger = logger
        (changes, note) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Asks for a GET; returns at once.
    func catalogChanged() {
        note.yield()
    }

    /// Delivers until shutdown, and a last time for a change noted before it.
    func run() async {
        await withTaskCancellationOrGracefulShutdownHandler {
            for await _ in changes { await deliver() }
        } onCancelOrGracefulShutdown: {
            self.note.finish()
        }
    }

    private func deliver() async {
        do {
            let response = try await client.execute(HTTPClientRequest(url: url), timeout: Self.timeout)
            guard !(200..<300).contains(response.status.code) else { return }
            warn("status \(response.status.code)")
        } catch {
            warn("\(error)")
        }
    }

    private func warn(_ reason: String) {
        logger.warning("the re-read hook failed", metadata: ["url": "\(url.loggableURL)", "reason": "\(reason)"])
    }
}
