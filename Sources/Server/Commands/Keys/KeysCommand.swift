internal import ArgumentParser

/// `mcp-registry keys …`
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Make and rotate the keys that tokens are encrypted with.",
        discussion: """
            Rotation without downtime: add the new key to every server's key ring (its active key stays the old one), start the \
            servers again, promote NEW, rewrap --from OLD, retire OLD, and take OLD out of the rings. Exit codes: 0 done, 1 \
            refused or error, 2 wrong usage or configuration, or rows that could not be opened; 6 when the database is not \
            migrated, 8 when it can't be reached.
            """,
        subcommands: [
            KeysGenerateCommand.self, KeysStatusCommand.self, KeysPromoteCommand.self, KeysRewrapCommand.self,
            KeysRetireCommand.self, KeysCompromisedCommand.self,
        ]
    )
}
