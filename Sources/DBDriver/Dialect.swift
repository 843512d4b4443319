/// Every difference between the two engines that SQL text has to know. Statements are otherwise written once, in the subset
/// that MariaDB, MySQL and SQLite share: no RETURNING, no JSON functions, no server-side time, ids made by the application.
public enum Dialect: String, Sendable, CaseIterable {
    /// MariaDB, MySQL and what speaks their protocol.
    case mysql
    /// SQLite.
    case sqlite

    /// The end of an INSERT that finds its key taken: overwrite the named columns, or leave the row alone when there are none.
    ///
    /// MariaDB lacks MySQL's row alias, MySQL lacks MariaDB's `VALUE()`: `VALUES()` is the form that both know.
    public func onConflict(_ key: StaticString..., update columns: [StaticString] = []) -> SQL {
        let key = key.map(\.description)
        let columns = columns.map(\.description)
        let text =
            switch self {
            case .mysql where columns.isEmpty: "ON DUPLICATE KEY UPDATE \(key[0]) = \(key[0])"
            case .mysql: "ON DUPLICATE KEY UPDATE " + columns.map { "\($0) = VALUES(\($0))" }.joined(separator: ", ")
            case .sqlite where columns.isEmpty: "ON CONFLICT (\(key.joined(separator: ", "))) DO NOTHING"
            case .sqlite:
                "ON CONFLICT (\(key.joined(separator: ", "))) DO UPDATE SET "
                    + columns.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
            }
        return SQL(trustedText: text)
    }

    /// The database's own time as ``Timestamp`` microseconds, to be used inside a statement: the clocks of the machines that
    /// share a database may differ.
    public var clock: SQL {
        switch self {
        case .mysql: "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6))"
        case .sqlite: "CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)"
        }
    }

    /// The end of a SELECT that keeps its rows locked until the transaction ends. SQLite has one writer and needs none.
    public var forUpdate: SQL {
        switch self {
        case .mysql: "FOR UPDATE"
        case .sqlite: ""
        }
    }

    /// The end of a SELECT whose rows must not go away or change until the transaction ends, though others may read and
    /// keep them too. MariaDB lacks MySQL's `FOR SHARE`; both know this form.
    public var forShare: SQL {
        switch self {
        case .mysql: "LOCK IN SHARE MODE"
        case .sqlite: ""
        }
    }

    /// A column's text as bytes in UTF-8, also where another program has stored bytes that are no text.
    public func utf8(of column: SQL) -> SQL {
        switch self {
        case .mysql: "CAST(CONVERT(\(column) USING utf8mb4) AS BINARY)"
        case .sqlite: "CAST(\(column) AS BLOB)"
        }
    }

    /// The statements that begin a transaction. A reading one sees a single state of the database.
    func begin(_ access: TransactionAccess) -> [String] {
        switch (self, access) {
        case (.mysql, .readOnly):
            // The session's READ COMMITTED would give each statement a state of its own.
            ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION READ ONLY"]
        case (.mysql, .readWrite): ["START TRANSACTION"]
        case (.sqlite, .readOnly): ["BEGIN"]
        case (.sqlite, .readWrite): ["BEGIN IMMEDIATE"]
        }
    }
}

/// Whether a transaction may write.
enum TransactionAccess: Sendable {
    case readOnly
    case readWrite
}
