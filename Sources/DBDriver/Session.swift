/// What a transaction's closure works with: runs statements on the connection it was lent.
///
/// It is not Sendable and its methods are synchronous, so it can neither leave the connection's thread nor wait for
/// anything but the database. At the first error the session poisons itself: every later statement, and the COMMIT, is
/// refused with ``DatabaseError/Kind/misuse``. (After a deadlock a MySQL server has already rolled back; further
/// statements would run one by one, and COMMIT would report success for an empty transaction.)
public final class Session {
    /// The most rows that a query returns unless it sets a limit of its own: 1,000,000.
    public static let rowsMax = 1_000_000

    let engine: any EngineSession
    /// The first error of this session.
    private(set) var failure: DatabaseError?

    init(_ engine: any EngineSession) {
        self.engine = engine
    }

    /// Which words the engine needs where the two differ.
    public var dialect: Dialect { engine.dialect }

    /// Runs a statement that returns no rows.
    ///
    /// - Returns: the number of rows that matched an UPDATE or DELETE, or were inserted. An upsert that changes a row counts
    ///   1 on SQLite and 2 on MySQL; do not decide by it.
    @discardableResult
    public func execute(_ sql: SQL) throws(DatabaseError) -> Int {
        try run(sql, rowLimit: 0).affectedRows
    }

    /// Runs a query.
    ///
    /// - Parameters:
    ///   - sql: the query.
    ///   - limit: the most rows that may come back; more is an error rather than a silent cut.
    /// - Returns: the rows, in the query's order.
    /// - Throws: ``DatabaseError``, of kind `misuse` when there are more rows than the limit.
    public func rows(_ sql: SQL, limit: Int = Session.rowsMax) throws(DatabaseError) -> [Row] {
        try run(sql, rowLimit: limit).rows
    }

    /// Runs a query that returns at most one row; two are an error.
    public func row(_ sql: SQL) throws(DatabaseError) -> Row? {
        try run(sql, rowLimit: 1).rows.first
    }

    /// Runs the text of a migration statement, which may be DDL and is not prepared.
    ///
    /// - Returns: the number of rows that an INSERT, UPDATE or DELETE changed; of no meaning for other statements.
    @discardableResult
    func execute(trustedText text: String) throws(DatabaseError) -> Int {
        try guarded { () throws(DatabaseError) in try engine.runText(text) }
    }

    private func run(_ sql: SQL, rowLimit: Int) throws(DatabaseError) -> SQLResult {
        try guarded { () throws(DatabaseError) in try engine.run(sql, rowLimit: rowLimit) }
    }

    private func guarded<T>(_ body: () throws(DatabaseError) -> T) throws(DatabaseError) -> T {
        if let failure {
            throw .misuse("a statement after the transaction had failed with \(failure.kind.rawValue)")
        }
        do throws(DatabaseError) {
            if let error = engine.interrupter.error { throw error }
            return try body()
        } catch {
            failure = error
            throw error
        }
    }
}

/// One open connection of an engine. To add an engine, implement this and give ``Dialect`` its words and codes.
///
/// All calls come from one thread. Every error is a ``DatabaseError`` whose kind follows `Dialect+errors.swift`.
protocol EngineSession: AnyObject {
    var dialect: Dialect { get }
    /// Interrupts the running statement from another thread.
    var interrupter: Interrupter { get }
    /// How long the connection is kept at most, when that is less than usual.
    var ageMax: Duration? { get }
    /// How to find out whether its server still answers; nil for an engine without servers.
    var probe: HostProbe? { get }
    /// Whether the engine has a transaction open.
    var isInTransaction: Bool { get }
    /// Prepares (once), binds and runs a statement. More than `rowLimit` rows are an error.
    func run(_ sql: SQL, rowLimit: Int) throws(DatabaseError) -> SQLResult
    /// Runs one statement without preparing it.
    ///
    /// - Returns: the number of rows that an INSERT, UPDATE or DELETE changed; of no meaning for other statements.
    @discardableResult
    func runText(_ text: String) throws(DatabaseError) -> Int
    /// Whether the connection still answers.
    func ping() throws(DatabaseError)
    /// Ends the connection; harmless when called twice.
    func close()
}

extension EngineSession {
    var ageMax: Duration? { nil }
    var probe: HostProbe? { nil }
}
