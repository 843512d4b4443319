internal import ArgumentParser
internal import Registry

/// `mcp-registry keys compromised`
struct KeysCompromisedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compromised",
        abstract:
            "Say that somebody may have a key: users' tokens under it are not given out any more, and must be renewed.",
        discussion: """
            Promote another key first, and do this before you rewrap: afterwards nobody knows which tokens the key has sealed. \
            Store discovery credentials under it anew, and make new API keys if 'keys status' shows a server secret under it.
            """
    )

    @OptionGroup var options: RegistryOptions

    @Argument(help: "The key's number.")
    var id: UInt32

    func run() async throws {
        let count = try await options.run(needsRing: true) { registry async throws(RegistryError) in
            try await registry.markCompromised(id, by: .commandLine)
        }
        try standardOutput(
            options.json
                ? #"{"key":\#(id),"expired_user_tokens":\#(count)}"#
                : "key \(id) is compromised: \(count) users' tokens have to be renewed, and are not given out until then"
        )
    }
}
