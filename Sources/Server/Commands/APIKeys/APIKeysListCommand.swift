internal import ArgumentParser
internal import DBDriver
internal import Foundation
internal import MCP
internal import Registry

/// `mcp-registry api-keys list`
struct APIKeysListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the keys, those that are refused too. No key can be shown again."
    )

    @OptionGroup var options: RegistryOptions

    func run() async throws {
        let keys = try await options.run(needsRing: false) { registry async throws(RegistryError) in
            try await registry.apiKeys()
        }
        let now = Timestamp.now()
        guard options.json else { return try standardOutput(Self.table(keys, now)) }
        try standardOutput(JSONValue.object(["api_keys": .array(keys.map { $0.json(at: now) })]).text)
    }

    private static func table(_ keys: [APIKey], _ now: Timestamp) -> String {
        let rows = keys.map { key in
            [
                key.name, key.state(at: now).rawValue, key.scopes.text, key.user?.rawValue ?? "-",
                key.expiresAt?.iso8601 ?? "never", key.lastUsedAt?.iso8601 ?? "never",
            ]
        }
        return rows.isEmpty
            ? "there are no API keys" : text([["name", "state", "scopes", "user", "ends", "last used"]] + rows)
    }

    /// Columns as wide as their widest cell.
    private static func text(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
                .trimmingCharacters(in: .whitespaces)
        }.joined(separator: "\n")
    }
}
