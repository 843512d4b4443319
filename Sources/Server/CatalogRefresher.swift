internal import Logging
internal import Registry
internal import ServiceLifecycle
internal import Synchronization

/// Reads services again in the background as they become due. Any number of instances may do so: the database gives each
/// service to one of them.
struct CatalogRefresher: Service {
    /// Services read at the same time, each of another host: a slow one keeps nobody else's waiting.
    private static let readers = 4
    /// The wait before looking again for a service that is due.
    private static let pause = Duration.seconds(1)

    private let reading = Reading()
    private let registry: MCPRegistry
    private let logger: Logger

    init(_ registry: MCPRegistry, logger: Logger) {
        self.registry = registry
        self.logger = logger
    }

    /// Reads until shutdown.
    func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                while !Task.isCancelled {
                    let hosts = reading.hosts
                    if hosts.count < Self.readers, let service = await nextDue(besides: hosts) {
                        reading.enter(service.host)
                        group.addTask {
                            await read(service)
                            reading.leave(service.host)
                        }
                    } else {
                        // Ends early only by cancellation, and then so does the loop.
                        try? await Task.sleep(for: Self.pause * Double.random(in: 0.5...1.5))
                    }
                }
            }
        }
    }

    private func nextDue(besides hosts: Set<String>) async -> ServiceToRead? {
        do throws(RegistryError) {
            return try await registry.leaseNextDue(besides: hosts)
        } catch {
            warn(error)
            return nil
        }
    }

    private func read(_ service: ServiceToRead) async {
        do throws(RegistryError) {
            try await registry.refresh(service)
            JobRuns.count("refreshing", succeeds: true)
        } catch {
            JobRuns.count("refreshing", succeeds: false)
            warn(error)
        }
    }

    /// At a shutdown whatever is cut off is no news.
    private func warn(_ error: RegistryError) {
        guard !Task.isCancelled else { return }
        logger.warning(
            "a service can't be read again at present",
            metadata: ["reason": "\(error.message)", "detail": "\(error.detail ?? "")"]
        )
    }

    /// The hosts that are being read, each by one reader.
    private final class Reading: Sendable {
        private let current = Mutex<Set<String>>([])

        var hosts: Set<String> { current.withLock { $0 } }

        func enter(_ host: String) { current.withLock { _ = $0.insert(host) } }

        func leave(_ host: String) { current.withLock { _ = $0.remove(host) } }
    }
}
