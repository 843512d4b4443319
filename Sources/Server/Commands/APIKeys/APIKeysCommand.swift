internal import ArgumentParser
internal import DBDriver
internal import MCP
internal import Registry

/// `mcp-registry api-keys …`
struct APIKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-keys",
        abstract: "Make, list and revoke the keys with which programs call the registry.",
        discussion: """
            They are sent as 'Authorization: Bearer mcpr_…'. Works on DATABASE_URL, which must be migrated; create needs the \
            key ring of the servers too (REGISTRY_KEY or REGISTRY_KEYRING). Exit codes: 0 done, 1 error, 2 wrong usage or \
            configuration, 6 when the database is not migrated, 8 when it can't be reached.
            """,
        subcommands: [APIKeysCreateCommand.self, APIKeysListCommand.self, APIKeysRevokeCommand.self]
    )
}

extension APIKey {
    /// What is known about it; never the key.
    func json(at now: Timestamp) -> JSONValue {
        [
            "id": .string(id), "name": .string(name), "state": .string(state(at: now).rawValue),
            "scopes": .array(scopes.sorted().map { .string($0.rawValue) }),
            "user_id": user.map { .string($0.rawValue) } ?? .null,
            "created_at": .string(createdAt.iso8601), "created_by": .string(createdBy),
            "expires_at": expiresAt.map { .string($0.iso8601) } ?? .null,
            "revoked_at": revokedAt.map { .string($0.iso8601) } ?? .null,
            "last_used_at": lastUsedAt.map { .string($0.iso8601) } ?? .null,
        ]
    }
}
