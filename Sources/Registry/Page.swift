/// Which part of a long list is wanted. A part is in the order of names (or ids), so that it can be found at once however long
/// the list is.
public struct PageRequest: Sendable {
    /// The longest part that is told: 1,000.
    public static let limitMax = 1_000
    /// How long a part is when nobody says: 100.
    public static let limitStandard = 100

    /// How many at most.
    public let limit: Int
    /// What ``Page/next`` of the part before was; nil for the first part.
    public let cursor: String?

    /// A part.
    ///
    /// - Throws: `invalid` for a limit that is not between 1 and ``limitMax``
    public init(limit: Int = limitStandard, cursor: String? = nil) throws(RegistryError) {
        guard (1...Self.limitMax).contains(limit) else {
            throw RegistryError(.invalid, "limit must be between 1 and \(Self.limitMax)")
        }
        self.limit = limit
        self.cursor = cursor
    }

    /// What the part before ended with; nil for the first part.
    ///
    /// - Parameter read: reads a cursor; nil for one that was never told.
    /// - Returns: the name or id.
    /// - Throws: `invalid`
    func last<Name>(_ read: (String) -> Name?) throws(RegistryError) -> Name? {
        guard let cursor else { return nil }
        guard let name = read(cursor) else {
            throw RegistryError(.invalid, "cursor must be what next_cursor of another page was")
        }
        return name
    }
}

/// A part of a long list.
public struct Page<Element: Sendable>: Sendable {
    /// What is in it.
    public let elements: [Element]
    /// Where the next part begins; nil when this is the last one.
    public let next: String?

    /// - Parameters:
    ///   - found: one more than the limit, if there are as many.
    ///   - limit: how many are told.
    ///   - name: what the list is in the order of.
    init(_ found: [Element], limit: Int, by name: (Element) -> String) {
        elements = Array(found.prefix(limit))
        next = found.count > limit ? elements.last.map(name) : nil
    }
}
