internal import ArgumentParser
internal import DBDriver

/// `mcp-registry migrate up`
struct MigrateUpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Apply what is not applied yet, and finish what was half applied."
    )

    @OptionGroup var options: MigrateOptions
    @OptionGroup var runOptions: MigrationRunOptions
    @OptionGroup var leniency: LeniencyOptions

    @Option(help: "The last version to apply. (default: all)")
    var to: Int?

    @Flag(help: "Print the statements that would run, and run none.")
    var dryRun = false

    func run() async throws {
        let (to, leniency) = (to, leniency.leniency)
        if dryRun {
            let plan = try await options.run(missing: .takeForEmpty) { migrator async throws(MigrationError) in
                try await migrator.planUp(to: to, leniency: leniency)
            }
            return try options.show(plan.text, plan.json)
        }
        let done = try await options.run(missing: .create, runOptions.apply) {
            migrator async throws(MigrationError) in
            try await MigrationReport.telling { tell async throws(MigrationError) in
                try await migrator.up(to: to, leniency: leniency, progress: tell)
            }
        }
        try options.show(
            done.isEmpty ? "nothing to do: the schema is up to date" : "applied \(done.count) migration(s)",
            done.json
        )
    }
}
