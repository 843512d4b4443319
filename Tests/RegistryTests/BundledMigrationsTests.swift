import DBDriver
import Foundation
import Migrations
import TestSupport
import Testing

@Suite("Bundled migrations")
struct BundledMigrationsTests {
    @Test("What is embedded is what the folder holds")
    func embedded() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Migrations")
            .standardized.resolvingSymlinksInPath()
        let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        let paths = (found?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "sql" }
        #expect(paths.count == BundledMigrations.files.count)
        for (path, text) in BundledMigrations.files {
            #expect(
                try String(contentsOf: folder.appending(path: path), encoding: .utf8) == text
            )
        }
    }

    @Test("Up, all the way down, and up again end in the same schema", arguments: Engine.available)
    func replay(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { configuration in
            let folder = try MigrationFolder(files: BundledMigrations.files, dialect: configuration.dialect)
            let migrator = Migrator(configuration, folder: folder, logger: quietLogger)
            let empty = try await schema(configuration)
            #expect(try await migrator.up().count == folder.latest)
            let full = try await schema(configuration)
            #expect(try await migrator.down(to: 0).count == folder.latest)
            #expect(try await schema(configuration).filter { !$0.contains("migration") } == empty)
            #expect(try await migrator.up().count == folder.latest)
            #expect(try await schema(configuration) == full)
        }
    }

    @Test(
        "The dump is equal after up, and up again from nothing, and the replay of diff finds the same",
        arguments: Engine.available
    )
    func dump(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { configuration in
            let migrator = try migrator(configuration)
            _ = try await migrator.up()
            let dump = try await migrator.dump()
            #expect(dump.tables.count > 8)
            #expect(try await migrator.diff().isEmpty)
            _ = try await migrator.down(to: 0)
            #expect(try await migrator.dump().tables.isEmpty)
            _ = try await migrator.up()
            #expect(try await migrator.dump() == dump)
        }
    }

    @Test("Each single step down and up again gives the same dump", arguments: Engine.available)
    func steps(_ engine: Engine) async throws {
        try await engine.withEmptyDatabase { configuration in
            let migrator = try migrator(configuration)
            for version in 1...(try folder(configuration).latest) {
                let before = try await migrator.dump()
                _ = try await migrator.up(to: version)
                let after = try await migrator.dump()
                _ = try await migrator.down(to: version - 1)
                #expect(try await migrator.dump() == before, "down of \(version)")
                _ = try await migrator.up(to: version)
                #expect(try await migrator.dump() == after, "up of \(version)")
            }
        }
    }

    @Test(
        "Both engines get the same tables, columns, kinds of types, nullability, keys and indexes",
        arguments: Engine.servers
    )
    func engines(_ server: Engine) async throws {
        var schemas: [[String: Set<String>]] = []
        for engine in [.sqlite, server] {
            try await engine.withEmptyDatabase { configuration in
                let migrator = try migrator(configuration)
                _ = try await migrator.up()
                let tables = try await migrator.dump().tables
                schemas.append(
                    Dictionary(uniqueKeysWithValues: tables.map { ($0.name, Set($0.items.compactMap(Self.portable))) })
                )
            }
        }
        #expect(Set(schemas[0].keys) == Set(schemas[1].keys))
        for (table, items) in schemas[0] {
            #expect(items.symmetricDifference(schemas[1][table] ?? []) == [], "\(table)")
        }
    }

    @Test("They have no lint errors")
    func lint() throws {
        let errors = try MigrationLint.findings(in: BundledMigrations.files).filter { $0.severity == .error }
        #expect(errors.map(\.description) == [])
    }

    /// What an item of a dump says that holds for both engines; nil for what only one of them can tell. SQLite does not
    /// keep the names of unique indexes and foreign keys, and needs a CHECK where MySQL has a type.
    private static func portable(_ item: String) -> String? {
        let words = item.split(separator: " ").map(String.init)
        let brackets = item.firstIndex(of: "(").map { String(item[$0...]) } ?? ""
        switch words[0] {
        case "check", "strict": return nil
        case "unique": return "unique \(brackets)"
        case "foreign": return "foreign key \(brackets)"
        case "column":
            let kind =
                switch words[2].prefix(while: \.isLetter) {
                case "char", "varchar", "mediumtext", "text": "text"
                case "bigint", "int", "tinyint", "integer": "integer"
                case "binary", "varbinary", "mediumblob", "blob": "blob"
                default: "another type: \(words[2])"
                }
            return "column \(words[1]) \(kind)\(item.contains(" not null") ? " not null" : "")"
        default: return item
        }
    }

    private func folder(_ configuration: DatabaseConfiguration) throws -> MigrationFolder {
        try MigrationFolder(files: BundledMigrations.files, dialect: configuration.dialect)
    }

    private func migrator(_ configuration: DatabaseConfiguration) throws -> Migrator {
        Migrator(configuration, folder: try folder(configuration), logger: quietLogger)
    }

    /// Every column, with type and nullability, and every index.
    private func schema(_ configuration: DatabaseConfiguration) async throws -> [String] {
        let query: SQL =
            switch configuration.dialect {
            case .sqlite: "SELECT COALESCE(sql, name) AS line FROM sqlite_master WHERE name <> 'sqlite_sequence'"
            case .mysql:
                """
                SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, collation_name, column_key) AS line
                FROM information_schema.columns WHERE table_schema = DATABASE()
                UNION ALL
                SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, non_unique)
                FROM information_schema.statistics WHERE table_schema = DATABASE()
                """
            }
        let database = Database(configuration, logger: quietLogger)
        let lines = try await database.read { try $0.rows(query).map { try $0.get("line", as: String.self) } }
        await database.shutDown()
        return lines.sorted()
    }
}
