public import DBDriver

/// A name as callers write it: checked once at the edge, then trusted.
///
/// Names compare by their bytes on both engines. 1 to 255 characters, no control characters, no white space at either end
/// (MariaDB's `utf8mb4_bin` ignores trailing blanks when it compares).
public protocol Name: RawRepresentable, SQLConvertible, Sendable, Hashable, Codable, CustomStringConvertible
where RawValue == String {
    /// The name of the thing in error messages and in requests, such as `service_name`.
    static var label: String { get }
    /// Takes a text that is known to keep the rules.
    init(trusted: String)
}

extension Name {
    /// The text when it keeps the rules, else nil.
    public init?(rawValue: String) {
        guard Self.problem(with: rawValue) == nil else { return nil }
        self.init(trusted: rawValue)
    }

    /// The text when it keeps the rules.
    ///
    /// - Parameters:
    ///   - text: what the caller wrote.
    ///   - field: what the caller calls it, where that differs from ``label``.
    /// - Throws: ``RegistryError`` with code `invalid`, naming the field and the rule.
    public init(_ text: String, field: String = Self.label) throws(RegistryError) {
        if let problem = Self.problem(with: text) { throw RegistryError(.invalid, "\(field) \(problem)") }
        self.init(trusted: text)
    }

    /// The name itself.
    public var description: String { rawValue }

    /// What names are compared by: for `String`, texts in different Unicode forms would be equal.
    var key: [UInt8] { Array(rawValue.utf8) }

    private static func problem(with text: String) -> String? {
        // Nearly every name is of such characters, and keeps the rules without a look into Unicode's tables.
        if (1...Limits.nameCharactersMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (UInt8(ascii: "!")...UInt8(ascii: "~")).contains($0) })
        {
            return nil
        }
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last else { return "must not be empty" }
        guard scalars.count <= Limits.nameCharactersMax else {
            return "is longer than \(Limits.nameCharactersMax) characters"
        }
        guard !first.properties.isWhitespace, !last.properties.isWhitespace else {
            return "must not begin or end with white space"
        }
        guard !scalars.contains(where: { $0.properties.generalCategory == .control }) else {
            return "must not contain control characters"
        }
        return nil
    }
}

/// The unique name of a service.
public struct ServiceName: Name {
    /// `service_name`
    public static let label = "service_name"
    /// The name.
    public let rawValue: String

    /// Takes a text that is known to keep the rules.
    public init(trusted: String) { rawValue = trusted }
}

/// The unique name of a role.
public struct RoleName: Name {
    /// `role_name`
    public static let label = "role_name"
    /// The name.
    public let rawValue: String

    /// Takes a text that is known to keep the rules.
    public init(trusted: String) { rawValue = trusted }
}

/// A caller's name in the audit log, as `whoami` tells it, such as `key:agent`.
public struct AgentName: Name {
    /// `agent`
    public static let label = "agent"
    /// The name.
    public let rawValue: String

    /// Takes a text that is known to keep the rules.
    public init(trusted: String) { rawValue = trusted }
}

/// The unique name of an API key: what the program is called that has it.
public struct APIKeyName: Name {
    /// `name`
    public static let label = "name"
    /// The name.
    public let rawValue: String

    /// Takes a text that is known to keep the rules.
    public init(trusted: String) { rawValue = trusted }
}

/// What an agent calls a user by; the registry gives it no further meaning.
public struct UserID: Name {
    /// `user_id`
    public static let label = "user_id"
    /// The id.
    public let rawValue: String

    /// Takes a text that is known to keep the rules.
    public init(trusted: String) { rawValue = trusted }
}

/// The number that the registry gives a tool. It stays the same as long as the tool exists.
public struct ToolID: RawRepresentable, SQLConvertible, Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The number.
    public let rawValue: Int64

    /// The tool with a number.
    public init(rawValue: Int64) { self.rawValue = rawValue }

    /// The number in decimal.
    public var description: String { "\(rawValue)" }

    /// By number.
    public static func < (left: ToolID, right: ToolID) -> Bool { left.rawValue < right.rawValue }
}

/// How a service wants its credential in the `Authorization` header.
public enum AuthorizationMethod: String, SQLConvertible, Sendable, Codable, CaseIterable {
    /// The service wants none.
    case none = ""
    /// RFC 7617.
    case basic = "Basic"
    /// RFC 6750.
    case bearer = "Bearer"

    /// The method with a name, where one is required.
    ///
    /// - Throws: ``RegistryError`` with code `invalid`, naming the two that exist.
    public init(required text: String) throws(RegistryError) {
        guard let method = AuthorizationMethod(rawValue: text), method != .none else {
            throw RegistryError(
                .invalid,
                "method_authorization must be 'Basic' or 'Bearer' when authorization is required"
            )
        }
        self = method
    }
}
