/// Who asks. Recorded with every change.
public struct Principal: Sendable, Hashable {
    /// The name in the audit log.
    public var name: String

    /// A caller by name.
    public init(name: String) {
        self.name = name
    }

    /// Whoever holds the administrator's token.
    public static let administrator = Principal(name: "admin")
    /// The registry itself, when it reads services again in the background.
    public static let refresher = Principal(name: "refresher")
    /// Whoever runs the command that brings another registry's database over.
    public static let importer = Principal(name: "import-original")
    /// Anybody, where access control is off.
    public static let anonymous = Principal(name: "anonymous")
}
