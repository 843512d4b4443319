internal import DBDriver

extension MCPRegistry {
    /// Different words of a search.
    public static let wordsMax = 8
    /// Tools that a search finds at most.
    public static let foundMax = 50

    /// The tools of a service with the roles that may use them; none for an unknown service.
    ///
    /// - Throws: `unavailable`
    public func tools(of service: ServiceName) async throws(RegistryError) -> [Tool] {
        try await toolReads.value(of: service)
    }

    /// The tools whose name, title or description holds all words of the query, whatever their case; best matches first,
    /// at most ``foundMax``.
    ///
    /// - Parameters:
    ///   - query: words separated by white space, up to ``wordsMax`` different ones.
    ///   - role: only tools that this role may use; nil for all.
    /// - Returns: the tools, without their roles.
    /// - Throws: `invalid` for a query without a word or with too many, `notFound` for the role, `unavailable`
    public func findTools(_ query: String, usableBy role: RoleName?) async throws(RegistryError) -> [Tool] {
        var seen: Set<Substring> = []
        let words = query.lowercased().split(whereSeparator: \.isWhitespace).filter { seen.insert($0).inserted }
        guard !words.isEmpty else {
            throw RegistryError(.invalid, "query holds no word: say in a word or two what the tool should do")
        }
        guard words.count <= Self.wordsMax else {
            throw RegistryError(
                .invalid,
                "query holds \(words.count) different words, at most \(Self.wordsMax) may be searched: leave some out"
            )
        }
        return try await snapshot { [policy] session in
            if let role, try RoleTable.find(role, session) == nil {
                throw Self.noRole(role)
            }
            return try ToolTable.find(words.map(String.init), usableBy: role, policy, limit: Self.foundMax, session)
        }
    }
}
