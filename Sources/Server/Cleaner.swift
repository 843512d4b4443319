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
        note(isHeld: false)
    }

    private func clean() async {
        do throws(RegistryError) {
            let isHeld = try await registry.take(lease)
            note(isHeld: isHeld)
            guard isHeld else { return }
            let forgotten = try await registry.forgetOld()
            JobRuns.count(lease.work.rawValue, succeeds: true)
            if forgotten > 0 { logger.debug("old rows were forgotten", metadata: ["rows": "\(forgotten)"]) }
        } catch {
            guard !Task.isCancelled else { return }
            JobRuns.count(lease.work.rawValue, succeeds: false)
            logger.warning(
                "old rows can't be forgotten at present",
                metadata: ["reason": "\(error.message)", "detail": "\(error.detail ?? "")"]
            )
        }
    }

    private func note(isHeld: Bool) {
        Gauge(label: "job_lease_held", dimensions: [("job", lease.work.rawValue)]).record(isHeld ? 1 : 0)
    }
}
