internal import ArgumentParser

/// `mcp-registry audit …`
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Look into the audit log: who did what, to what, and how it ended.",
        discussion: """
            Works on DATABASE_URL, which must be migrated; reads only. Exit codes: 0 done, 1 error, 2 wrong usage or \
            configuration, 5 when rows were changed or removed (verify), 6 when the database is not migrated, 8 when it can't \
            be reached.
            """,
        subcommands: [AuditListCommand.self, AuditVerifyCommand.self],
        defaultSubcommand: AuditListCommand.self
    )
}
