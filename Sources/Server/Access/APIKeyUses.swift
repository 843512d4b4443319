internal import DBDriver
internal import Logging
internal import Registry
internal import ServiceLifecycle
internal import Synchronization

/// Remembers which API keys were used, and writes that down now and then: no request waits for it.
final class APIKeyUses: Service {
    /// How often it is written down.
    static let interval = Duration.seconds(30)

    private let registry: MCPRegistry
    private let logger: Logger
    private let uses = Mutex<[String: Timestamp]>([:])

    init(_ registry: MCPRegistry, logger: Logger) {
        self.registry = registry
        self.logger = logger
    }

    /// Notes that a key is used now.
    func note(_ key: APIKey) {
        let now = Timestamp.now()
        uses.withLock { $0[key.id] = now }
    }

    /// Writes until the server shuts down, and once more then.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: Self.interval)) != nil { await self.write() }
        }
        await write()
    }

    /// Writes down what was noted. What can't be written is lost: it says nothing but when a key was used last.
    private func write() async {
        let noted = uses.withLock { uses in
            defer { uses = [:] }
            return uses
        }
        guard !noted.isEmpty else { return }
        do throws(RegistryError) {
            try await registry.noteUses(noted)
        } catch {
            logger.warning("the last uses of API keys could not be noted", metadata: ["error": "\(error)"])
        }
    }
}
