internal import DBDriver

/// The statements about services.
enum ServiceTable {
    private static let columns: SQL = """
        id, name, endpoint, description, requires_authorization, method_authorization, status, transport, last_seen,
        last_error, owner, failures, next_read
        """

    static func all(_ session: Session) throws(DatabaseError) -> [RegisteredService] {
        var services: [RegisteredService] = []
        for row in try session.rows("SELECT \(columns) FROM services ORDER BY created_at, name") {
            services.append(try RegisteredService(row: row))
        }
        return services
    }

    /// The next services in the order of their names.
    static func page(
        after name: ServiceName?,
        limit: Int,
        _ session: Session
    ) throws(DatabaseError) -> [RegisteredService] {
        let rows = try session.rows(
            "SELECT \(columns) FROM services WHERE name > \(name?.rawValue ?? "") ORDER BY name LIMIT \(limit)"
        )
        return try rows.map(RegisteredService.init(row:))
    }

    static func find(_ name: ServiceName, _ session: Session) throws(DatabaseError) -> RegisteredService? {
        try find(name, locking: "", session)
    }

    /// A service that nobody else may change until the transaction ends.
    static func lock(_ name: ServiceName, _ session: Session) throws(DatabaseError) -> RegisteredService? {
        try find(name, locking: session.dialect.forUpdate, session)
    }

    private static func find(
        _ name: ServiceName,
        locking: SQL,
        _ session: Session
    ) throws(DatabaseError) -> RegisteredService? {
        guard let row = try session.row("SELECT \(columns) FROM services WHERE name = \(name) \(locking)") else {
            return nil
        }
        return try RegisteredService(row: row)
    }

    /// The id of a service, which stays until the transaction ends.
    static func hold(_ name: ServiceName, _ session: Session) throws(DatabaseError) -> String? {
        try session.row("SELECT id FROM services WHERE name = \(name) \(session.dialect.forShare)")?.get("id")
    }

    /// The services that have one of the names, or one of the endpoints.
    static func all(
        named names: [ServiceName],
        orAt endpoints: [Endpoint],
        _ session: Session
    ) throws(DatabaseError) -> [RegisteredService] {
        var services: [RegisteredService] = []
        let rows = try session.rows(
            """
            SELECT \(columns) FROM services
            WHERE name IN \(list: names) OR endpoint_sha256 IN \(list: endpoints.map(\.sha256))
            """
        )
        for row in rows { services.append(try RegisteredService(row: row)) }
        return services
    }

    static func hasEndpoint(_ endpoint: Endpoint, _ session: Session) throws(DatabaseError) -> Bool {
        try session.row("SELECT id FROM services WHERE endpoint_sha256 = \(endpoint.sha256)") != nil
    }

    static func insert(_ service: RegisteredService, at time: Timestamp, _ session: Session) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO services (id, name, endpoint, endpoint_sha256, description, requires_authorization,
            method_authorization, status, transport, last_seen, last_error, owner, failures, next_read, created_at,
            updated_at)
            VALUES (\(service.id), \(service.name), \(service.endpoint), \(service.endpoint.sha256),
            \(service.description), \(service.requiresAuthorization), \(service.method), \(service.status),
            \(service.transport), \(service.lastSeen), \(service.lastError), \(service.owner), \(service.failures),
            \(service.nextRead), \(time), \(time))
            """
        )
    }

    /// Some of the services that are due to be read again and are on none of the given hosts, the most overdue ones: at most
    /// `limit`, and as many are looked at together, until there is one.
    static func due(
        at time: Timestamp,
        besides hosts: Set<String>,
        limit: Int,
        _ session: Session
    ) throws(DatabaseError) -> [RegisteredService] {
        var rest: SQL = "next_read <= \(time)"
        while true {
            var services: [RegisteredService] = []
            let rows = try session.rows(
                "SELECT \(columns) FROM services WHERE \(rest) ORDER BY next_read, id LIMIT \(limit)"
            )
            for row in rows { services.append(try RegisteredService(row: row)) }
            let found = services.filter { !hosts.contains($0.endpoint.host) }
            guard found.isEmpty, services.count == limit, let last = services.last else { return found }
            rest = """
                next_read <= \(time) AND next_read >= \(last.nextRead) AND (next_read > \(last.nextRead) OR id > \(last.id))
                """
        }
    }

    /// Writes everything that may change about a service.
    static func update(_ service: RegisteredService, at time: Timestamp, _ session: Session) throws(DatabaseError) {
        try session.execute(
            """
            UPDATE services SET endpoint = \(service.endpoint), endpoint_sha256 = \(service.endpoint.sha256),
            description = \(service.description), requires_authorization = \(service.requiresAuthorization),
            method_authorization = \(service.method), status = \(service.status), transport = \(service.transport),
            last_seen = \(service.lastSeen),
            last_error = \(service.lastError), failures = \(service.failures), next_read = \(service.nextRead),
            updated_at = \(time) WHERE id = \(service.id)
            """
        )
    }

    static func delete(_ name: ServiceName, _ session: Session) throws(DatabaseError) -> Bool {
        try session.execute("DELETE FROM services WHERE name = \(name)") > 0
    }
}
