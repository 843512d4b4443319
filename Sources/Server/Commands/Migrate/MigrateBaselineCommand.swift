internal import ArgumentParser
internal import DBDriver
internal import MCP

/// `mcp-registry migrate baseline`
struct MigrateBaselineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline",
        abstract:
            "Take a database that has a version's tables from elsewhere for migrated to that version. Runs nothing."
    )

    @OptionGroup var options: MigrateOptions

    @Option(help: "The version that the schema is at.")
    var at: Int

    func validate() throws {
        guard at >= 1 else { throw ValidationError("--at must be 1 or more") }
    }

    func run() async throws {
        let at = at
        let versions = try await options.run { migrator async throws(MigrationError) in
            try await migrator.baseline(at: at)
        }
        try options.show(
            "noted \(versions.count) migration(s) as applied",
            ["applied": .array(versions.map { .integer(Int64($0)) })]
        )
    }
}
