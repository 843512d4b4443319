/// What a database server is, as far as migrations have to know: MariaDB and MySQL can't always have the same script.
enum ServerProduct: Sendable, CaseIterable {
    case mariadb
    /// Oracle's MySQL, from version 8 on.
    case mysql
    /// Another one that speaks MySQL's protocol, such as TiDB.
    case other
    case sqlite

    /// Whose words it speaks.
    var dialect: Dialect { self == .sqlite ? .sqlite : .mysql }

    /// What stands between `up.` and `.sql` in the names of the scripts that it takes, the most particular first.
    var scriptNames: [String] {
        switch self {
        case .mariadb: ["mariadb", "mysql"]
        case .mysql: ["mysql8", "mysql"]
        case .other: ["mysql"]
        case .sqlite: ["sqlite"]
        }
    }
}

extension Session {
    /// Asks the server what it is.
    func serverProduct() throws(DatabaseError) -> ServerProduct {
        guard dialect == .mysql else { return .sqlite }
        // 10.11.6-MariaDB-1, 8.0.11-TiDB-v8.5.0, 9.7.4-0ubuntu1
        let version = try row("SELECT VERSION() AS version")?.get("version", as: String.self) ?? ""
        if version.contains("MariaDB") { return .mariadb }
        return version.contains("TiDB") ? .other : .mysql
    }
}
