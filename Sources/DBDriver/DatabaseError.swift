/// What went wrong in the database, in words a program can act on.
///
/// `description` is safe to log and to show: it has kind, native code and the statement's text with its question marks. The
/// server's own message may repeat user values (MySQL error 1062 prints the key), so it appears in
/// `debugDescription` only.
public struct DatabaseError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// What a caller can do about an error. The codes of each kind are listed in `Dialect+errors.swift`.
    public enum Kind: String, Sendable, CaseIterable {
        /// The transaction lost a conflict and did not happen: run the whole of it again.
        case conflict
        /// The connection is gone, and nothing was committed through it.
        case connectionLost
        /// The connection was lost while COMMIT was under way: the change may have happened or not.
        case commitOutcomeUnknown
        /// No connection could be had: server down, too many connections, the pool's queue full or its wait too long.
        case unavailable
        /// Wrong password, TLS failure or a missing authentication plugin. Trying again does not help.
        case accessDenied
        /// A primary key or unique index has this value already.
        case uniqueViolation
        /// The row that is referred to does not exist, or is still referred to.
        case foreignKeyViolation
        /// A CHECK, NOT NULL or column type refuses the value.
        case invalidValue
        /// A table or column is missing, or there already: the schema is not what the statement expects.
        case schemaMismatch
        /// A statement ran into its time limit, or was cancelled.
        case interrupted
        /// The disk or the table space is full, or the database is read-only.
        case storage
        /// A row did not hold what the code expected.
        case decoding
        /// The driver was used against its rules, e.g. a transaction went on after an error.
        case misuse
        /// Anything else.
        case other
    }

    /// What can be done about it.
    public var kind: Kind
    /// The engine's own code: a MySQL error number, an extended SQLite result code, or 0 when the driver itself says so.
    public var code: Int
    /// The SQLSTATE of a MySQL server.
    public var sqlState: String?
    /// The engine's own text. It may hold user values: log it only where those may go.
    public var message: String
    /// The statement, with question marks in place of its values.
    public var statement: String?

    init(_ kind: Kind, code: Int = 0, sqlState: String? = nil, message: String, statement: String? = nil) {
        self.kind = kind
        self.code = code
        self.sqlState = sqlState
        self.message = message
        self.statement = statement
    }

    /// The kind and the native code, and the driver's own words where there is no native code.
    public var description: String {
        var text = "database error: \(kind.rawValue)"
        if code == 0 { text += " (\(message))" } else { text += " (code \(code)\(sqlState.map { ", \($0)" } ?? ""))" }
        if let statement { text += " in: \(statement)" }
        return text
    }

    /// Everything, including the engine's message.
    public var debugDescription: String {
        code == 0 ? description : "\(description): \(message)"
    }

    static func decoding(_ message: String) -> DatabaseError { DatabaseError(.decoding, message: message) }
    static func misuse(_ message: String) -> DatabaseError { DatabaseError(.misuse, message: message) }

    /// Whether nothing has happened and another attempt may succeed at once: after a lost conflict or connection, and when a
    /// server could not be reached. When the pool itself turns a caller away (no native code) another attempt would only
    /// add to the crowd, and a SQLite file does not appear by waiting.
    var mayBeRetried: Bool {
        switch kind {
        case .conflict, .connectionLost: true
        case .unavailable: code >= 1_000
        default: false
        }
    }

    /// Whether the connection that threw this must not be used again.
    var endsConnection: Bool {
        switch kind {
        case .connectionLost, .commitOutcomeUnknown, .unavailable, .accessDenied, .misuse: true
        default: false
        }
    }
}
