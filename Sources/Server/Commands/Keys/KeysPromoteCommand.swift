internal import ArgumentParser
internal import Registry

/// `mcp-registry keys promote`
struct KeysPromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract:
            "Make a key the one that all servers seal new tokens with. Refused while a running server lacks it."
    )

    @OptionGroup var options: RegistryOptions

    @Argument(help: "The key's number.")
    var id: UInt32

    func run() async throws {
        try await options.run(needsRing: true) { registry async throws(RegistryError) in
            try await registry.promoteKey(id, by: .commandLine)
        }
        try standardOutput(options.json ? #"{"key":\#(id)}"# : "key \(id) is the active one from now on")
    }
}
