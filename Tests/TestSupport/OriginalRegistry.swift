@testable public import DBDriver

/// A database as the original registry makes it, with whatever rows a test puts in.
public struct OriginalRegistry: Sendable {
    /// Where it is, as a program would open it to read.
    public let configuration: DatabaseConfiguration

    /// Lends one. Foreign keys are not checked, since the original never switched them on for SQLite.
    ///
    /// - Parameters:
    ///   - engine: where it is.
    ///   - charset: the character set of its tables on MariaDB, with the original's kind of collation.
    ///   - hasPrompts: whether it is new enough for roles with prompts.
    ///   - statements: the rows, as INSERTs.
    ///   - body: what to do with it.
    /// - Returns: what `body` returns.
    /// - Throws: what `body` throws, and ``DatabaseError``.
    public static func with<T>(
        _ engine: Engine,
        charset: String = "utf8mb4",
        hasPrompts: Bool = true,
        rows statements: [String],
        _ body: (OriginalRegistry) async throws -> T
    ) async throws -> T {
        try await engine.withEmptyDatabase { configuration in
            try await fill(configuration, schema(engine, charset, hasPrompts: hasPrompts) + statements)
            var configuration = configuration
            configuration.isReadOnly = true
            return try await body(OriginalRegistry(configuration: configuration))
        }
    }

    /// Adds rows.
    public func add(_ statements: String...) async throws {
        var configuration = configuration
        configuration.isReadOnly = false
        try await Self.fill(configuration, statements)
    }

    private static func fill(_ configuration: DatabaseConfiguration, _ statements: [String]) async throws {
        let isSQLite = configuration.dialect == .sqlite
        let first = isSQLite ? "PRAGMA foreign_keys = OFF" : "SET SESSION foreign_key_checks = 0"
        let connection = Connection(name: "original", open: configuration.opener(.readWrite))
        do {
            try await connection.connect()
            try await connection.run { session in
                try session.execute(trustedText: first)
                try session.execute(trustedText: isSQLite ? "BEGIN" : "START TRANSACTION")
                for statement in statements { try session.execute(trustedText: statement) }
                try session.execute(trustedText: "COMMIT")
                // As Python leaves it.
                if isSQLite { try session.execute(trustedText: "PRAGMA journal_mode = DELETE") }
            }
            await connection.close()
        } catch {
            await connection.close()
            throw error
        }
    }

    /// What SQLAlchemy makes of the original's models.
    private static func schema(_ engine: Engine, _ charset: String, hasPrompts: Bool) -> [String] {
        let (id, end) =
            engine == .sqlite
            ? ("INTEGER NOT NULL", "")
            : ("INTEGER NOT NULL AUTO_INCREMENT", " CHARSET=\(charset) COLLATE=\(charset)_general_ci")
        let prompt = hasPrompts ? ", default_system_prompt VARCHAR(8192) NOT NULL" : ""
        return [
            """
            CREATE TABLE mcp_roles (id \(id), name VARCHAR(255) NOT NULL\(prompt), PRIMARY KEY (id), UNIQUE (name))\(end)
            """,
            """
            CREATE TABLE mcp_services (id \(id), service_name VARCHAR(255) NOT NULL, endpoint VARCHAR(512) NOT NULL,
            description VARCHAR(1024) NOT NULL, requires_authorization BOOLEAN NOT NULL,
            method_authorization VARCHAR(32) NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
            PRIMARY KEY (id), UNIQUE (service_name), UNIQUE (endpoint))\(end)
            """,
            """
            CREATE TABLE mcp_tools (id \(id), service_name VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL,
            description VARCHAR(1024) NOT NULL, PRIMARY KEY (id),
            CONSTRAINT uq_tool_per_service UNIQUE (service_name, name),
            FOREIGN KEY(service_name) REFERENCES mcp_services (service_name) ON DELETE CASCADE)\(end)
            """,
            """
            CREATE TABLE mcp_users (id \(id), user_id VARCHAR(255) NOT NULL, role_id_fk INTEGER, PRIMARY KEY (id),
            FOREIGN KEY(role_id_fk) REFERENCES mcp_roles (id) ON DELETE SET NULL)\(end)
            """,
            """
            CREATE TABLE mcp_tool_roles (id \(id), tool_id INTEGER NOT NULL, role_id INTEGER NOT NULL, PRIMARY KEY (id),
            CONSTRAINT uq_role_per_tool UNIQUE (tool_id, role_id),
            FOREIGN KEY(tool_id) REFERENCES mcp_tools (id) ON DELETE CASCADE,
            FOREIGN KEY(role_id) REFERENCES mcp_roles (id) ON DELETE CASCADE)\(end)
            """,
            """
            CREATE TABLE user_access_tokens (id \(id), user_id_fk INTEGER NOT NULL, service_name VARCHAR(255) NOT NULL,
            token VARCHAR(2048) NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL, PRIMARY KEY (id),
            CONSTRAINT uq_token_per_user_service UNIQUE (user_id_fk, service_name),
            FOREIGN KEY(user_id_fk) REFERENCES mcp_users (id) ON DELETE CASCADE,
            FOREIGN KEY(service_name) REFERENCES mcp_services (service_name) ON DELETE CASCADE)\(end)
            """,
            "CREATE INDEX ix_mcp_tools_service_name ON mcp_tools (service_name)",
            "CREATE UNIQUE INDEX ix_mcp_users_user_id ON mcp_users (user_id)",
            "CREATE INDEX ix_user_access_tokens_service_name ON user_access_tokens (service_name)",
        ]
    }
}

/// Rows of the original. Texts are SQL: quotes must be doubled.
extension OriginalRegistry {
    /// A row of `mcp_services`; without a method it wants no authorization.
    public static func service(
        _ id: Int,
        _ name: String,
        _ endpoint: String? = nil,
        description: String = "Orders",
        method: String? = nil,
        added time: String = "2025-08-01 10:00:00"
    ) -> String {
        """
        INSERT INTO mcp_services VALUES (\(id), '\(name)', '\(endpoint ?? "https://\(name).example/mcp")', '\(description)',
        \(method == nil ? 0 : 1), '\(method ?? "")', '\(time)', '\(time)')
        """
    }

    /// A row of `mcp_tools`.
    public static func tool(_ id: Int, _ service: String, _ name: String, _ description: String = "") -> String {
        "INSERT INTO mcp_tools VALUES (\(id), '\(service)', '\(name)', '\(description)')"
    }

    /// A row of `mcp_roles`.
    public static func role(_ id: Int, _ name: String, _ prompt: String = "") -> String {
        "INSERT INTO mcp_roles (id, name, default_system_prompt) VALUES (\(id), '\(name)', '\(prompt)')"
    }

    /// A row of `mcp_tool_roles`.
    public static func link(_ id: Int, tool: Int, role: Int) -> String {
        "INSERT INTO mcp_tool_roles VALUES (\(id), \(tool), \(role))"
    }

    /// A row of `mcp_users`.
    public static func user(_ id: Int, _ name: String, role: Int? = nil) -> String {
        "INSERT INTO mcp_users VALUES (\(id), '\(name)', \(role.map(String.init) ?? "NULL"))"
    }

    /// A row of `user_access_tokens`.
    public static func token(
        _ id: Int,
        user: Int,
        _ service: String,
        _ token: String,
        stored time: String = "2025-08-01 10:00:00"
    ) -> String {
        "INSERT INTO user_access_tokens VALUES (\(id), \(user), '\(service)', '\(token)', '\(time)', '\(time)')"
    }

    /// As many users with a token each as wanted, and their services and roles.
    public static func many(_ count: Int) -> [String] {
        let names = (0..<4).map { "s\($0)" }
        var rows = names.enumerated().map { service($0 + 1, $1, method: "Bearer") }
        for number in 0..<400 {
            rows.append(tool(number + 1, names[number % 4], "tool\(number)", "Does \(number)."))
            rows.append(link(number + 1, tool: number + 1, role: number % 3 + 1))
        }
        rows += (1...3).map { role($0, "role\($0)", "You are \($0).") }
        for number in 1...count {
            rows.append(user(number, "user\(number)", role: number % 4 == 0 ? nil : number % 3 + 1))
            rows.append(token(number, user: number, names[number % 4], "canary-token-\(number)"))
        }
        return rows
    }
}

extension Row {
    /// All of its values, bytes as the text they may hold.
    public var text: String {
        values.map { value in
            switch value {
            case .null: "NULL"
            case .integer(let integer): "\(integer)"
            case .real(let real): "\(real)"
            case .text(let text): text
            case .blob(let bytes): String(decoding: bytes, as: UTF8.self)
            }
        }.joined(separator: "|")
    }
}
