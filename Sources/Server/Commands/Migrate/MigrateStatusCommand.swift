internal import ArgumentParser
internal import DBDriver

/// `mcp-registry migrate status`
struct MigrateStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show which migrations are applied. Changes nothing."
    )

    @OptionGroup var options: MigrateOptions

    @Flag(help: "End with 6 when migrations are pending, 4 when one is half applied, 3 when the history differs.")
    var exitCode = false

    func run() async throws {
        let status = try await options.run { migrator async throws(MigrationError) in try await migrator.status() }
        try options.show(status.text, status.json)
        if exitCode, status.exitCode != 0 { throw ExitCode(status.exitCode) }
    }
}

extension MigrationStatus {
    /// What a pipeline should end with.
    fileprivate var exitCode: Int32 {
        let states = Set(entries.map(\.state))
        if !states.isDisjoint(with: [.edited, .unknown]) { return 3 }
        if !states.isDisjoint(with: [.running, .failed]) { return 4 }
        return states.contains(.pending) ? 6 : 0
    }
}
