internal import Glibc

/// What a run tells while it goes on.
public enum MigrationProgress: Sendable, Equatable {
    /// Another run has the lease.
    case waiting(holder: String, heldFor: Duration)
    /// Another connection writes to the SQLite file, and does not end.
    case waitingForWriter
    /// A migration begins, or goes on behind its first `statementDone` statements; `left` migrations come after it.
    case begun(label: String, direction: MigrationDirection, statementDone: Int, statements: Int, left: Int)
    /// A statement, counted from 1, is about to run. `rows` is about how many rows the table has whose form it changes, where
    /// the server knows.
    case statement(label: String, number: Int, statements: Int, text: String, rows: Int? = nil)
    /// The statement is done. `rows` is how many rows it changed, when it changes rows and not the schema.
    case statementDone(label: String, number: Int, statements: Int, milliseconds: Int64, rows: Int?)
    /// A statement whose outcome had been unknown turned out to be done.
    case foundDone(label: String, number: Int)
    /// A migration is applied or taken back.
    case finished(FinishedMigration)
    /// The connection was lost; a new one goes on.
    case reconnecting
}

/// A migration that a run has applied or taken back.
public struct FinishedMigration: Sendable, Equatable {
    /// Its version.
    public let version: Int
    /// E.g. `0002_roles`.
    public let label: String
    /// Whether it was applied or taken back.
    public let direction: MigrationDirection
    /// How many statements its script has.
    public let statements: Int
    /// How long it took since it was last begun, in milliseconds.
    public let milliseconds: Int64
}

/// Host name and process id, e.g. `web-1:4711`.
func defaultHolder() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "unknown:\(getpid())" }
    let bytes = name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    return "\(String(decoding: bytes, as: UTF8.self)):\(getpid())"
}
