internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// What happens between SIGTERM and the end: `/ready` says at once that the server is leaving, while it goes on answering for
/// some seconds, until load balancers have noticed. Answers then ask clients to close their connections.
final class Drain: Service {
    private let duration: Duration
    private let logger: Logger
    private let isLeaving = Atomic(false)

    /// - Parameters:
    ///   - duration: how long the server goes on answering.
    ///   - logger: is told when it begins.
    init(_ duration: Duration, logger: Logger) {
        (self.duration, self.logger) = (duration, logger)
    }

    /// Whether the server is leaving.
    var hasBegun: Bool { isLeaving.load(ordering: .relaxed) }

    /// Waits for SIGTERM, and then as long as the server still answers. Whatever is shut down after this one works until then.
    func run() async throws {
        try? await gracefulShutdown()
        isLeaving.store(true, ordering: .relaxed)
        logger.notice("leaving", metadata: ["drain_seconds": "\(duration.components.seconds)"])
        // The task that runs services is not cancelled by a graceful shutdown.
        try? await Task.sleep(for: duration)
    }
}
