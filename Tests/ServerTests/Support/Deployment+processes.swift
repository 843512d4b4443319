import DBDriver
import TestSupport

extension Deployment {
    /// Lends as many running servers as wanted, with a connection to each; all must end well.
    func serve(
        _ count: Int,
        settings: [String: String],
        _ body: @escaping @Sendable ([HTTPConnection]) async throws -> Void
    ) async throws {
        try await serve(count, settings: settings, beside: [], body)
    }

    private func serve(
        _ count: Int,
        settings: [String: String],
        beside others: [HTTPConnection],
        _ body: @escaping @Sendable ([HTTPConnection]) async throws -> Void
    ) async throws {
        guard count > 0 else { return try await body(others) }
        try await serve(settings: settings) { _, connection in
            try await serve(count - 1, settings: settings, beside: others + [connection], body)
        }
    }

    /// Lends the processes' database.
    func withDatabase<T>(_ body: (Database) async throws -> T) async throws -> T {
        let database = Database(try DatabaseConfiguration(url: databaseURL), logger: quietLogger)
        do {
            let value = try await body(database)
            await database.shutDown()
            return value
        } catch {
            await database.shutDown()
            throw error
        }
    }
}
