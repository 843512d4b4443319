internal import Foundation
public import Logging

@testable public import DBDriver

/// An engine that the conformance suites run against.
public enum Engine: String, Sendable, CaseIterable, CustomStringConvertible {
    /// The system's SQLite library, on a throw-away file.
    case sqlite = "SQLite"
    /// A MariaDB server at `TEST_MARIADB_URL`, in a throw-away database.
    case mariadb = "MariaDB"
    /// A MariaDB Galera cluster at `TEST_GALERA_URL`, in a throw-away database.
    case galera = "Galera"
    /// A MySQL server (Oracle's) at `TEST_MYSQL_URL`, in a throw-away database.
    case mysql = "MySQL"

    /// The engine's name, by which the test runner counts.
    public var description: String { rawValue }

    /// The engines of this run: SQLite always, and those whose environment variable names a server
    /// (`mysql://user:password@127.0.0.1:port/`, allowed to create databases named `registry_…`).
    public static var available: [Engine] {
        allCases.filter { $0 == .sqlite || $0.url != nil }
    }

    /// The engines of this run that are reached over the network.
    public static var servers: [Engine] {
        available.filter { $0 != .sqlite }
    }

    /// Whose words the engine speaks.
    public var dialect: Dialect {
        self == .sqlite ? .sqlite : .mysql
    }

    /// What the engine's environment variable names; a cluster's nodes are separated by commas.
    private var url: String? {
        ProcessInfo.processInfo.environment["TEST_\(rawValue.uppercased())_URL"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Lends an empty database that nobody else uses, and removes it afterwards.
    public func withEmptyDatabase<T>(_ body: (DatabaseConfiguration) async throws -> T) async throws -> T {
        try await Turnstile.pass {
            switch self {
            case .sqlite: try await withSQLiteFile(body)
            case .mariadb, .galera, .mysql: try await withServerDatabase(body)
            }
        }
    }

    /// Lends the facade over an empty database, and closes it afterwards.
    public func withDatabase<T>(
        _ configure: (inout DatabaseConfiguration) -> Void = { _ in },
        _ body: (Database) async throws -> T
    ) async throws -> T {
        try await withEmptyDatabase { configuration in
            var configuration = configuration
            configure(&configuration)
            let database = Database(configuration, logger: quietLogger)
            return try await closing(database) { try await body(database) }
        }
    }

    private func withSQLiteFile<T>(_ body: (DatabaseConfiguration) async throws -> T) async throws -> T {
        let folder = FileManager.default.temporaryDirectory.appending(path: "registry-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var sqlite = SQLiteConfiguration(path: folder.appending(path: "test.db").path)
        sqlite.createIfMissing = true
        return try await body(DatabaseConfiguration(engine: .sqlite(sqlite)).patient)
    }

    private func withServerDatabase<T>(_ body: (DatabaseConfiguration) async throws -> T) async throws -> T {
        guard let url else { throw NoServer() }
        let name = "registry_" + UUID().uuidString.replacing("-", with: "").lowercased()
        let server = Database(try DatabaseConfiguration(url: url).patient, logger: quietLogger)
        return try await closing(server) {
            // The server's own default may be latin1: every table must name its character set.
            try await server.execute("CREATE DATABASE \(name) CHARACTER SET latin1")
            do {
                let result = try await body(try DatabaseConfiguration(url: url + name).patient)
                try await server.execute("DROP DATABASE \(name)")
                return result
            } catch {
                try? await server.execute("DROP DATABASE \(name)")
                throw error
            }
        }
    }
}

/// The engine's environment variable is not set.
public struct NoServer: Error {
    /// There is nothing more to tell.
    public init() {}
}

extension Database {
    /// Runs a statement whose text a test has put together.
    public func execute(_ text: String) async throws {
        try await write { try $0.execute(trustedText: text) }
    }
}

/// A logger that prints warnings and worse only.
public let quietLogger: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .error
    return logger
}()

private func closing<T>(_ database: Database, _ body: () async throws -> T) async throws -> T {
    do {
        let value = try await body()
        await database.shutDown()
        return value
    } catch {
        await database.shutDown()
        throw error
    }
}

extension DatabaseConfiguration {
    /// The same with a minute to wait for a connection: hundreds of tests begin at once, and on a slow machine each waits for the
    /// others.
    public var patient: DatabaseConfiguration {
        var patient = self
        patient.poolTimeout = .seconds(60)
        return patient
    }
}
