internal import ArgumentParser
internal import DBDriver
internal import MCP

/// `mcp-registry migrate resolve`
struct MigrateResolveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve",
        abstract: "Say whether the statement at which a half-applied migration stopped has taken effect.",
        discussion: "migrate up and down name the statement when they can't decide it themselves."
    )

    @OptionGroup var options: MigrateOptions

    @Argument(help: "The migration's version.")
    var version: Int

    @Option(help: "The number of the statement, counted from 1.")
    var statement: Int

    @Flag(help: "Whether it has taken effect in the database.")
    var outcome: Outcome

    enum Outcome: String, EnumerableFlag {
        case done
        case notDone
    }

    func run() async throws {
        let (version, statement, isDone) = (version, statement, outcome == .done)
        try await options.run { migrator async throws(MigrationError) in
            try await migrator.resolve(version: version, statement: statement, isDone: isDone)
        }
        try options.show(
            "noted: statement \(statement) of migration \(version) is \(isDone ? "done" : "not done")",
            [
                "version": .integer(Int64(version)), "statement": .integer(Int64(statement)),
                "is_done": .bool(isDone),
            ]
        )
    }
}
