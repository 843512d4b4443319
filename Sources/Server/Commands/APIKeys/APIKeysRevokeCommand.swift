internal import ArgumentParser
internal import Registry

/// `mcp-registry api-keys revoke`
struct APIKeysRevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Refuse a key from now on, on every server at once. It stays in the list, and its name stays taken."
    )

    @OptionGroup var options: RegistryOptions

    @Argument(help: "The key's name.")
    var name: String

    func run() async throws {
        let key: APIKeyName
        do throws(RegistryError) {
            key = try APIKeyName(name)
        } catch {
            throw CommandFailure(message: error.message, exitCode: 2)
        }
        try await options.run(needsRing: false) { registry async throws(RegistryError) in
            try await registry.revokeAPIKey(key, by: .commandLine)
        }
        try standardOutput(options.json ? #"{"revoked":true}"# : "API key '\(key)' is refused from now on")
    }
}
