/// What an import has brought over, and what not.
public struct ImportReport: Sendable, Equatable {
    /// What a row of the original stands for.
    public enum Kind: String, Sendable, CaseIterable {
        /// A service.
        case service
        /// A tool of a service.
        case tool
        /// A role.
        case role
        /// That a role may use a tool.
        case toolRole = "tool_role"
        /// A user.
        case user
        /// That a user has a role.
        case userRole = "user_role"
        /// A user's token for a service.
        case token
    }

    /// How many things of a kind there were, by what became of them.
    public struct Counts: Sendable, Equatable {
        /// Brought over.
        public fileprivate(set) var added = 0
        /// There already, and the same.
        public fileprivate(set) var present = 0
        /// There already, and different: left alone.
        public fileprivate(set) var conflicts = 0
        /// Of no use here.
        public fileprivate(set) var refused = 0

        /// None at all.
        public init() {}

        /// All of them.
        public var read: Int { added + present + conflicts + refused }
    }

    /// Something that could not be brought over.
    public struct Item: Sendable, Equatable {
        /// What it is.
        public let kind: Kind
        /// The `id` of its row in the original's table.
        public let row: Int64
        /// Its name as it is stored there: untrusted text.
        public let name: String
        /// Whether there is another one of that name here, which was left alone.
        public let isConflict: Bool
        /// Why, as a clause that holds no value of a secret.
        public let reason: String
    }

    /// The counts of each kind.
    public private(set) var counts = Dictionary(uniqueKeysWithValues: Kind.allCases.map { ($0, Counts()) })
    private var noted: [Item] = []

    /// Everything that could not be brought over, by kind and row.
    public var items: [Item] {
        Kind.allCases.flatMap { kind in noted.filter { $0.kind == kind }.sorted { $0.row < $1.row } }
    }

    /// Whether everything is here now.
    public var isComplete: Bool { noted.isEmpty }

    mutating func note(_ kind: Kind, _ row: Int64, _ name: String, _ outcome: ImportOutcome) {
        switch outcome {
        case .added: counts[kind, default: Counts()].added += 1
        case .present: counts[kind, default: Counts()].present += 1
        case .conflict(let reason):
            counts[kind, default: Counts()].conflicts += 1
            noted.append(Item(kind: kind, row: row, name: name, isConflict: true, reason: reason))
        case .refused(let reason):
            counts[kind, default: Counts()].refused += 1
            noted.append(Item(kind: kind, row: row, name: name, isConflict: false, reason: reason))
        }
    }
}

/// What becomes of one row.
enum ImportOutcome: Sendable, Equatable {
    case added
    case present
    case conflict(String)
    case refused(String)
}

/// How far an import is.
public struct ImportProgress: Sendable, Equatable {
    /// What is being brought over.
    public let kind: ImportReport.Kind
    /// Rows that are settled, of all kinds.
    public let done: Int
    /// Rows that there are.
    public let total: Int
}
