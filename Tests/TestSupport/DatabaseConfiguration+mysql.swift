public import DBDriver

extension DatabaseConfiguration {
    /// Changes what only a MySQL-protocol database has; does nothing on another engine.
    public mutating func editMySQL(_ edit: (inout MySQLConfiguration) -> Void) {
        guard case .mysql(var mysql) = engine else { return }
        edit(&mysql)
        engine = .mysql(mysql)
    }

    /// Changes what only SQLite has; does nothing on another engine.
    public mutating func editSQLite(_ edit: (inout SQLiteConfiguration) -> Void) {
        guard case .sqlite(var sqlite) = engine else { return }
        edit(&sqlite)
        engine = .sqlite(sqlite)
    }

    /// The port of the first host.
    public var port: UInt16? {
        guard case .mysql(let mysql) = engine else { return nil }
        return mysql.hosts.first?.port
    }

    /// The same database, reached by another node of its cluster first: the one so many places after the first.
    public func throughNode(_ index: Int) -> DatabaseConfiguration {
        var copy = self
        copy.editMySQL { mysql in
            let first = index % mysql.hosts.count
            mysql.hosts = Array(mysql.hosts[first...] + mysql.hosts[..<first])
        }
        return copy
    }

    /// The same database behind another port of the loopback interface.
    public func atPort(_ port: UInt16) -> DatabaseConfiguration {
        var copy = self
        copy.editMySQL { $0.hosts = [.init(name: "127.0.0.1", port: port)] }
        return copy
    }
}
