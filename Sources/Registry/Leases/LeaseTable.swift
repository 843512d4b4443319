internal import DBDriver

/// The SQL of `leases`: one row for each work, changed by compare-and-set. It holds on a single server, on a Galera cluster, on
/// Group Replication and on SQLite, where named locks are unknown or known to one node only. Expiry is computed and compared by
/// the database's clock, inside the statement.
enum LeaseTable {
    /// Takes a lease that nobody has or that has expired, or renews it.
    ///
    /// - Returns: whether the holder has it now.
    static func take(_ lease: Lease, for duration: Duration, _ session: Session) throws(DatabaseError) -> Bool {
        let now = session.dialect.clock
        let taken = try session.execute(
            """
            UPDATE leases SET owner = \(lease.owner), expires_at = \(now) + \(duration.microseconds)
            WHERE name = \(lease.work) AND (owner = \(lease.owner) OR expires_at < \(now))
            """
        )
        guard taken == 0 else { return true }
        try session.execute(
            """
            INSERT INTO leases (name, owner, expires_at)
            VALUES (\(lease.work), \(lease.owner), \(now) + \(duration.microseconds)) \(session.dialect.onConflict("name"))
            """
        )
        return try session.row("SELECT name FROM leases WHERE name = \(lease.work) AND owner = \(lease.owner)") != nil
    }

    /// Gives a lease back; harmless when it is somebody else's.
    static func release(_ lease: Lease, _ session: Session) throws(DatabaseError) {
        try session.execute("DELETE FROM leases WHERE name = \(lease.work) AND owner = \(lease.owner)")
    }
}
