internal import DBDriver

/// The original registry's rows as they are stored: it checked little, so any of them may be bad.

/// A text as it is stored, perhaps none or no text at all.
struct OriginalText: SQLConvertible {
    private let bytes: [UInt8]?

    init(_ bytes: [UInt8]?) { self.bytes = bytes }

    init?(sqlValue: SQLValue) {
        guard let bytes = [UInt8]?(sqlValue: sqlValue) else { return nil }
        self.bytes = bytes
    }

    var sqlValue: SQLValue { bytes.sqlValue }

    /// The text.
    ///
    /// - Throws: ``RegistryError`` with code `invalid` when there is none, naming the field and never a byte of it.
    func text(_ field: String) throws(RegistryError) -> String {
        guard let bytes else { throw RegistryError(.invalid, "\(field) is missing") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw RegistryError(.invalid, "\(field) is not UTF-8")
        }
        return text
    }

    /// The text as a report shows it: without what is no text, and cut where no name goes on.
    var shown: String {
        String(String(decoding: bytes ?? [], as: UTF8.self).unicodeScalars.prefix(Limits.nameCharactersMax))
    }
}

/// A row that pages are counted by.
protocol OriginalRow: Sendable {
    /// Its `id`.
    var row: Int64 { get }
}

/// A row of `mcp_services`.
struct OriginalService: OriginalRow {
    let row: Int64
    let name: OriginalText
    let endpoint: OriginalText
    let description: OriginalText
    let requiresAuthorization: Bool
    let method: OriginalText
    /// How many tools it has.
    let toolCount: Int

    init(_ row: Row) throws(DatabaseError) {
        self.row = try row.get("id")
        name = try row.get("service_name")
        endpoint = try row.get("endpoint")
        description = try row.get("description")
        requiresAuthorization = try row.get("requires_authorization")
        method = try row.get("method_authorization")
        toolCount = try row.get("tool_count")
    }

    /// The service, when the registry takes one like that.
    ///
    /// - Throws: ``RegistryError`` with code `invalid`
    func checked() throws(RegistryError) -> NewService {
        try NewService(
            name: try name.text("service_name"),
            endpoint: try endpoint.text("endpoint"),
            description: try description.text("description"),
            requiresAuthorization: requiresAuthorization,
            method: try method.text("method_authorization")
        )
    }
}

/// A row of `mcp_tools`.
struct OriginalTool: OriginalRow {
    let row: Int64
    /// The row of its service; nil when that is missing.
    let serviceRow: Int64?
    let serviceName: OriginalText
    let name: OriginalText
    let description: OriginalText

    init(_ row: Row) throws(DatabaseError) {
        self.row = try row.get("id")
        serviceRow = try row.get("service_row")
        serviceName = try row.get("service_name")
        name = try row.get("name")
        description = try row.get("description")
    }

    /// All that the original knew of the tool.
    ///
    /// - Throws: ``RegistryError`` with code `invalid`
    func checked() throws(RegistryError) -> OfferedTool {
        let description = try description.text("the tool's description")
        try NewService.check(description)
        return .unread(named: try ToolName(try name.text(ToolName.label)).rawValue, description)
    }

    /// How a report names it.
    var shown: String { "'\(name.shown)' of service '\(serviceName.shown)'" }
}

/// The name of a tool that nobody has read yet: the rules of a name keep both engines from taking two for one.
private struct ToolName: Name {
    static let label = "the tool's name"
    let rawValue: String

    init(trusted: String) { rawValue = trusted }
}

/// A row of `mcp_roles`.
struct OriginalRole: OriginalRow {
    let row: Int64
    let name: OriginalText
    let prompt: OriginalText

    init(_ row: Row) throws(DatabaseError) {
        self.row = try row.get("id")
        name = try row.get("name")
        prompt = try row.get("default_system_prompt")
    }
}

/// A row of `mcp_tool_roles`, with what it links.
struct OriginalLink: OriginalRow {
    let row: Int64
    let toolRow: Int64
    let roleRow: Int64
    /// The rest is nil when there is no such tool.
    let toolName: OriginalText
    let isToolThere: Bool
    let serviceName: OriginalText
    let serviceRow: Int64?

    init(_ row: Row) throws(DatabaseError) {
        self.row = try row.get("id")
        toolRow = try row.get("tool_id")
        roleRow = try row.get("role_id")
        toolName = try row.get("tool_name")
        isToolThere = try row.get("known_tool", as: Int64?.self) != nil
        serviceName = try row.get("service_name")
        serviceRow = try row.get("service_row")
    }
}

/// A row of `mcp_users`.
struct OriginalUser: OriginalRow {
    let row: Int64
    let id: OriginalText
    let roleRow: Int64?

    init(_ row: Row) throws(DatabaseError) {
        self.row = try row.get("id")
        id = try row.get("user_id")
        roleRow = try row.get("role_id_fk")
    }
}

/// A row of `user_access_tokens`, with the user and the service that it belongs to.
struct OriginalToken: OriginalRow {
    let row: Int64
    let userRow: Int64
    let isUserThere: Bool
    let user: OriginalText
    let serviceName: OriginalText
    /// The row of its service; nil when that is missing.
    let serviceRow: Int64?
    let token: OriginalText
    /// Whether it was stored before its service was added, and so for another one that had the same name.
    let isOlderThanService: Bool

    init(_ row: Row) throws(DatabaseError) {
        self.row = try row.get("id")
        userRow = try row.get("user_id_fk")
        isUserThere = try row.get("known_user", as: Int64?.self) != nil
        user = try row.get("user_id")
        serviceName = try row.get("service_name")
        serviceRow = try row.get("service_row")
        token = try row.get("token")
        isOlderThanService = try row.get("is_older")
    }

    /// How a report names it.
    var shown: String {
        (isUserThere ? "user '\(user.shown)'" : "user row \(userRow)") + ", service '\(serviceName.shown)'"
    }
}
