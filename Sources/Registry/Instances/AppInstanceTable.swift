internal import DBDriver

/// The SQL of `app_instances`. Its times are the database's own: the servers' clocks may differ.
enum AppInstanceTable {
    /// How long a row is kept after its last sign of life: a day.
    private static let keptFor = Duration.seconds(86_400)

    static func exists(in session: Session) throws(DatabaseError) -> Bool {
        try session.tableNames().contains("app_instances")
    }

    /// Writes a sign of life.
    static func beat(_ instance: AppInstance, _ session: Session) throws(DatabaseError) {
        let now = session.dialect.clock
        try session.execute(
            """
            INSERT INTO app_instances (id, name, app_version, schema_level, ring_ids, started_at, seen_at)
            VALUES (\(instance.id), \(instance.name), \(instance.version), \(instance.schemaLevel),
            \(instance.ringIDs.map(String.init).joined(separator: " ")), \(now), \(now))
            \(session.dialect.onConflict("id", update: ["seen_at", "ring_ids"]))
            """
        )
    }

    /// Forgets who has been gone for long.
    static func forgetOld(_ session: Session) throws(DatabaseError) -> Int {
        try session.execute(
            "DELETE FROM app_instances WHERE seen_at < \(session.dialect.clock) - \(keptFor.microseconds)"
        )
    }

    static func remove(_ instance: AppInstance, _ session: Session) throws(DatabaseError) {
        try session.execute("DELETE FROM app_instances WHERE id = \(instance.id)")
    }

    /// The servers that run, with the keys that their rings hold; those that say nothing of it hold none.
    static func rings(_ session: Session) throws(DatabaseError) -> [(name: String, keys: Set<UInt32>)] {
        let now = session.dialect.clock
        let rows = try session.rows(
            """
            SELECT name, ring_ids FROM app_instances
            WHERE seen_at >= \(now) - \(AppInstance.aliveFor.microseconds) ORDER BY name
            """
        )
        var rings: [(name: String, keys: Set<UInt32>)] = []
        for row in rows {
            let ids = try row.get("ring_ids", as: String?.self) ?? ""
            rings.append((try row.get("name"), Set(ids.split(separator: " ").compactMap { UInt32($0) })))
        }
        return rings
    }

    static func alive(below level: Int, _ session: Session) throws(DatabaseError) -> [String] {
        guard try exists(in: session) else { return [] }
        let now = session.dialect.clock
        let rows = try session.rows(
            """
            SELECT name, app_version, schema_level FROM app_instances
            WHERE schema_level < \(level) AND seen_at >= \(now) - \(AppInstance.aliveFor.microseconds) ORDER BY name
            """
        )
        var alive: [String] = []
        for row in rows {
            let (name, version) = (try row.get("name", as: String.self), try row.get("app_version", as: String.self))
            alive.append("\(name) (version \(version), schema level \(try row.get("schema_level", as: Int.self)))")
        }
        return alive
    }
}
