import Testing

@testable import DBDriver

/// `DATABASE_URL`: what is accepted, what is refused, and that no refusal shows a password.
@Suite("Database URL")
struct DatabaseURLTests {
    struct SQLiteCase: Sendable {
        var url: String
        var path: String
    }

    struct MySQLCase: Sendable {
        var url: String
        var hosts: [MySQLConfiguration.Host] = [.init(name: "db")]
        var user = "u"
        var password = "p"
        var database = "d"
    }

    struct BadCase: Sendable {
        var url: String
        var reason: String
    }

    static let sqliteCases = [
        SQLiteCase(url: "sqlite:///./dev.db", path: "./dev.db"),
        SQLiteCase(url: "sqlite:///dev.db", path: "dev.db"),
        SQLiteCase(url: "sqlite:////var/lib/dev.db", path: "/var/lib/dev.db"),
        SQLiteCase(url: "sqlite+aiosqlite:///./dev.db", path: "./dev.db"),
        SQLiteCase(url: "SQLite:///dev.db", path: "dev.db"),
        SQLiteCase(url: "sqlite:///a%20b%25.db", path: "a b%.db"),
        SQLiteCase(url: "sqlite:///me@home.db", path: "me@home.db"),
        SQLiteCase(url: "sqlite://:memory:", path: ":memory:"),
        SQLiteCase(url: "sqlite:///:memory:", path: ":memory:"),
    ]

    @Test("SQLite URLs name a file", arguments: sqliteCases)
    func sqlite(example: SQLiteCase) throws {
        let configuration = try DatabaseConfiguration(url: example.url)
        guard case .sqlite(let sqlite) = configuration.engine else {
            Issue.record("not SQLite")
            return
        }
        #expect(sqlite.path == example.path)
        #expect(sqlite.isInMemory == (example.path == ":memory:"))
        #expect(!sqlite.createIfMissing, "a typing error must not make an empty database")
        #expect(configuration.dialect == .sqlite)
    }

    static let mysqlCases = [
        MySQLCase(url: "mysql://u:p@db:3306/d"),
        MySQLCase(url: "mysql://u:p@db/d"),
        MySQLCase(url: "mariadb://u:p@db/d"),
        MySQLCase(url: "mysql+pymysql://u:p@db:3306/d"),
        MySQLCase(url: "MySQL+aiomysql://u:p@db/d"),
        MySQLCase(url: "mysql://u:p@db/d?charset=utf8mb4"),
        MySQLCase(url: "mysql://u:p@db/", database: ""),
        MySQLCase(url: "mysql://u:p@db", database: ""),
        MySQLCase(url: "mysql://u@db/d", password: ""),
        MySQLCase(url: "mysql://u:@db/d", password: ""),
        MySQLCase(url: "mysql://u:a:b@db/d", password: "a:b"),
        MySQLCase(url: "mysql://u:a@b@db/d", password: "a@b"),
        MySQLCase(url: "mysql://u:a#b@db/d", password: "a#b"),
        MySQLCase(url: "mysql://u:a,b@db/d", password: "a,b"),
        MySQLCase(url: "mysql://u%40x:%2F%3f%40%3A%25@db/my%20d", user: "u@x", password: "/?@:%", database: "my d"),
        MySQLCase(url: "mysql://u:%C3%A9@db/d", password: "é"),
        MySQLCase(url: "mysql://u:a+b@db/d", password: "a+b"),
        MySQLCase(url: "mysql://u:p@db:13306/d", hosts: [.init(name: "db", port: 13306)]),
        MySQLCase(url: "mysql://u:p@127.0.0.1/d", hosts: [.init(name: "127.0.0.1")]),
        MySQLCase(url: "mysql://u:p@[::1]:3307/d", hosts: [.init(name: "::1", port: 3307)]),
        MySQLCase(url: "mysql://u:p@[2001:db8::1]/d", hosts: [.init(name: "2001:db8::1")]),
        MySQLCase(
            url: "mysql://u:p@a,b:3307,[::1]:3308/d",
            hosts: [.init(name: "a"), .init(name: "b", port: 3307), .init(name: "::1", port: 3308)]
        ),
    ]

    @Test("MySQL URLs name hosts, user, password and database", arguments: mysqlCases)
    func mysql(example: MySQLCase) throws {
        let configuration = try DatabaseConfiguration(url: example.url)
        guard case .mysql(let mysql) = configuration.engine else {
            Issue.record("not MySQL")
            return
        }
        #expect(mysql.hosts == example.hosts)
        #expect(mysql.user == example.user)
        #expect(mysql.password == example.password)
        #expect(mysql.database == example.database)
        #expect(configuration.dialect == .mysql)
    }

    @Test("options are applied")
    func options() throws {
        let configuration = try DatabaseConfiguration(
            url:
                "mysql://u:p@db/d?tls=verify-full&tls_ca=/etc/my%20ca.pem&connect_timeout=3&read_timeout=20&pool_size=64"
                + "&pool_timeout=1"
        )
        guard case .mysql(let mysql) = configuration.engine else { return }
        #expect(mysql.tls == .verifyFull)
        #expect(mysql.tlsCAFile == "/etc/my ca.pem")
        #expect(mysql.connectTimeout == .seconds(3))
        #expect(mysql.readTimeout == .seconds(20))
        #expect(configuration.poolSize == 64)
        #expect(configuration.poolTimeout == .seconds(1))
        #expect(try DatabaseConfiguration(url: "sqlite:///dev.db?pool_size=1").poolSize == 1)
    }

    /// Each URL has the password `s3cret` or a part of it wherever a user may have put it.
    static let badCases = [
        BadCase(url: "", reason: "is not a URL"),
        BadCase(url: "u:s3cret@db/d", reason: "is not a URL"),
        BadCase(url: "mysql:/u:s3cret@db/d", reason: "is not a URL"),
        BadCase(url: "postgresql://u:s3cret@db/d", reason: "PostgreSQL, which is not supported"),
        BadCase(url: "postgresql+asyncpg://u:s3cret@db/d", reason: "PostgreSQL, which is not supported"),
        BadCase(url: "postgres://u:s3cret@db/d", reason: "PostgreSQL, which is not supported"),
        BadCase(url: "mongodb://u:s3cret@db/d", reason: "unknown scheme"),
        BadCase(url: "u:s3cret://x@db/d", reason: "unknown scheme"),
        BadCase(url: "://u:s3cret@db/d", reason: "unknown scheme"),
        BadCase(url: "mysql://db/d", reason: "names no user"),
        BadCase(url: "mysql://:s3cret@db/d", reason: "names no user"),
        BadCase(url: "mysql://u:s3cret@/d", reason: "empty host"),
        BadCase(url: "mysql://u:s3cret@a,,b/d", reason: "empty host"),
        BadCase(url: "mysql://u:s3cret@a,/d", reason: "empty host"),
        BadCase(url: "mysql://u:s3cret@:3306/d", reason: "empty host"),
        BadCase(url: "mysql://u:s3cret@[::1/d", reason: "'[' without ']'"),
        BadCase(url: "mysql://u:s3cret@db:0/d", reason: "port"),
        BadCase(url: "mysql://u:s3cret@db:65536/d", reason: "port"),
        BadCase(url: "mysql://u:s3cret@db:x/d", reason: "port"),
        BadCase(url: "mysql://u:s3cret@db:/d", reason: "port"),
        BadCase(url: "mysql://u:s3cret@[::1]3306/d", reason: "port"),
        BadCase(url: "mysql://u:s3cret/d", reason: "port"),
        BadCase(url: "mysql://u:s3cret@db/d/e", reason: "slash"),
        BadCase(url: "mysql://u:s3cret@db/d%2Fe", reason: "slash"),
        BadCase(url: "mysql://u:s3cret%@db/d", reason: "hexadecimal"),
        BadCase(url: "mysql://u:s3cret%4@db/d", reason: "hexadecimal"),
        BadCase(url: "mysql://u:s3cret%zz@db/d", reason: "hexadecimal"),
        BadCase(url: "mysql://u:s3cret%+1@db/d", reason: "hexadecimal"),
        BadCase(url: "mysql://u:s3cret%ff@db/d", reason: "UTF-8"),
        BadCase(url: "mysql://u:s3cret%00@db/d", reason: "NUL"),
        BadCase(url: "mysql://u:x/s3cret@db/d", reason: "'@' behind"),
        BadCase(url: "mysql://u:x?s3cret@db/d", reason: "'@' behind"),
        BadCase(url: "mysql://u:1/s3cret@db/d", reason: "'@' behind"),
        BadCase(url: "mysql://u@x:1?s3cret@db/d", reason: "'@' behind"),
        BadCase(url: "mysql://u:s3cret/x@db/d", reason: "'@' behind"),
        BadCase(url: "mysql://u:s3cret@db/d?tls=maybe", reason: "tls that is not known"),
        BadCase(url: "mysql://u:s3cret@db/d?charset=latin1", reason: "only utf8mb4"),
        BadCase(url: "mysql://u:s3cret@db/d?connect_timeout=0", reason: "from 1 to 60"),
        BadCase(url: "mysql://u:s3cret@db/d?connect_timeout=2s", reason: "from 1 to 60"),
        BadCase(url: "mysql://u:s3cret@db/d?read_timeout=3", reason: "from 4 to 3600"),
        BadCase(url: "mysql://u:s3cret@db/d?pool_size=0", reason: "from 1 to 64"),
        BadCase(url: "mysql://u:s3cret@db/d?pool_size=65", reason: "from 1 to 64"),
        BadCase(url: "mysql://u:s3cret@db/d?pool_timeout=61", reason: "from 1 to 60"),
        BadCase(url: "mysql://u@db/d?password=s3cret", reason: "unknown option 'password'"),
        BadCase(url: "mysql://u:s3cret@db/d?ssl=1", reason: "unknown option 'ssl'"),
        BadCase(url: "mysql://u:s3cret@db/d?=1", reason: "unknown option ''"),
        BadCase(url: "sqlite://dev.db", reason: "three slashes"),
        BadCase(url: "sqlite://", reason: "three slashes"),
        BadCase(url: "sqlite:///", reason: "names no SQLite file"),
        BadCase(url: "sqlite:///a%00b", reason: "NUL"),
        BadCase(url: "sqlite:///dev.db?tls=off", reason: "unknown option 'tls'"),
        BadCase(url: "sqlite:///dev.db?mode=ro", reason: "unknown option 'mode'"),
    ]

    @Test("a bad URL is refused in words that show no password", arguments: badCases)
    func bad(example: BadCase) {
        do throws(DatabaseURLError) {
            _ = try DatabaseConfiguration(url: example.url)
            Issue.record("accepted")
        } catch {
            #expect(error.description.contains(example.reason))
            #expect(!"\(error)".contains("s3cret"))
            #expect(!String(reflecting: error).contains("s3cret"))
        }
    }

    @Test("neither printing nor dumping a configuration shows the password")
    func printing() throws {
        let configuration = try DatabaseConfiguration(url: "mysql://u:s3cret@db/d")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped, "\(configuration.engine)"] {
            #expect(text.contains("db"))
            #expect(!text.contains("s3cret"))
        }
    }

    @Test(
        "TLS is off by default on loopback only",
        arguments: [
            ("localhost", false), ("127.0.0.1", false), ("127.1.2.3", false), ("::1", false), ("db", true),
            ("10.0.0.1", true), ("127.0.0.1.example.com", true), ("localhost.example.com", true), ("::2", true),
        ]
    )
    func defaultTLS(host: String, wantsTLS: Bool) {
        var mysql = MySQLConfiguration(hosts: [.init(name: host)], user: "u", password: "p", database: "d")
        #expect(mysql.wantsTLS(to: mysql.hosts[0]) == wantsTLS)
        mysql.tls = .off
        #expect(!mysql.wantsTLS(to: mysql.hosts[0]))
        mysql.tls = .verifyFull
        #expect(mysql.wantsTLS(to: mysql.hosts[0]))
    }
}
