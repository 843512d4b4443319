public import DBDriver

/// A database of the original registry, which is read and never changed.
public struct OriginalDatabase: Sendable {
    private let database: Database
    /// Whether its roles have prompts.
    let hasPrompts: Bool
    /// Its rows in all.
    let rowCount: Int

    /// Looks at a database.
    ///
    /// - Parameter database: where it is; should be opened read only.
    /// - Throws: `invalid` when a table is missing, `unavailable` when it can't be read
    public init(_ database: Database) async throws(RegistryError) {
        self.database = database
        guard try await Self.fits(database, OriginalTable.probe) else {
            throw RegistryError(
                .invalid,
                "the database to import from is none of the original registry's: a table or a column is missing"
            )
        }
        hasPrompts = try await Self.fits(database, OriginalTable.probePrompts)
        rowCount = try await Self.reading { try await database.read { try OriginalTable.count($0) } }
    }

    /// A page of rows.
    func read<T: Sendable>(_ body: @escaping @Sendable (Session) throws -> T) async throws(RegistryError) -> T {
        try await Self.reading { try await database.read(body) }
    }

    /// Whether the schema is what the statements expect.
    private static func fits(
        _ database: Database,
        _ probe: @escaping @Sendable (Session) throws(DatabaseError) -> Void
    ) async throws(RegistryError) -> Bool {
        try await reading {
            do {
                try await database.read { try probe($0) }
                return true
            } catch let error as DatabaseError where error.kind == .schemaMismatch {
                return false
            }
        }
    }

    /// The server's own words name hosts, users and tables: nothing was bound, so no value of a row is among them.
    private static func reading<T>(_ body: () async throws -> T) async throws(RegistryError) -> T {
        try await MCPRegistry.translating {
            do {
                return try await body()
            } catch let error as DatabaseError {
                throw RegistryError(
                    error.kind == .decoding ? .internal : .unavailable,
                    "the database to import from can't be read: \(error.debugDescription)"
                )
            }
        }
    }
}
