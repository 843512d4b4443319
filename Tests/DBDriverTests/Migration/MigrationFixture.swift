import Logging
import TestSupport

@testable import DBDriver

/// Files of migrations 1, 2, 3, … with one text for both engines.
func files(_ scripts: (name: String, up: String, down: String)...) -> [(path: String, text: String)] {
    files(scripts)
}

func files(_ scripts: [(name: String, up: String, down: String)]) -> [(path: String, text: String)] {
    scripts.enumerated().flatMap { index, script in
        let folder = "\(padded(index + 1))_\(script.name)"
        return [
            (path: "\(folder)/up.sql", text: "-- phase: expand\n" + script.up),
            (path: "\(folder)/down.sql", text: script.down),
        ]
    }
}

extension Migrator {
    /// A migrator that waits for little.
    init(
        _ configuration: DatabaseConfiguration,
        _ files: [(path: String, text: String)],
        _ configure: (inout Options) -> Void = { _ in }
    ) throws(MigrationError) {
        var options = Options()
        options.lockPoll = .milliseconds(20)
        configure(&options)
        self.init(
            configuration,
            folder: try MigrationFolder(files: files, dialect: configuration.dialect),
            options: options,
            logger: quietLogger
        )
    }

    /// The error that a call ends with.
    func error(of body: (Migrator) async throws -> Void) async -> MigrationError? {
        do {
            try await body(self)
            return nil
        } catch {
            return error as? MigrationError
        }
    }
}

extension DatabaseConfiguration {
    /// Runs a closure on a connection of its own.
    func onConnection<T: Sendable>(_ body: @Sendable (Session) throws -> T) async throws -> T {
        let connection = Connection(name: "test", open: opener(.readWrite))
        try await connection.connect()
        do {
            let value = try await connection.run(body)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// The names of the tables, without the migrator's own.
    func tables() async throws -> [String] {
        let query: SQL =
            switch dialect {
            case .mysql: "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
            case .sqlite: "SELECT name FROM sqlite_master WHERE type = 'table'"
            }
        let names = try await onConnection { try $0.rows(query).map { try $0.get("name", as: String.self) } }
        return names.filter { !MigrationTables.names.contains($0) }.sorted()
    }

    /// Version and state of each row, e.g. `1 done 2/2`.
    func ledger() async throws -> [String] {
        try await onConnection { try MigrationLedger.rows(in: $0) }
            .map { "\($0.version) \($0.state.rawValue) \($0.statementDone)/\($0.statements)" }
    }

    /// Version, action and outcome of each attempt, in the order of their ends.
    func log() async throws -> [String] {
        try await onConnection { session in
            try session.rows("SELECT version, action, outcome FROM schema_migration_log ORDER BY finished_at, version")
                .map { row in
                    "\(try row.get("version", as: Int.self)) \(try row.get("action", as: String.self)) "
                        + (try row.get("outcome", as: String.self))
                }
        }
    }

    func execute(_ text: String) async throws {
        _ = try await onConnection { try $0.execute(trustedText: text) }
    }

    func count(_ query: SQL) async throws -> Int {
        try await onConnection { try $0.row(query)?.get("n", as: Int.self) ?? -1 }
    }

    /// A connection that has begun a transaction with a statement, and holds its locks until it is closed.
    func holdingLocks(of statement: String) async throws -> Connection {
        let connection = Connection(name: "locks", open: opener(.readWrite))
        try await connection.connect()
        try await connection.run { session in
            try session.execute(trustedText: "START TRANSACTION")
            try session.execute(trustedText: statement)
        }
        return connection
    }

    /// Waits until a MySQL server runs a statement on this database.
    ///
    /// - Returns: the id of its connection.
    func waitUntilRunning(_ statement: String) async throws -> Int {
        while true {
            if let id = try await onConnection({ try $0.connections(running: statement).first }) { return id }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
