internal import ArgumentParser
internal import DBDriver
internal import MCP

/// `mcp-registry migrate diff`
struct MigrateDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract:
            "Compare the schema of the database with what its applied migrations make. Ends with 5 when it drifted.",
        discussion: """
            The migrations are replayed on a scratch database, which is dropped again: on SQLite in memory, on MySQL beside the \
            database, as NAME_replay_…, so that the user needs the right to create databases of such names.
            """
    )

    @OptionGroup var options: MigrateOptions

    func run() async throws {
        let drift = try await options.run { migrator async throws(MigrationError) in try await migrator.diff() }
        try options.show(
            drift.isEmpty ? "the schema is what the migrations make" : drift.map(\.description).joined(separator: "\n"),
            [
                "drift": .array(
                    drift.map {
                        ["kind": .string($0.kind.rawValue), "table": .string($0.table), "item": .string($0.item)]
                    }
                )
            ]
        )
        if !drift.isEmpty { throw ExitCode(5) }
    }
}
