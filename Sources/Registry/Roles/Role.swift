internal import DBDriver

/// A role: what its users may do, and what their agents are told.
public struct Role: Sendable, Equatable {
    /// The unique name.
    public let name: RoleName
    /// What agents add to their system prompt for users with this role; may be empty.
    public let defaultSystemPrompt: String

    init(row: Row) throws(DatabaseError) {
        name = try row.get("name")
        defaultSystemPrompt = try row.get("default_system_prompt")
    }
}

/// A user and their role.
public struct User: Sendable, Equatable {
    /// What agents call the user by.
    public let id: UserID
    /// The user's role, if any.
    public let role: RoleName?

    init(row: Row) throws(DatabaseError) {
        id = try row.get("user_id")
        role = try row.get("role_name")
    }
}

/// A default system prompt within its limit.
public struct SystemPrompt: Sendable, Equatable {
    /// The text.
    public let text: String

    /// Checks the length.
    ///
    /// - Throws: ``RegistryError`` with code `invalid` above ``Limits/promptCharactersMax``.
    public init(_ text: String) throws(RegistryError) {
        let length = text.unicodeScalars.count
        guard length <= Limits.promptCharactersMax else {
            throw RegistryError(
                .invalid,
                "Provided default_system_prompt length=\(length) exceeds maximum \(Limits.promptCharactersMax) characters"
            )
        }
        self.text = text
    }
}
