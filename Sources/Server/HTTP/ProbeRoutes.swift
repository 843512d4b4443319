internal import DBDriver
internal import Hummingbird
internal import MCP

/// What load balancers and orchestrators ask; no credential is needed, and no secret is told.
enum ProbeRoutes {
    /// - Parameters:
    ///   - database: what `/ready` asks.
    ///   - migrations: what the schema must be.
    /// - Returns: the routes `/health` and `/ready`.
    static func routes(_ database: Database, _ migrations: MigrationFolder) -> [Route] {
        [
            // That the process lives; never asks the database.
            Route(.get, "/health", .open) { _, _ in .json(["status": "healthy", "service": "mcp-server"]) },
            // That requests can be served.
            Route(.get, "/ready", .open) { _, _ in
                try await checkReadiness(database, migrations)
                return .json(["status": "ready"])
            },
        ]
    }

    private static func checkReadiness(_ database: Database, _ migrations: MigrationFolder) async throws {
        let state: SchemaState
        do {
            state = try await within(.seconds(1)) {
                try await database.read { try SchemaState.read(migrations, in: $0) }
            }
        } catch {
            throw Problem(.serviceUnavailable, "unavailable", "the database does not answer")
        }
        if let advice = state.advice(command: "mcp-registry migrate") {
            throw Problem(.serviceUnavailable, "unavailable", advice)
        }
    }

    /// Runs the body, and cancels it after a time.
    private static func within<T: Sendable>(
        _ limit: Duration,
        _ body: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}
