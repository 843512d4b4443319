internal import ArgumentParser
internal import DBDriver

/// `mcp-registry migrate plan`
struct MigratePlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Print the statements that up, or down, would run. Changes nothing."
    )

    @OptionGroup var options: MigrateOptions
    @OptionGroup var leniency: LeniencyOptions

    @Option(help: "The version to go to. (default: the latest)")
    var to: Int?

    @Flag(help: "Plan to take back everything above --to.")
    var down = false

    func validate() throws {
        guard !down || to != nil else { throw ValidationError("--down needs --to VERSION") }
    }

    func run() async throws {
        let (to, down, leniency) = (to, down, leniency.leniency)
        let plan = try await options.run(missing: .takeForEmpty) { migrator async throws(MigrationError) in
            try await down ? migrator.planDown(to: to) : migrator.planUp(to: to, leniency: leniency)
        }
        try options.show(plan.text, plan.json)
    }
}
