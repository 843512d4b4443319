/// What a caller may do, as API keys and access tokens name it (RFC 6749 §3.3).
public enum Scope: String, Sendable, CaseIterable, Comparable, CustomStringConvertible {
    /// Look at the catalogue: services, tools, roles, prompts.
    case read = "registry:read"
    /// Add services, and change those that the caller has added.
    case write = "registry:write"
    /// Change everything: roles, users, the services of others. Whoever may do that may do all of the catalogue, and name
    /// any user.
    case administer = "registry:admin"
    /// Be given users' tokens, those that a user or an administrator has granted to the caller.
    case readTokens = "tokens:read"
    /// Store and revoke users' tokens.
    case writeTokens = "tokens:write"
    /// Act for any user by naming it, as an agent does that serves many. Without it a caller acts for its own user only.
    case actForUsers = "users:act"

    /// The scopes that come with this one.
    public var implied: Set<Scope> {
        switch self {
        case .administer: [.administer, .write, .read, .actForUsers]
        case .write: [.write, .read]
        case .read, .readTokens, .writeTokens, .actForUsers: [self]
        }
    }

    /// The scope as it is written.
    public var description: String { rawValue }

    /// In the order in which they are declared.
    public static func < (left: Scope, right: Scope) -> Bool {
        let all = allCases
        return (all.firstIndex(of: left) ?? 0) < (all.firstIndex(of: right) ?? 0)
    }

    /// Reads scopes that are separated by blanks; those that the registry does not know are left out.
    public static func known(in text: some StringProtocol) -> Set<Scope> {
        Set(text.split(separator: " ").compactMap { Scope(rawValue: String($0)) })
    }
}

extension Set<Scope> {
    /// With everything that comes with them.
    public var withImplied: Set<Scope> { reduce(into: []) { $0.formUnion($1.implied) } }

    /// In their order, separated by blanks.
    public var text: String { sorted().map(\.rawValue).joined(separator: " ") }
}
