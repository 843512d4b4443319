internal import ArgumentParser
internal import Foundation
internal import Registry

/// `mcp-registry keys generate`
struct KeysGenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Print a new random key for REGISTRY_KEY, or a whole ring for REGISTRY_KEYRING."
    )

    @Flag(help: "Print a key ring in JSON with the new key as number 1.")
    var ring = false

    func run() throws {
        let key = Data(KeyRing.generateKey()).base64EncodedString()
        try standardOutput(ring ? #"{"active": 1, "keys": {"1": "\#(key)"}}"# : key)
    }
}
