internal import ArgumentParser
internal import DBDriver
internal import MCP

/// `mcp-registry migrate wait`
struct MigrateWaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until the database answers, or until its schema is one that this program can work with.",
        discussion: "Ends with 7 when that takes longer than --timeout seconds (default 60)."
    )

    /// How long to wait unless `--timeout` says otherwise.
    private static let timeout = Duration.seconds(60)
    /// How often to look.
    private static let pause = Duration.milliseconds(500)

    @OptionGroup var options: MigrateOptions

    @Flag(help: "What to wait for.")
    var goal: Goal

    enum Goal: String, EnumerableFlag {
        case db
        case schema
    }

    func run() async throws {
        let goal = goal
        let deadline = ContinuousClock.now + (options.timeout.map { .seconds($0) } ?? Self.timeout)
        let reason = try await options.run { migrator async throws(MigrationError) in
            while let reason = try await Self.reason(goal, migrator) {
                guard ContinuousClock.now + Self.pause < deadline else { return reason as String? }
                try? await Task.sleep(for: Self.pause)
            }
            return nil
        }
        if let reason { throw options.failure("waited in vain: \(reason)", 7) }
        try options.show(
            goal == .db ? "the database answers" : "the schema is one that this program can work with",
            ["ready": true]
        )
    }

    /// Why there is still something to wait for.
    private static func reason(_ goal: Goal, _ migrator: Migrator) async throws(MigrationError) -> String? {
        do throws(MigrationError) {
            let status = try await migrator.status()
            return goal == .db || status.schema.isUsable ? nil : status.schema.advice(command: "mcp-registry migrate")
        } catch {
            // A wrong password does not get right by waiting, but a server that starts may say so for a while.
            guard error.exitCode == 8 else { throw error }
            return "\(error)"
        }
    }
}
