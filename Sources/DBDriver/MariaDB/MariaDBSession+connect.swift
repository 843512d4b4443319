internal import CMariaDB

extension MariaDBSession {
    /// Opens a TCP connection. Time-outs are always set: without them libmariadb waits for a hung server for ever.
    static func connect(
        _ host: MySQLConfiguration.Host,
        _ configuration: MySQLConfiguration,
        _ purpose: MySQLConfiguration.Purpose
    ) throws(DatabaseError) -> UnsafeMutablePointer<MYSQL> {
        guard libraryIsReady, let connection = unsafe mysql_init(nil) else {
            throw .init(.unavailable, message: "libmariadb could not be initialised")
        }
        let readTimeout =
            switch purpose {
            case .serving: configuration.readTimeout
            case .migrating: Duration.seconds(3_600)
            case .inspecting: Duration.seconds(30)
            case .probing: configuration.connectTimeout
            }
        unsafe setSeconds(connection, MYSQL_OPT_CONNECT_TIMEOUT, configuration.connectTimeout)
        unsafe setSeconds(connection, MYSQL_OPT_READ_TIMEOUT, readTimeout)
        unsafe setSeconds(connection, MYSQL_OPT_WRITE_TIMEOUT, configuration.readTimeout)
        unsafe mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        var tcp = MYSQL_PROTOCOL_TCP.rawValue
        unsafe mysql_options(connection, MYSQL_OPT_PROTOCOL, &tcp)
        var localFiles: UInt32 = 0
        unsafe mysql_options(connection, MYSQL_OPT_LOCAL_INFILE, &localFiles)
        let wantsTLS = configuration.wantsTLS(to: host)
        if wantsTLS { unsafe demandTLS(connection, caFile: configuration.tlsCAFile) }
        // CLIENT_FOUND_ROWS: UPDATE reports the rows it matched, as SQLite does.
        let opened = unsafe mysql_real_connect(
            connection,
            host.name,
            configuration.user,
            configuration.password,
            configuration.database.isEmpty ? nil : configuration.database,
            UInt32(host.port),
            nil,
            UInt(CLIENT_FOUND_ROWS)
        )
        guard unsafe opened != nil else {
            let error = unsafe connectError(connection, host)
            unsafe mysql_close(connection)
            throw error
        }
        guard unsafe !wantsTLS || mysql_get_ssl_cipher(connection) != nil else {
            unsafe mysql_close(connection)
            throw .init(.accessDenied, message: "\(host.name):\(host.port) did not encrypt the connection")
        }
        return unsafe connection
    }

    /// Verification makes the library refuse a server without TLS; its other options fall back to plain text silently.
    private static func demandTLS(_ connection: UnsafeMutablePointer<MYSQL>, caFile: String?) {
        var yes: my_bool = 1
        unsafe mysql_options(connection, MYSQL_OPT_SSL_ENFORCE, &yes)
        unsafe mysql_options(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes)
        if let caFile { unsafe mysql_options(connection, MYSQL_OPT_SSL_CA, caFile) }
    }

    private static func setSeconds(
        _ connection: UnsafeMutablePointer<MYSQL>,
        _ option: mysql_option,
        _ duration: Duration
    ) {
        var seconds = UInt32(clamping: max(1, duration.components.seconds))
        unsafe mysql_options(connection, option, &seconds)
    }

    /// Any error before the connection stands means that nothing was sent: the server is not available, unless it said no.
    private static func connectError(
        _ connection: UnsafeMutablePointer<MYSQL>,
        _ host: MySQLConfiguration.Host
    ) -> DatabaseError {
        var error = unsafe mariaDBError(connection, statement: nil)
        if error.kind != .accessDenied { error.kind = .unavailable }
        error.message = "\(host.name):\(host.port): \(error.message)"
        return error
    }

    /// Sets whatever a server's own configuration could change under us.
    ///
    /// - Returns: whether the server takes writes.
    /// - Throws: ``DatabaseError/Kind/unavailable`` when the server is a Galera node that is not part of its cluster.
    func setUp(
        _ configuration: MySQLConfiguration,
        _ purpose: MySQLConfiguration.Purpose,
        isReadOnly: Bool = false,
        mayOnlyRead: Bool = true
    ) throws(DatabaseError) -> TransactionAccess {
        let server = try values(
            of: [
                "wsrep_on", "group_replication_consistency", "max_statement_time", "max_execution_time", "read_only",
                "super_read_only",
            ],
            shownBy: "SHOW SESSION VARIABLES"
        )
        if server["wsrep_on"] == "ON", try values(of: ["wsrep_ready"], shownBy: "SHOW STATUS")["wsrep_ready"] != "ON" {
            throw DatabaseError(.unavailable, code: 1047, message: "the Galera node is not ready")
        }
        let access: TransactionAccess =
            [server["read_only"], server["super_read_only"]].contains("ON") ? .readOnly : .readWrite
        guard access == .readWrite || mayOnlyRead else {
            throw DatabaseError(.unavailable, code: 1290, message: "the server only reads")
        }
        try runText("SET NAMES utf8mb4 COLLATE utf8mb4_bin")
        // READ COMMITTED takes fewer gap locks, and Group Replication recommends it.
        try runText("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED" + (isReadOnly ? ", READ ONLY" : ""))
        let modes = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY"
        let limit = max(1, configuration.readTimeout.components.seconds - 2)
        var settings = ["sql_mode = '\(modes)'", "time_zone = '+00:00'", "autocommit = 1"]
        // Below the statement's limit, so that a lock wait ends as a conflict, which is tried again.
        settings.append("innodb_lock_wait_timeout = \(max(1, min(5, limit - 1)))")
        // Each statement limit belongs to one of the two families (in seconds, and in milliseconds for SELECT).
        let isServing = purpose == .serving
        if server["max_statement_time"] != nil { settings.append("max_statement_time = \(isServing ? limit : 0)") }
        if server["max_execution_time"] != nil {
            settings.append("max_execution_time = \(isServing ? limit * 1_000 : 0)")
        }
        // A DDL statement behind a long reader gives up instead of queueing everybody behind itself.
        if !isServing { settings.append("lock_wait_timeout = 30") }
        // Causal reads: a read sees every change acknowledged by any node (15 adds INSERT, UPDATE, DELETE and SHOW).
        let isCausal = configuration.isCausal || !isServing
        if isCausal, server["wsrep_on"] == "ON" { settings.append("wsrep_sync_wait = \(isServing ? 1 : 15)") }
        if isCausal, server["group_replication_consistency"] != nil {
            settings.append("group_replication_consistency = 'BEFORE'")
        }
        try runText("SET SESSION " + settings.joined(separator: ", SESSION "))
        return access
    }

    private func values(of names: [String], shownBy words: SQL) throws(DatabaseError) -> [String: String] {
        let found = try run("\(words) WHERE Variable_name IN \(list: names)", rowLimit: names.count)
        var values: [String: String] = [:]
        for row in found.rows { values[try row.get("Variable_name")] = try row.get("Value") }
        return values
    }
}

extension MySQLConfiguration {
    /// Encrypted and verified unless the operator said otherwise, or the traffic stays on this machine and no authority was
    /// named to verify it by.
    func wantsTLS(to host: Host) -> Bool {
        (tls ?? (host.isLoopback && tlsCAFile == nil ? .off : .verifyFull)) == .verifyFull
    }
}

/// The library's own set-up, once in a process.
private let libraryIsReady = mysql_server_init(0, nil, nil) == 0
