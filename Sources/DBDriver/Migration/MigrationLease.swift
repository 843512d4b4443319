/// The lease that lets one run at a time migrate: a row changed by one compare-and-set UPDATE.
///
/// It holds on a single server, on a Galera cluster, on Group Replication and on SQLite, where named locks are unknown or
/// known to one node only. Expiry is computed and compared by the **database's** clock, inside the statement: the clocks of
/// the machines that migrate may differ by more than the lease, and then one of them would take a living lease over. (Nodes
/// of a cluster differ too, but they are few and in one hand; the lease is long against that.)
struct MigrationLease: Sendable {
    /// Random, one for each run: a restarted process must not be taken for its predecessor.
    let owner: String
    /// Which process that is, for people: shown to those who wait.
    let holder: String
    /// How long it holds after each renewal.
    let duration: Duration

    /// Who has the lease.
    struct Holder: Sendable, Equatable {
        /// The run's ``MigrationLease/owner``.
        var owner = "unknown"
        /// The process, for people.
        let description: String
        let heldFor: Duration
    }

    /// Takes the lease when nobody has it or it has expired. Taking one's own again is allowed, so that the transaction may
    /// be repeated when its outcome is unknown.
    ///
    /// - Returns: nil when it is taken, or else who has it.
    func take(in session: Session) throws(DatabaseError) -> Holder? {
        let now = session.dialect.clock
        let taken = try session.execute(
            """
            UPDATE migration_lock SET owner = \(owner), holder = \(holder), token = token + 1,
            acquired_at = \(now), expires_at = \(now) + \(duration.microseconds)
            WHERE id = 1 AND (owner IS NULL OR expires_at < \(now) OR owner = \(owner))
            """
        )
        return taken > 0 ? nil : try Self.current(in: session) ?? Holder(description: "unknown", heldFor: .zero)
    }

    /// Extends the lease.
    ///
    /// - Returns: false when somebody else has taken it over.
    func renew(in session: Session) throws(DatabaseError) -> Bool {
        let now = session.dialect.clock
        return try session.execute(
            """
            UPDATE migration_lock SET token = token + 1, expires_at = \(now) + \(duration.microseconds)
            WHERE id = 1 AND owner = \(owner)
            """
        ) > 0
    }

    /// Whether this run still has the lease. An expired one that nobody took is still held.
    func isHeld(in session: Session) throws(DatabaseError) -> Bool {
        try session.row("SELECT id FROM migration_lock WHERE id = 1 AND owner = \(owner)") != nil
    }

    /// Gives the lease back; harmless when it is somebody else's.
    func release(in session: Session) throws(DatabaseError) {
        _ = try Self.release(from: owner, in: session)
    }

    /// Takes the lease away from its owner.
    ///
    /// - Returns: false when it is somebody else's, or nobody's.
    static func release(from owner: String, in session: Session) throws(DatabaseError) -> Bool {
        try session.execute(
            """
            UPDATE migration_lock SET owner = NULL, holder = NULL, token = token + 1, expires_at = 0
            WHERE id = 1 AND owner = \(owner)
            """
        ) > 0
    }

    /// Who has a lease that has not expired.
    static func current(in session: Session) throws(DatabaseError) -> Holder? {
        let now = session.dialect.clock
        let row = try session.row(
            """
            SELECT owner, holder, \(now) - acquired_at AS held FROM migration_lock
            WHERE id = 1 AND owner IS NOT NULL AND expires_at >= \(now)
            """
        )
        guard let row else { return nil }
        return Holder(
            owner: try row.get("owner"),
            description: try row.get("holder", as: String?.self) ?? "unknown",
            heldFor: .microseconds(try row.get("held", as: Int64.self))
        )
    }
}
