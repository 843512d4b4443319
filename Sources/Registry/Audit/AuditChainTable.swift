internal import Crypto
internal import DBDriver
internal import Synchronization

/// The chains of one process. A chain grows by one row at a time, so there are several: changes wait for each other only
/// when they meet in the same one.
struct AuditChains: Sendable {
    private static let count = 4

    private let ids: [String]
    private let turn = Turn()

    /// Whose turn it is.
    private final class Turn: Sendable {
        let number = Atomic(0)
    }

    init(startedAt time: Timestamp) {
        ids = (0..<Self.count).map { _ in UUID.version7(at: time) }
    }

    /// One of them, each in turn.
    var any: String { ids[(turn.number.wrappingAdd(1, ordering: .relaxed).oldValue & .max) % ids.count] }
}

/// A place in a chain.
struct AuditLink: Sendable {
    let chain: String
    let position: Int64
    let digest: String
}

/// The heads of the chains.
enum AuditChainTable {
    /// What comes before a chain's first row.
    static let origin = String(repeating: "0", count: 64)

    /// Takes the next places of a chain for entries. The chain is held until the transaction ends.
    static func append(
        _ entries: [AuditEntry],
        to chain: String,
        _ session: Session
    ) throws(DatabaseError) -> [AuditLink] {
        guard let first = entries.first else { return [] }
        var head = try held(chain, session)
        if head == nil {
            try session.execute(
                """
                INSERT INTO audit_chains (id, started_at, length, digest) VALUES (\(chain), \(first.at), 0, \(origin))
                \(session.dialect.onConflict("id"))
                """
            )
            head = try held(chain, session)
        }
        var (position, digest) = head ?? (0, origin)
        var links: [AuditLink] = []
        for entry in entries {
            position += 1
            digest = Self.digest(of: entry, chain, position, after: digest)
            links.append(AuditLink(chain: chain, position: position, digest: digest))
        }
        try session.execute(
            "UPDATE audit_chains SET length = \(position), digest = \(digest) WHERE id = \(chain)"
        )
        return links
    }

    private static func held(
        _ chain: String,
        _ session: Session
    ) throws(DatabaseError) -> (length: Int64, digest: String)? {
        let row = try session.row(
            "SELECT length, digest FROM audit_chains WHERE id = \(chain) \(session.dialect.forUpdate)"
        )
        return try row.map { row throws(DatabaseError) in (try row.get("length"), try row.get("digest")) }
    }

    /// All heads.
    static func heads(
        _ session: Session
    ) throws(DatabaseError) -> [(chain: String, length: Int64, digest: String)] {
        var heads: [(chain: String, length: Int64, digest: String)] = []
        for row in try session.rows("SELECT id, length, digest FROM audit_chains ORDER BY id") {
            heads.append((try row.get("id"), try row.get("length"), try row.get("digest")))
        }
        return heads
    }

    /// SHA-256 in hexadecimal over the digest before and all that the row says, each with its length before it.
    static func digest(of entry: AuditEntry, _ chain: String, _ position: Int64, after previous: String) -> String {
        let fields = [
            previous, chain, "\(position)", entry.id, "\(entry.at.microseconds)", entry.actor, entry.action,
            entry.target,
            entry.outcome.rawValue, entry.requestID ?? "",
        ]
        return SHA256.hexadecimal(of: fields.map { Array($0.utf8) })
    }
}
