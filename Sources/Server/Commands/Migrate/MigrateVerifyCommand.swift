internal import ArgumentParser
internal import DBDriver
internal import MCP

/// `mcp-registry migrate verify`
struct MigrateVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare what was applied with the files: names and checksums. Ends with 3 when they differ."
    )

    @OptionGroup var options: MigrateOptions

    func run() async throws {
        let differences = try await options.run { migrator async throws(MigrationError) in
            try await migrator.verify()
        }
        try options.show(
            differences.isEmpty
                ? "all applied migrations are as their files"
                : differences.map { "\($0)" }
                    .joined(separator: "\n"),
            ["differences": .array(differences.map { .string("\($0)") })]
        )
        if let first = differences.first { throw ExitCode(first.exitCode) }
    }
}
