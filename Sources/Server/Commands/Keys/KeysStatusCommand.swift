internal import ArgumentParser
internal import Foundation
internal import MCP
internal import Registry

/// `mcp-registry keys status`
struct KeysStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show each key: how it stands, what is sealed with it, and which running servers lack it."
    )

    @OptionGroup var options: RegistryOptions

    func run() async throws {
        let keys = try await options.run(needsRing: true) { registry async throws(RegistryError) in
            try await registry.keys()
        }
        guard options.json else { return try standardOutput(keys.map(Self.line).joined(separator: "\n")) }
        try standardOutput(JSONValue.object(["keys": .array(keys.map(Self.json))]).text)
    }

    private static func line(_ key: KeyStatus) -> String {
        let state = key.state?.rawValue ?? "new"
        let rows =
            "\(key.rows) rows (\(key.userTokens) user tokens, \(key.discoveryCredentials) discovery credentials, "
            + "\(key.serverSecrets) server secrets)"
        let lacks = key.missingFrom.isEmpty ? "" : ", missing from \(key.missingFrom.joined(separator: ", "))"
        return "key \(key.id): \(state), \(rows)\(key.isInRing ? "" : ", not in this key ring")\(lacks)"
    }

    private static func json(_ key: KeyStatus) -> JSONValue {
        [
            "id": .integer(Int64(key.id)), "state": key.state.map { .string($0.rawValue) } ?? .null,
            "is_in_ring": .bool(key.isInRing), "rows": .integer(Int64(key.rows)),
            "user_tokens": .integer(Int64(key.userTokens)),
            "discovery_credentials": .integer(Int64(key.discoveryCredentials)),
            "server_secrets": .integer(Int64(key.serverSecrets)),
            "missing_from": .array(key.missingFrom.map(JSONValue.string)),
        ]
    }
}
