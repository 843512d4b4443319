internal import ArgumentParser
internal import DBDriver
internal import MCP

/// `mcp-registry migrate repair`
struct MigrateRepairCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair",
        abstract: "Accept the files of a migration as they are now, although it was applied with others.",
        discussion: "Runs nothing. The old and new checksums, and who accepted them, are kept in schema_migration_log."
    )

    @OptionGroup var options: MigrateOptions

    @Option(help: "The version whose files to accept.")
    var accept: Int

    func run() async throws {
        let version = accept
        try await options.run { migrator async throws(MigrationError) in try await migrator.repair(version: version) }
        try options.show("noted: migration \(version) is as its files are now", ["accepted": .integer(Int64(version))])
    }
}
