internal import DBDriver

/// The statements about services.
enum ServiceTable {
    private static let columns: SQL = """
        id, name, endpoint, description, requires_authorization, method_authorization, status
        """

    static func all(_ session: Session) throws(DatabaseError) -> [RegisteredService] {
        var services: [RegisteredService] = []
        for row in try session.rows("SELECT \(columns) FROM services ORDER BY created_at, name") {
            services.append(try RegisteredService(row: row))
        }
        return services
    }

    static func find(_ name: ServiceName, _ session: Session) throws(DatabaseError) -> RegisteredService? {
        guard let row = try session.row("SELECT \(columns) FROM services WHERE name = \(name)") else { return nil }
        return try RegisteredService(row: row)
    }

    /// The id of a service, which stays until the transaction ends.
    static func hold(_ name: ServiceName, _ session: Session) throws(DatabaseError) -> String? {
        try session.row("SELECT id FROM services WHERE name = \(name) \(session.dialect.forShare)")?.get("id")
    }

    static func hasEndpoint(_ endpoint: Endpoint, _ session: Session) throws(DatabaseError) -> Bool {
        try session.row("SELECT id FROM services WHERE endpoint_sha256 = \(endpoint.sha256)") != nil
    }

    static func insert(_ service: RegisteredService, at time: Timestamp, _ session: Session) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO services (id, name, endpoint, endpoint_sha256, description, requires_authorization,
            method_authorization, status, created_at, updated_at)
            VALUES (\(service.id), \(service.name), \(service.endpoint), \(service.endpoint.sha256),
            \(service.description), \(service.requiresAuthorization), \(service.method), \(service.status),
            \(time), \(time))
            """
        )
    }

    /// Notes that a service was read.
    static func setActive(
        _ serviceID: String,
        description: String,
        at time: Timestamp,
        _ session: Session
    ) throws(DatabaseError) {
        let status = RegisteredService.Status.active
        try session.execute(
            """
            UPDATE services SET status = \(status), description = \(description), updated_at = \(time)
            WHERE id = \(serviceID)
            """
        )
    }

    static func delete(_ name: ServiceName, _ session: Session) throws(DatabaseError) -> Bool {
        try session.execute("DELETE FROM services WHERE name = \(name)") > 0
    }
}
