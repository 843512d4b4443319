internal import ArgumentParser
internal import Registry

/// `mcp-registry keys retire`
struct KeysRetireCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract:
            "Say that a key is not needed any more, so that it may leave the key rings. Refused while anything is sealed with it."
    )

    @OptionGroup var options: RegistryOptions

    @Argument(help: "The key's number.")
    var id: UInt32

    func run() async throws {
        try await options.run(needsRing: true) { registry async throws(RegistryError) in
            try await registry.retireKey(id, by: .commandLine)
        }
        try standardOutput(
            options.json
                ? #"{"key":\#(id)}"#
                : "key \(id) is retired: take it out of the key rings, and keep it with the backups"
        )
    }
}
