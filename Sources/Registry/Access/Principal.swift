/// Who asks, and what it may do. Its name is recorded with every change.
public struct Principal: Sendable, Hashable {
    /// The name in the audit log; also what owns services and is granted tokens.
    public let name: String
    /// What it may do.
    public let scopes: Set<Scope>
    /// The user that it is, or acts for when it names none.
    public let user: UserID?
    /// Whether it came with an access token of an identity provider, which it can ask for more scopes.
    public let isOAuth: Bool

    /// A caller.
    ///
    /// - Parameters:
    ///   - name: a name that no other caller has.
    ///   - scopes: what it may do; what they imply is added.
    ///   - user: the user that it is.
    ///   - isOAuth: whether it came with an access token of an identity provider.
    public init(name: String, scopes: Set<Scope>, user: UserID? = nil, isOAuth: Bool = false) {
        self.name = name
        self.scopes = scopes.withImplied
        self.user = user
        self.isOAuth = isOAuth
    }

    /// Whoever holds the administrator's token.
    public static let administrator = Principal(name: "admin", scopes: Set(Scope.allCases))
    /// The registry itself, when it reads services again in the background.
    public static let refresher = Principal(name: "refresher", scopes: [.administer])
    /// Whoever runs the command that brings another registry's database over.
    public static let importer = Principal(name: "import-original", scopes: [.administer, .writeTokens])
    /// Whoever runs a command of the program on the database itself.
    public static let commandLine = Principal(name: "command line", scopes: Set(Scope.allCases))
    /// Anybody, where access control is off.
    public static let anonymous = Principal(name: "anonymous", scopes: Set(Scope.allCases))

    /// Whether it may do what a scope stands for.
    public func may(_ scope: Scope) -> Bool { scopes.contains(scope) }

    /// Makes sure that it may act for a user.
    ///
    /// - Throws: `forbidden`
    public func requireActing(for other: UserID) throws(RegistryError) {
        guard !may(.actForUsers), user != other else { return }
        let whose = user.map { "acts for user '\($0)' only" } ?? "is no user"
        throw RegistryError(
            .forbidden,
            "this caller \(whose): to name another user_id takes the scope \(Scope.actForUsers)"
        )
    }

    /// Makes sure that it may change what an owner has added.
    ///
    /// - Throws: `forbidden`
    func requireOwning(_ service: ServiceName, of owner: String?) throws(RegistryError) {
        guard !may(.administer), owner != name else { return }
        throw RegistryError(
            .forbidden,
            "the service '\(service)' was added by somebody else: to change it takes the scope \(Scope.administer)"
        )
    }
}
