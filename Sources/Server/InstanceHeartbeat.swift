internal import Logging
internal import Registry
internal import ServiceLifecycle

/// Gives signs of life to the database while the server runs, so that no migration removes what it still uses.
struct InstanceHeartbeat: Service {
    private let registry: MCPRegistry
    private let instance: AppInstance
    /// Whose keys the server has; they may change while it runs.
    private let vault: TokenVault?
    private let logger: Logger

    init(_ registry: MCPRegistry, _ instance: AppInstance, _ vault: TokenVault?, logger: Logger) {
        (self.registry, self.instance, self.vault, self.logger) = (registry, instance, vault, logger)
    }

    /// Gives signs of life until shutdown, then says that the server has ended.
    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                var instance = instance
                instance.ringIDs = vault?.ring.ids ?? []
                await tell("give a sign of life") { [instance] () async throws(RegistryError) in
                    try await registry.beat(instance)
                }
                // Ends early only by cancellation, and then so does the loop.
                try? await Task.sleep(for: AppInstance.interval * Double.random(in: 0.8...1.0))
            }
        }
        await tell("sign off") { () async throws(RegistryError) in try await registry.remove(instance) }
    }

    private func tell(_ what: String, _ body: () async throws(RegistryError) -> Void) async {
        do throws(RegistryError) {
            try await body()
        } catch {
            logger.debug(
                "could not \(what)",
                metadata: ["reason": "\(error.message)", "detail": "\(error.detail ?? "")"]
            )
        }
    }
}
