internal import DBDriver

/// A number that every change of the catalogue (services, tools, roles, their links) makes another. It is raised in the
/// transaction of the change, so an answer built at some revision is right exactly as long as the revision stays the same.
enum CatalogRevision {
    /// How much it is raised at most.
    private static let stepMax: Int64 = 1 << 20

    /// Raises it. Called first in a transaction: the row is the lock that makes changes of the catalogue queue up instead of
    /// colliding. Each raises it by another step: of two nodes of a Galera cluster that are written to at once, one was seen to
    /// overwrite what the other had just made of it, and then both must not have made the same of it.
    static func raise(_ session: Session) throws(DatabaseError) {
        let step = Int64.random(in: 1...stepMax)
        try session.execute("UPDATE catalog_revision SET revision = revision + \(step) WHERE id = 1")
    }

    /// The present revision.
    static func current(_ session: Session) throws(DatabaseError) -> Int64 {
        guard let row = try session.row("SELECT revision FROM catalog_revision WHERE id = 1") else { return 0 }
        return try row.get("revision")
    }
}
