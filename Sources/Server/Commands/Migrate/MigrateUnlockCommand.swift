internal import ArgumentParser
internal import DBDriver
internal import MCP

/// `mcp-registry migrate unlock`
struct MigrateUnlockCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock",
        abstract: "Take the migration lock away from a process that is dead.",
        discussion: "Rarely needed: the lock of a process that died ends by itself within a minute."
    )

    @OptionGroup var options: MigrateOptions

    @Option(help: "The lock's owner, as status shows it.")
    var owner: String

    func run() async throws {
        let owner = owner
        try await options.run { migrator async throws(MigrationError) in try await migrator.unlock(owner: owner) }
        try options.show("the migration lock is free", ["unlocked": .string(owner)])
    }
}
