internal import ArgumentParser
internal import DBDriver

/// `mcp-registry migrate redo`
struct MigrateRedoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redo",
        abstract: "Take the latest migration back and apply it again, to try it while writing it. Destroys data.",
        discussion:
            "Its files may have been edited since. Cut off in between, run it again; when it was taken back already, `migrate up` does the rest."
    )

    @OptionGroup var options: MigrateOptions
    @OptionGroup var runOptions: MigrationRunOptions

    @Flag(help: "Yes, destroy the data that this migration holds.")
    var yes = false

    func run() async throws {
        let plan = try await options.run { migrator async throws(MigrationError) in
            try await migrator.planRedo()
        }
        guard let version = plan.first?.version else {
            return try options.show("nothing to do", [FinishedMigration]().json)
        }
        try options.confirm(plan, yes)
        let done = try await options.run(runOptions.apply) { migrator async throws(MigrationError) in
            try await MigrationReport.telling { tell async throws(MigrationError) in
                try await migrator.redo(confirmed: version, progress: tell)
            }
        }
        try options.show(done.last.map { "\($0.label): taken back and applied again" } ?? "nothing to do", done.json)
    }
}
