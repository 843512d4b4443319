internal import Logging
internal import Registry
internal import ServiceLifecycle

/// Reads services again in the background as they become due. Any number of instances may do so: the database gives each
/// service to one of them.
struct CatalogRefresher: Service {
    /// Services read at the same time.
    private static let readers = 4
    /// The wait before looking again for a service that is due.
    private static let pause = Duration.seconds(1)

    private let registry: MCPRegistry
    private let logger: Logger

    init(_ registry: MCPRegistry, logger: Logger) {
        self.registry = registry
        self.logger = logger
    }

    /// Reads until shutdown.
    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if await readOne() { await readAll() }
                // Sleep ends early only by cancellation, and then so does the loop.
                try? await Task.sleep(for: Self.pause * Double.random(in: 0.5...1.5))
            }
        }
    }

    private func readAll() async {
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.readers {
                group.addTask { while await readOne() {} }
            }
        }
    }

    /// - Returns: Whether a service was due.
    private func readOne() async -> Bool {
        guard !Task.isCancelled else { return false }
        do throws(RegistryError) {
            return try await registry.refreshNextDue()
        } catch {
            logger.warning(
                "services can't be read again at present",
                metadata: ["reason": "\(error.message)", "detail": "\(error.detail ?? "")"]
            )
            return false
        }
    }
}
