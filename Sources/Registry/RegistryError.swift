/// Why a use case of the registry failed.
///
/// The layers above map ``code`` to an HTTP status and to an MCP result in one table each. ``message`` is for the caller: it
/// names the thing and what to do, and never holds a secret or a word of the database's. ``detail`` is for the log.
public struct RegistryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Sendable, CaseIterable {
        /// The input breaks a rule; nothing was changed.
        case invalid
        /// The thing that was named does not exist.
        case notFound
        /// The thing exists already, or changed meanwhile.
        case conflict
        /// The user has given no credential for the service.
        case unauthenticated
        /// The caller may not do this.
        case forbidden
        /// The service to be discovered did not answer as it should.
        case upstream
        /// The registry cannot do it at present: no database, no key.
        case unavailable
        /// The key that a stored token was sealed with is not in this server's ring; another server may have it.
        case keyUnavailable = "key_unavailable"
        /// A defect of the registry.
        case `internal`
    }

    /// What kind of failure it is.
    public var code: Code
    /// A sentence for the caller.
    public var message: String
    /// A sentence for the log, beyond the message.
    public var detail: String?
    /// Whether the same request may succeed when it is made again, although its code says otherwise.
    var isPassing = false

    /// A failure of a kind, with its sentence for the caller.
    public init(_ code: Code, _ message: String, detail: String? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
    }

    /// The message alone.
    public var description: String { message }
}
