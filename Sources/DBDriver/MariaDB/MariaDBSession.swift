internal import CMariaDB
internal import Glibc

/// A connection to a MySQL-protocol server, by libmariadb.
@safe final class MariaDBSession: EngineSession {
    let dialect = Dialect.mysql
    let interrupter: Interrupter
    private(set) var ageMax: Duration?
    private(set) var probe: HostProbe?
    private var connection: UnsafeMutablePointer<MYSQL>?
    private var statements = StatementCache<MariaDBStatement>()

    /// Connects to a host that takes writes, in the order that the list says. One that only reads will do when nothing is to be
    /// written, or when there is no other.
    ///
    /// - Throws: the last host's error; that of a host with too many connections at once: another would not be its stand-in.
    static func open(
        _ configuration: MySQLConfiguration,
        _ list: HostList,
        purpose: MySQLConfiguration.Purpose,
        isReadOnly: Bool = false
    ) throws(DatabaseError) -> MariaDBSession {
        var failure = DatabaseError(.unavailable, message: "the configuration names no host")
        var reader: MariaDBSession?
        var tried: [Int] = []
        while let host = list.next(after: tried) {
            tried.append(host)
            let start = ContinuousClock.now
            do throws(DatabaseError) {
                let session = unsafe try MariaDBSession(connect(list.hosts[host], configuration, purpose))
                // Of several servers one takes writes: others may lag behind, and must not decide who may do what. (A secondary
                // of Group Replication that has to catch up first hangs just when its primary is away.)
                let mayOnlyRead = isReadOnly || list.hosts.count == 1
                let access = try session.setUp(configuration, purpose, isReadOnly: isReadOnly, mayOnlyRead: mayOnlyRead)
                list.found(host, access == .readWrite ? .connected : .readOnly)
                session.ageMax = list.ageMax(of: host)
                session.probe = HostProbe(host, of: list, configuration)
                if access == .readWrite { return session }
                reader = reader ?? session
            } catch {
                guard ![1040, 1203].contains(error.code) else {
                    list.busy(host)
                    throw error
                }
                list.found(host, HostStates.State(error, isLate: configuration.isTimeOut(since: start)))
                failure = error
            }
        }
        guard let reader else { throw failure }
        return reader
    }

    /// Connects to one host and asks it for a sign of life.
    fileprivate static func ask(
        _ host: MySQLConfiguration.Host,
        _ configuration: MySQLConfiguration
    ) throws(DatabaseError) -> MariaDBSession {
        let session = unsafe try MariaDBSession(connect(host, configuration, .probing))
        // A Galera node that is not part of its cluster refuses even that.
        _ = try session.run("SELECT 1 AS one", rowLimit: 1)
        return session
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
        if let statement = statements.take(sql.text), statement.suits(sql.binds) {
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

extension HostProbe {
    fileprivate init(_ host: Int, of list: HostList, _ configuration: MySQLConfiguration) {
        self.init(
            host: host,
            ask: { () throws(DatabaseError) in try MariaDBSession.ask(list.hosts[host], configuration) },
            failed: { list.found(host, HostStates.State($0, isLate: configuration.isTimeOut(since: $1))) }
        )
    }
}

extension MySQLConfiguration {
    /// Whether an attempt to connect that began then has failed because the server did not answer. (The library counts whole
    /// seconds.)
    fileprivate func isTimeOut(since start: ContinuousClock.Instant) -> Bool {
        ContinuousClock.now - start > connectTimeout * 0.9
    }
}
