internal import DBDriver

/// The number of changes that the catalogue (services, tools, roles, their links) has seen. It is raised in the transaction
/// of each change, so an answer built at some revision is right exactly as long as the revision stays the same.
enum CatalogRevision {
    /// Raises it. Called first in a transaction: the row is the lock that makes changes of the catalogue queue up instead of
    /// colliding.
    static func raise(_ session: Session) throws(DatabaseError) {
        try session.execute("UPDATE catalog_revision SET revision = revision + 1 WHERE id = 1")
    }

    /// The present revision.
    static func current(_ session: Session) throws(DatabaseError) -> Int64 {
        guard let row = try session.row("SELECT revision FROM catalog_revision WHERE id = 1") else { return 0 }
        return try row.get("revision")
    }
}
