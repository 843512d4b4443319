internal import Logging
internal import Metrics
internal import Registry
internal import ServiceLifecycle

/// Forgets what was kept long enough. Of all servers one does, under a lease; when it dies another takes over within the lease.
struct Cleaner: Service {
    private let registry: MCPRegistry
    private let lease = Lease(of: .cleaning)
    private let logger: Logger

    init(_ registry: MCPRegistry, logger: Logger) {
        (self.registry, self.logger) = (registry, logger)
    }

    /// Tries to get the lease and works under it until shutdown, then gives it back.
    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await clean()
                // Ends early only by cancellation, and then so does the loop.
                try? await Task.sleep(for: Lease.renewal * Double.random(in: 0.8...1.0))
            }
        }
        try? await registry.release(lease)
        Gauge(label: "job_lease_held", dimensions: [("job", lease.work.rawValue)]).record(0)
    }

    private func clean() async {
        do throws(RegistryError) {
            let isHeld = try await registry.take(lease)
            Gauge(label: "job_lease_held", dimensions: [("job", lease.work.rawValue)]).record(isHeld ? 1 : 0)
            guard isHeld else { return }
            let forgotten = try await registry.forgetOld()
            count("done")
            if forgotten > 0 { logger.debug("old rows were forgotten", metadata: ["rows": "\(forgotten)"]) }
        } catch {
            guard !Task.isCancelled else { return }
            count("failed")
            logger.warning(
                "old rows can't be forgotten at present",
                metadata: ["reason": "\(error.message)", "detail": "\(error.detail ?? "")"]
            )
        }
    }

    private func count(_ outcome: String) {
        Counter(label: "job_runs", dimensions: [("job", lease.work.rawValue), ("outcome", outcome)]).increment()
    }
}
