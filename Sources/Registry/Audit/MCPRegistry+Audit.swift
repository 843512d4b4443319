internal import DBDriver
internal import Logging

extension MCPRegistry {
    /// How many rows of the audit log are read at a time.
    private static let pageSize = 1_000
    /// How many rows of the audit log are written in one transaction at most.
    private static let auditBatchMax = 128

    /// Reads the audit log from its oldest wanted row on.
    ///
    /// - Parameters:
    ///   - filter: which rows.
    ///   - tell: called with one page after the other.
    /// - Throws: `unavailable` without a database; `internal` when `tell` throws
    public func auditLog(
        _ filter: AuditFilter,
        tell: ([AuditEntry]) throws -> Void
    ) async throws(RegistryError) {
        var last: AuditEntry?
        while true {
            let page = try await read { [last] session in
                try AuditTable.page(filter, after: last, limit: Self.pageSize, session)
            }
            do { try tell(page) } catch {
                throw RegistryError(.internal, "the rows could not be told", detail: "\(error)")
            }
            guard page.count == Self.pageSize else { return }
            last = page.last
        }
    }

    /// Looks whether the rows of the audit log are those that were written, as their chains tell. What is written meanwhile
    /// does not count.
    ///
    /// - Returns: what was found.
    /// - Throws: `unavailable` without a database
    public func verifyAuditLog() async throws(RegistryError) -> AuditVerification {
        let (heads, named, unchained) = try await snapshot { session in
            let chains = try AuditTable.chains(session)
            return (try AuditChainTable.heads(session), chains.named, chains.unchained)
        }
        var found = AuditVerification()
        (found.unchained, found.heads) = (unchained, heads)
        for head in heads {
            let result = try await verify(head.chain, length: head.length, digest: head.digest)
            found.rows += result.rows
            if let problem = result.problem { found.breaks.append(problem) }
        }
        for chain in named.subtracting(heads.map(\.chain)).sorted() {
            found.breaks.append(.init(chain: chain, position: nil, problem: "its head is missing"))
        }
        return found
    }

    private func verify(
        _ chain: String,
        length: Int64,
        digest: String
    ) async throws(RegistryError) -> (rows: Int64, problem: AuditVerification.Break?) {
        var (position, previous) = (Int64(0), AuditChainTable.origin)
        while position < length {
            let links = try await read { [position] session in
                try AuditTable.links(of: chain, after: position, upTo: length, limit: Self.pageSize, session)
            }
            for (entry, link) in links {
                guard link.position == position + 1 else { break }
                let expected = entry.map { AuditChainTable.digest(of: $0, chain, link.position, after: previous) }
                guard link.digest == expected else {
                    return (position, .init(chain: chain, position: link.position, problem: "was changed"))
                }
                (position, previous) = (link.position, link.digest)
            }
            guard position == length || links.last?.link.position == position else {
                return (position, .init(chain: chain, position: position + 1, problem: "is missing"))
            }
        }
        guard previous == digest else {
            return (
                position, .init(chain: chain, position: length, problem: "is not the one that the chain's head names")
            )
        }
        guard try await read({ try AuditTable.count(of: chain, upTo: length, $0) }) == length else {
            return (position, .init(chain: chain, position: nil, problem: "has rows that are there twice"))
        }
        return (position, nil)
    }

    /// A row that is still to be written.
    func auditEntry(
        _ action: AuditAction,
        _ target: String,
        by principal: Principal,
        _ outcome: AuditEntry.Outcome
    ) -> AuditEntry {
        let time = clock()
        return AuditEntry(
            id: UUID.version7(at: time),
            at: time,
            actor: principal.name,
            action: action.rawValue,
            target: target,
            outcome: outcome,
            requestID: RequestIdentifier.current
        )
    }

    /// Writes down what callers ask for at the same time, and changes nothing else, in one transaction.
    static func auditWriter(_ database: Database, _ chains: AuditChains) -> Batcher<AuditEntry, Void> {
        Batcher(sizeMax: auditBatchMax, concurrency: 2, isRepeatable: false) { entries throws(RegistryError) in
            let chain = chains.any
            let isExactlyOnce = database.configuration.isExactlyOnce
            // Not cut short by a caller that goes: whether the rows were written must be found out.
            let writing = Task.detached {
                try await database.write(wasCommitted: { try isExactlyOnce && AuditTable.contains(entries[0].id, $0) })
                {
                    try AuditTable.insert(isExactlyOnce ? entries : entries.map(\.renamed), in: chain, $0)
                }
            }
            try await translating { try await writing.value }
            return Array(repeating: (), count: entries.count)
        }
    }

    /// Runs the body, and writes down when the caller may not do it. That this could not be written is logged: the answer
    /// stays "forbidden".
    func notingDenial<T, Failure: Error>(
        _ action: AuditAction,
        _ target: String,
        by principal: Principal,
        _ body: () async throws(Failure) -> T
    ) async throws(Failure) -> T {
        do throws(Failure) {
            return try await body()
        } catch {
            guard (error as? RegistryError)?.code == .forbidden else { throw error }
            do throws(RegistryError) {
                try await auditWriter.value(of: auditEntry(action, target, by: principal, .denied))
            } catch {
                logger.error(
                    "a denied attempt could not be written down",
                    metadata: ["error": "\(error.detail ?? error.message)"]
                )
            }
            throw error
        }
    }
}
