internal import ArgumentParser

/// `mcp-registry migrate …`: data goes to standard output, what happens meanwhile to standard error.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database's schema to the version of this program, or back.",
        discussion: """
            Exit codes: 0 done or nothing to do, 1 error, 2 wrong usage or configuration, 3 the history in the database \
            differs from the files, 4 a migration is half applied, 5 the schema has drifted (diff), 6 migrations are pending (status --exit-code), 7 the time \
            to wait is over, 8 the database can't be reached.
            """,
        subcommands: [
            MigrateUpCommand.self, MigrateDownCommand.self, MigrateRedoCommand.self, MigrateStatusCommand.self,
            MigratePlanCommand.self, MigrateVerifyCommand.self, MigrateDumpCommand.self, MigrateDiffCommand.self,
            MigrateLintCommand.self,
            MigrateWaitCommand.self, MigrateNewCommand.self,
            MigrateBaselineCommand.self, MigrateResolveCommand.self, MigrateRepairCommand.self,
            MigrateUnlockCommand.self,
        ]
    )
}
