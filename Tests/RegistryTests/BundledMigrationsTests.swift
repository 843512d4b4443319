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
