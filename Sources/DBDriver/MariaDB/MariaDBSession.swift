internal import CMariaDB
internal import Glibc

/// A connection to a MySQL-protocol server, by libmariadb.
@safe final class MariaDBSession: EngineSession {
    let dialect = Dialect.mysql
    let interrupter: Interrupter
    private var connection: UnsafeMutablePointer<MYSQL>?
    private var statements = StatementCache<MariaDBStatement>()

    /// Connects to the first of the hosts that takes writes, or else to the first that can be read from.
    ///
    /// - Throws: the last host's error.
    static func open(
        _ configuration: MySQLConfiguration,
        purpose: MySQLConfiguration.Purpose,
        isReadOnly: Bool = false
    ) throws(DatabaseError) -> MariaDBSession {
        var failure = DatabaseError(.unavailable, message: "the configuration names no host")
        var reader: MariaDBSession?
        for host in configuration.hosts {
            do throws(DatabaseError) {
                let session = unsafe try MariaDBSession(connect(host, configuration, purpose))
                if try session.setUp(configuration, purpose, isReadOnly: isReadOnly) == .readWrite { return session }
                reader = reader ?? session
            } catch {
                failure = error
            }
        }
        guard let reader else { throw failure }
        return reader
    }

    private init(_ connection: UnsafeMutablePointer<MYSQL>) {
        unsafe self.connection = unsafe connection
        let socket = unsafe ConnectionSocket(connection)
        interrupter = Interrupter { socket.shutDown() }
    }

    deinit {
        close()
    }

    var isInTransaction: Bool {
        guard let connection = unsafe connection else { return false }
        return unsafe connection.pointee.server_status & UInt32(SERVER_STATUS_IN_TRANS) != 0
    }

    func run(_ sql: SQL, rowLimit: Int) throws(DatabaseError) -> SQLResult {
        let connection = unsafe try opened()
        if let statement = statements.take(sql.text) {
            do {
                let result = try statement.run(sql, rowLimit: rowLimit)
                statements.put(statement, for: sql.text)
                return result
            } catch  where Self.wantsNewPreparation(error) {
                // Prepared again below, once.
            } catch {
                statements.put(statement, for: sql.text)
                throw error
            }
        }
        let statement = try unsafe MariaDBStatement(sql.text, connection: connection)
        let result = try statement.run(sql, rowLimit: rowLimit)
        statements.put(statement, for: sql.text)
        return result
    }

    /// The server forgot the statement (1243), says itself that it must be prepared again (1615), or the table behind it
    /// changed (2057): nothing has run.
    private static func wantsNewPreparation(_ error: DatabaseError) -> Bool {
        [1243, 1615, 2057].contains(error.code)
    }

    @discardableResult
    func runText(_ text: String) throws(DatabaseError) -> Int {
        let connection = unsafe try opened()
        var text = text
        let code = text.withUTF8 { utf8 in
            unsafe utf8.withMemoryRebound(to: CChar.self) { characters in
                unsafe mysql_real_query(connection, characters.baseAddress, UInt(characters.count))
            }
        }
        guard code == 0 else { throw unsafe mariaDBError(connection, statement: text) }
        let changed = unsafe Int(clamping: mysql_affected_rows(connection))
        // A statement may answer rows that nobody asked for; they must be read before the next statement.
        unsafe mysql_free_result(mysql_store_result(connection))
        return changed
    }

    func ping() throws(DatabaseError) {
        let connection = unsafe try opened()
        guard unsafe mysql_ping(connection) == 0 else { throw unsafe mariaDBError(connection, statement: nil) }
    }

    func close() {
        interrupter.disarm()
        statements.removeAll()
        if let connection = unsafe connection { unsafe mysql_close(connection) }
        unsafe connection = nil
    }

    private func opened() throws(DatabaseError) -> UnsafeMutablePointer<MYSQL> {
        guard let connection = unsafe connection else { throw .misuse("the MariaDB connection is closed") }
        return unsafe connection
    }
}

/// A descriptor of our own for the connection's socket, which another thread may shut down at any time. (`mariadb_cancel`
/// does the same through the library's memory, which the connection's thread frees when it finds the connection lost.)
private final class ConnectionSocket: Sendable {
    private let descriptor: Int32

    init(_ connection: UnsafeMutablePointer<MYSQL>) {
        descriptor = unsafe dup(mysql_get_socket(connection))
    }

    deinit {
        close(descriptor)
    }

    func shutDown() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }
}
