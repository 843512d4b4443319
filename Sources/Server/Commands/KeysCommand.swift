internal import ArgumentParser
internal import Foundation
internal import Registry

/// `mcp-registry keys …`
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Make the keys that tokens are encrypted with.",
        subcommands: [Generate.self]
    )

    /// `mcp-registry keys generate`
    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a new random key for REGISTRY_KEY, or a whole ring for REGISTRY_KEYRING."
        )

        @Flag(help: "Print a key ring in JSON with the new key as number 1.")
        var ring = false

        func run() {
            let key = Data(KeyRing.generateKey()).base64EncodedString()
            print(ring ? #"{"active": 1, "keys": {"1": "\#(key)"}}"# : key)
        }
    }
}
