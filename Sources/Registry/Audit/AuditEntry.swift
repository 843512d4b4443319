public import DBDriver

/// One row of the audit log: who did what to what, and how it ended. Never a secret.
public struct AuditEntry: Sendable, Equatable {
    /// How an attempt ended.
    public struct Outcome: RawRepresentable, Sendable, Equatable, SQLConvertible {
        /// The word for it.
        public let rawValue: String

        /// An outcome by its word; also one that only somebody else could have written.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// It was done.
        public static let done = Outcome(rawValue: "done")
        /// The caller was not allowed to.
        public static let denied = Outcome(rawValue: "denied")
    }

    /// The operation's id, which no other has.
    public let id: String
    /// When.
    public let at: Timestamp
    /// Who: a caller's name.
    public let actor: String
    /// What, such as `token.release`.
    public let action: String
    /// What it was done to, in words.
    public let target: String
    /// How it ended.
    public let outcome: Outcome
    /// The request that it belongs to.
    public let requestID: String?

    /// The same as another operation.
    var renamed: AuditEntry {
        AuditEntry(
            id: UUID.version7(at: at),
            at: at,
            actor: actor,
            action: action,
            target: target,
            outcome: outcome,
            requestID: requestID
        )
    }
}

/// Which rows of the audit log are wanted.
public struct AuditFilter: Sendable {
    /// Rows from this moment on.
    public var since: Timestamp?
    /// Rows of this caller.
    public var actor: String?
    /// Rows of this action; one that ends with a point and a star stands for all with that beginning, such as `token.*`.
    public var action: String?
    /// Rows of this request, by the id that its answer and the log name.
    public var requestID: String?

    /// All rows.
    public init() {}
}

/// What a look at the chains of the audit log has found.
public struct AuditVerification: Sendable {
    /// Where a chain is not as it was written.
    public struct Break: Sendable, Equatable, CustomStringConvertible {
        /// The chain.
        public let chain: String
        /// The number of the row in it, from 1; nil when the chain's head is gone.
        public let position: Int64?
        /// What is wrong.
        public let problem: String

        /// E.g. `chain 0190…, row 7: is missing`.
        public var description: String {
            "chain \(chain)" + (position.map { ", row \($0)" } ?? "") + ": \(problem)"
        }
    }

    /// How many chains there are.
    public var chains: Int { heads.count }
    /// How many rows are links of chains, and are as they were written.
    public internal(set) var rows: Int64 = 0
    /// How many rows are in no chain: those of programs from before there were chains.
    public internal(set) var unchained: Int64 = 0
    /// Where chains are broken, the first place of each.
    public internal(set) var breaks: [Break] = []
    /// The head of each chain: who keeps them elsewhere can tell later that nobody wrote a chain anew.
    public internal(set) var heads: [(chain: String, length: Int64, digest: String)] = []
}
