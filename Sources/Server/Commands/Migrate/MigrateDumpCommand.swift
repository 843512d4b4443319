internal import ArgumentParser
internal import DBDriver
internal import MCP

/// `mcp-registry migrate dump`
struct MigrateDumpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Print the schema of the database in canonical form: the same schema gives the same text."
    )

    @OptionGroup var options: MigrateOptions

    func run() async throws {
        let dump = try await options.run { migrator async throws(MigrationError) in try await migrator.dump() }
        try options.show(
            String(dump.text.dropLast()),
            [
                "tables": .array(
                    dump.tables.map { table in
                        [
                            "name": .string(table.name), "kind": .string(table.kind.rawValue),
                            "items": .array(table.items.map(JSONValue.string)),
                        ]
                    }
                )
            ]
        )
    }
}
