import HummingbirdCore
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Server

extension HTTPChannel {
    /// Runs `body` beside a server of such connections, on a free port that `body` is given.
    func serving(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let server = server(at: .hostname("127.0.0.1", port: 0), logger: quietLogger) { continuation.yield($0) }
        let group = ServiceGroup(services: [server], logger: quietLogger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let port = try #require(await ports.first { _ in true })
            do { try await body(port) } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }
}
