internal import Logging
internal import Registry
internal import ServiceLifecycle

/// Gives signs of life to the database while the server runs, so that no migration removes what it still uses.
struct InstanceHeartbeat: Service {
    let registry: MCPRegistry
    let instance: AppInstance
    let logger: Logger

    /// Gives signs of life until shutdown, then says that the server has ended.
    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await tell("give a sign of life") { () async throws(RegistryError) in try await registry.beat(instance)
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
