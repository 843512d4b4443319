/// Why a database URL was refused, in one sentence that names no password.
public struct DatabaseURLError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong and what is right.
    public var description: String

    init(_ description: String) {
        self.description = description
    }
}

extension DatabaseConfiguration {
    /// Reads a database URL.
    ///
    /// - `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite://:memory:`, `sqlite+aiosqlite:///./dev.db`
    /// - `mysql://user:password@host:3306/database?tls=verify-full`, `mariadb://`, `mysql+pymysql://`; several hosts
    ///   separated by commas; `[::1]` for IPv6; user and password percent-encoded
    ///
    /// The part of the scheme after `+` names a Python driver in the URLs of other programs, and is ignored.
    ///
    /// - Throws: ``DatabaseURLError``
    public init(url: String) throws(DatabaseURLError) {
        guard let separator = url.firstRange(ofText: "://") else {
            throw DatabaseURLError(
                "is not a URL: write sqlite:///./dev.db or mysql://user:password@host:3306/database"
            )
        }
        let scheme = url[..<separator.lowerBound].lowercased()
        let rest = url[separator.upperBound...]
        let query = rest.firstIndex(of: "?")
        let location = rest[..<(query ?? rest.endIndex)]
        let options = try Self.options(query.map { rest[rest.index(after: $0)...] } ?? "")
        switch scheme.prefix(while: { $0 != "+" }) {
        case "sqlite": try self.init(sqlite: location, options: options)
        case "mysql", "mariadb":
            // Then whatever follows the last '@' is no part of the password, and may be quoted in an error.
            guard !rest[(location.firstIndex(of: "/") ?? location.endIndex)...].contains("@") else {
                throw DatabaseURLError("has an '@' behind a '/' or '?': write %2F, %3F and %40 in names and passwords")
            }
            try self.init(mysql: location, options: options)
        case "postgresql", "postgres":
            throw DatabaseURLError("names PostgreSQL, which is not supported: use MariaDB, MySQL or SQLite")
        default: throw DatabaseURLError("has an unknown scheme: use sqlite, mysql or mariadb")
        }
    }

    private init(sqlite location: Substring, options: [String: String]) throws(DatabaseURLError) {
        guard location == ":memory:" || location.first == "/" else {
            throw DatabaseURLError("needs three slashes before a file: sqlite:///./dev.db")
        }
        let path = location == ":memory:" ? location : location.dropFirst()
        guard !path.isEmpty else { throw DatabaseURLError("names no SQLite file") }
        self.init(engine: .sqlite(SQLiteConfiguration(path: try Self.decoded(path))))
        for (name, value) in options {
            try applyCommonOption(name, value)
        }
    }

    private init(mysql location: Substring, options: [String: String]) throws(DatabaseURLError) {
        let slash = location.firstIndex(of: "/")
        let authority = location[..<(slash ?? location.endIndex)]
        let database = try Self.decoded(slash.map { location[location.index(after: $0)...] } ?? "")
        let at = authority.lastIndex(of: "@")
        let login = at.map { authority[..<$0] } ?? ""
        let hostList = at.map { authority[authority.index(after: $0)...] } ?? authority
        let colon = login.firstIndex(of: ":")
        var hosts: [MySQLConfiguration.Host] = []
        for text in hostList.split(separator: ",", omittingEmptySubsequences: false) {
            hosts.append(try Self.host(text))
        }
        var mysql = MySQLConfiguration(
            hosts: hosts,
            user: try Self.decoded(login[..<(colon ?? login.endIndex)]),
            password: try Self.decoded(colon.map { login[login.index(after: $0)...] } ?? ""),
            database: database
        )
        guard !mysql.user.isEmpty else { throw DatabaseURLError("names no user: mysql://user:password@host/database") }
        guard !database.contains("/") else { throw DatabaseURLError("names a database with a slash in it") }
        let own = Set(["tls", "tls_ca", "connect_timeout", "read_timeout", "charset"])
        for (name, value) in options where own.contains(name) {
            switch name {
            case "tls":
                guard let mode = MySQLConfiguration.TLS(rawValue: value) else {
                    throw DatabaseURLError("has a tls that is not known: use tls=verify-full or tls=off")
                }
                mysql.tls = mode
            case "tls_ca": mysql.tlsCAFile = value
            case "connect_timeout": mysql.connectTimeout = try Self.seconds(name, value, 1...60)
            case "read_timeout": mysql.readTimeout = try Self.seconds(name, value, 4...3_600)
            default:
                guard value.lowercased() == "utf8mb4" else {
                    throw DatabaseURLError("has charset=\(value): only utf8mb4 is used")
                }
            }
        }
        self.init(engine: .mysql(mysql))
        for (name, value) in options where !own.contains(name) {
            try applyCommonOption(name, value)
        }
    }

    private mutating func applyCommonOption(_ name: String, _ value: String) throws(DatabaseURLError) {
        switch name {
        case "pool_size":
            guard let size = Int(value), (1...64).contains(size) else {
                throw DatabaseURLError("has pool_size=\(value): use a number from 1 to 64")
            }
            poolSize = size
        case "pool_timeout": poolTimeout = try Self.seconds(name, value, 1...60)
        default: throw DatabaseURLError("has the unknown option '\(name)'")
        }
    }

    private static func host(_ text: Substring) throws(DatabaseURLError) -> MySQLConfiguration.Host {
        var name = text
        var port: Substring = ""
        if text.first == "[" {
            guard let close = text.firstIndex(of: "]") else { throw DatabaseURLError("has '[' without ']' in a host") }
            name = text[text.index(after: text.startIndex)..<close]
            port = text[text.index(after: close)...]
        } else if let colon = text.firstIndex(of: ":") {
            name = text[..<colon]
            port = text[colon...]
        }
        guard !name.isEmpty else { throw DatabaseURLError("has an empty host name") }
        guard !port.isEmpty else { return MySQLConfiguration.Host(name: String(name)) }
        guard port.first == ":", let number = UInt16(port.dropFirst()), number > 0 else {
            // Not quoted: without an '@' a password would stand here.
            throw DatabaseURLError("has a port that is no number from 1 to 65535")
        }
        return MySQLConfiguration.Host(name: String(name), port: number)
    }

    private static func seconds(
        _ name: String,
        _ value: String,
        _ bounds: ClosedRange<Int>
    ) throws(DatabaseURLError) -> Duration {
        guard let number = Int(value), bounds.contains(number) else {
            throw DatabaseURLError(
                "has \(name)=\(value): use whole seconds from \(bounds.lowerBound) to \(bounds.upperBound)"
            )
        }
        return .seconds(number)
    }

    private static func options(_ query: Substring) throws(DatabaseURLError) -> [String: String] {
        var options: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let equals = pair.firstIndex(of: "=") ?? pair.endIndex
            let name = try decoded(pair[..<equals])
            options[name] = try decoded(pair[equals...].dropFirst())
        }
        return options
    }

    /// Undoes percent-encoding (RFC 3986 §2.1).
    private static func decoded(_ text: Substring) throws(DatabaseURLError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), high != UInt8(ascii: "+"), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { throw DatabaseURLError("has a '%' that is not followed by two hexadecimal digits") }
            bytes.append(value)
        }
        // The C libraries would take what stands before it for the whole.
        guard !bytes.contains(0) else { throw DatabaseURLError("has a NUL character") }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw DatabaseURLError("has percent-encoded bytes that are not UTF-8")
        }
        return decoded
    }
}

extension String {
    /// The first place where a text occurs.
    fileprivate func firstRange(ofText text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
