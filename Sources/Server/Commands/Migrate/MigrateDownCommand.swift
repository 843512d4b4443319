internal import ArgumentParser
internal import DBDriver

/// `mcp-registry migrate down`
struct MigrateDownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down",
        abstract: "Take back migrations, the latest first. Destroys data.",
        discussion: "Without --yes it says what would be lost, changes nothing, and ends with exit code 2."
    )

    @OptionGroup var options: MigrateOptions
    @OptionGroup var runOptions: MigrationRunOptions

    @Option(help: "The version to go back to; 0 takes back all.")
    var to: Int?

    @Option(help: "How many migrations to take back, instead of --to.")
    var steps: Int?

    @Flag(help: "Yes, destroy the data that these migrations hold.")
    var yes = false

    func validate() throws {
        guard (to == nil) != (steps == nil) else { throw ValidationError("say --to VERSION or --steps COUNT") }
        guard (to ?? 0) >= 0 else { throw ValidationError("--to must be 0 or more") }
        guard (steps ?? 1) >= 1 else { throw ValidationError("--steps must be 1 or more") }
    }

    func run() async throws {
        let (to, steps) = (to, steps)
        let plan = try await options.run { migrator async throws(MigrationError) in
            try await migrator.planDown(to: to, steps: steps ?? 1)
        }
        guard let last = plan.last else { return try options.show("nothing to do", [FinishedMigration]().json) }
        try options.confirm(plan, yes)
        let done = try await options.run(runOptions.apply) { migrator async throws(MigrationError) in
            try await MigrationReport.telling { tell async throws(MigrationError) in
                try await migrator.down(
                    to: last.version - 1,
                    confirmed: Set(plan.map(\.version)),
                    progress: tell
                )
            }
        }
        try options.show("took back \(done.count) migration(s)", done.json)
    }
}

extension MigrateOptions {
    /// Says what migrations that are taken back would destroy.
    ///
    /// - Throws: ``CommandFailure`` with exit code 2 when nobody said `--yes`.
    func confirm(_ plan: [PlannedMigration], _ yes: Bool) throws {
        let losses = plan.flatMap(\.destroys).map { "\n  \($0)" }.joined()
        let labels = plan.map(\.label).joined(separator: ", ")
        let story = "taking back \(labels) destroys" + (losses.isEmpty ? " no data" : losses)
        guard yes else { throw failure("\(story)\nsay --yes if that is what you want", 2) }
        if !losses.isEmpty { standardError(story) }
    }
}
