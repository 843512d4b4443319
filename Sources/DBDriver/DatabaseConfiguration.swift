/// Where the database is and how to talk to it.
///
/// Made from the URL that operators write in `DATABASE_URL`, by ``init(url:)``.
public struct DatabaseConfiguration: Sendable {
    /// The engine and what it alone needs.
    public enum Engine: Sendable {
        /// MariaDB, MySQL and what speaks their protocol.
        case mysql(MySQLConfiguration)
        /// SQLite.
        case sqlite(SQLiteConfiguration)
    }

    /// The engine and what it alone needs.
    public var engine: Engine
    /// Connections this process opens at most: 1 to 64, default 8. SQLite adds its one writer to these readers.
    /// Query parameter `pool_size`.
    public var poolSize = 8
    /// Callers that may wait for a connection at once; one more is turned away at once. Default 1,000.
    public var waitersMax = 1_000
    /// How long a caller waits for a connection: default 5 s. Query parameter `pool_timeout`, in seconds.
    public var poolTimeout = Duration.seconds(5)
    /// How long one read or write may take with all its retries: default 10 s.
    public var operationTimeout = Duration.seconds(10)
    /// How often a conflicting transaction is tried, the first time included: default 50.
    public var attemptsMax = 50
    /// Whether a change that was cut off at COMMIT is looked for before it is made again. Turned off only to prove that a
    /// test would notice.
    public var isExactlyOnce = true
    /// Whether each operation has a span of its own in the request's trace. Off by default.
    public var isTraced = false
    /// Whether the database is another program's: it is only read, and nothing about it is set up either. Off by default.
    public var isReadOnly = false

    /// The configuration for an engine, with the defaults above.
    public init(engine: Engine) {
        self.engine = engine
    }

    /// Whether a SQLite file is made when it is missing.
    var mayCreateFile: Bool {
        if case .sqlite(let sqlite) = engine { sqlite.createIfMissing } else { false }
    }

    /// Whose words and codes the engine speaks.
    public var dialect: Dialect {
        switch engine {
        case .mysql: .mysql
        case .sqlite: .sqlite
        }
    }
}

/// A SQLite database.
public struct SQLiteConfiguration: Sendable {
    /// The file, or `:memory:`.
    public var path: String
    /// Whether a missing file is created. Off by default: a server must not start on an empty database by a typing error.
    public var createIfMissing = false
    /// How long a connection waits for the write lock of another: default 5 s.
    public var busyTimeout = Duration.seconds(5)

    /// The database in a file.
    public init(path: String) {
        self.path = path
    }

    /// Whether the database lives in memory, and so only as long as its one connection.
    var isInMemory: Bool { path == ":memory:" || path.isEmpty }
}

/// A MySQL-protocol database. Neither printing nor dumping it shows the password.
public struct MySQLConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// One server.
    public struct Host: Sendable, Hashable {
        /// A name or an address. Never taken as "use the unix socket", not even `localhost`.
        public var name: String
        /// The TCP port; 3306 by default.
        public var port: UInt16

        /// A server at a name or address.
        public init(name: String, port: UInt16 = 3306) {
            self.name = name
            self.port = port
        }

        /// Whether traffic to it stays on this machine.
        var isLoopback: Bool {
            name == "localhost" || name == "::1"
                || name.hasPrefix("127.") && name.allSatisfy { $0 == "." || ("0"..."9").contains($0) }
        }
    }

    /// How the connection is encrypted.
    public enum TLS: String, Sendable, CaseIterable {
        /// Not at all.
        case off
        /// Encrypted, and the server's certificate and name are verified. The default beyond loopback.
        case verifyFull = "verify-full"
    }

    /// What the connection is for; decides its time-outs.
    public enum Purpose: Sendable {
        /// Short statements of a server.
        case serving
        /// DDL, which may run for an hour.
        case migrating
        /// Looking at a schema, which takes seconds.
        case inspecting
        /// Finding out whether a server answers at all.
        case probing
    }

    /// The servers, the preferred one first: connections go to the first that takes writes, and to the next when it fails.
    public var hosts: [Host]
    /// The database user.
    public var user: String
    /// Its password. Never printed.
    public var password: String
    /// The database (schema) to use; empty for none.
    public var database: String
    /// How the connection is encrypted; nil decides by host: off for loopback, else verify-full. Query parameter `tls`.
    public var tls: TLS?
    /// A PEM file of certificate authorities; nil for the system's. Query parameter `tls_ca`.
    public var tlsCAFile: String?
    /// Until the server answers the connection's set-up: default 2 s. Query parameter `connect_timeout`, in seconds.
    public var connectTimeout = Duration.seconds(2)
    /// Until the server answers a statement: default 10 s. Query parameter `read_timeout`, in seconds. The server's own
    /// statement limit is set 2 s below, so that a slow query ends with an error rather than with a lost connection.
    public var readTimeout = Duration.seconds(10)
    /// Whether reads see what was acknowledged by another node of a cluster. Turned off only to prove that a test would
    /// notice.
    public var isCausal = true

    /// A database on some servers.
    public init(hosts: [Host], user: String, password: String, database: String) {
        self.hosts = hosts
        self.user = user
        self.password = password
        self.database = database
    }

    /// User, servers and database.
    public var description: String {
        "\(user)@\(hosts.map { "\($0.name):\($0.port)" }.joined(separator: ","))/\(database)"
    }

    /// The same, for `dump` and whatever else looks into values.
    public var customMirror: Mirror {
        Mirror(self, children: ["user": user, "hosts": hosts, "database": database])
    }
}

extension DatabaseConfiguration {
    /// What opens one connection.
    func opener(
        _ access: TransactionAccess,
        for purpose: MySQLConfiguration.Purpose = .serving,
        hosts: HostList? = nil
    ) -> @Sendable () throws(DatabaseError) -> any EngineSession {
        let isReadOnly = isReadOnly
        return switch engine {
        case .sqlite(let sqlite):
            { () throws(DatabaseError) in try SQLiteSession(sqlite, access: access, isReadOnly: isReadOnly) }
        case .mysql(let mysql):
            opener(
                mysql,
                hosts ?? HostList(mysql.hosts),
                for: isReadOnly && purpose == .migrating ? .inspecting : purpose
            )
        }
    }

    private func opener(
        _ mysql: MySQLConfiguration,
        _ hosts: HostList,
        for purpose: MySQLConfiguration.Purpose
    ) -> @Sendable () throws(DatabaseError) -> any EngineSession {
        { [isReadOnly] () throws(DatabaseError) in
            try MariaDBSession.open(mysql, hosts, purpose: purpose, isReadOnly: isReadOnly)
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }

    /// Doubled so many times, up to a limit: for pauses that grow.
    func doubled(_ times: Int, upTo limit: Duration) -> Duration {
        min(limit, self * (1 << min(times, 10)))
    }
}
